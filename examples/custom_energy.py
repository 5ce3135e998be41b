"""A guidance term of one's own: anything differentiable of what the denoiser sees.

    python examples/custom_energy.py

Samples the embedded model twice from the same noise, the second time with an energy that pulls the mug's
centre to the left third, and prints where the mug's attention ends up.
"""

import torch

from guidance import Capture, State, Term, Window, self_guided_sample
from guidance.properties import centroid, object_attention
from inversion import Guidance
from realedit import RealEditPipeline

pipe = RealEditPipeline.from_pretrained(cache=False)
model, text, size = pipe.backbone, "a red mug and a white bowl on a wooden table", (256, 256)
prompt, tokens = model.prompt(text, size), model.tokens(text, "mug")
noise = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(1))
schedule = model.schedule(20)


def to_the_left(state: State) -> torch.Tensor:
    """How far the mug is from x = 0.3, over the captured layers."""
    places = [centroid(object_attention(a.float(), tokens))[:, 0] for a in state.seen.attention.values()]
    return (torch.stack(places) - 0.3).abs().mean()


with Capture(model.unet) as capture:
    for name, terms in (("free", []), ("guided", [Term(to_the_left, window=Window(0, 0.8))])):
        guidance = Guidance(prompt.conditioning, prompt.null, 4.0)
        z, _ = self_guided_sample(
            model, capture, schedule, noise, guidance=guidance, terms=terms, strength=2.0
        )
        with torch.no_grad(), capture.record((64, 64), partial=True) as seen:
            model(schedule.add_noise(z, noise, 6), schedule.timestep(6), prompt.conditioning)
        at = torch.stack(
            [centroid(object_attention(a, tokens))[0, 0] for a in seen.attention.values()]
        ).mean()
        print(f"{name}: the mug's attention is centred at x = {at:.2f}")
