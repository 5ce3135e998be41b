"""The self-guidance paper's edits on generated pictures: one seed, one prompt, and terms.

    python examples/generated.py FOLDER [--model NAME] [--steps N]

writes ``FOLDER/generated.png``: the picture as it is sampled, then moved, enlarged, shrunk, with another
picture's appearance, with another picture's layout, and with the objects kept under another prompt (Epstein
et al. 2023, *Diffusion Self-Guidance*, figures 1 to 6).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from PIL import Image as Picture

from guidance import Term
from guidance.edits import compose, keep, move, resize, transfer_appearance
from realedit.generate.self_guidance_pipeline import Observed, SelfGuidanceStableDiffusionXLPipeline
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model
from realedit.models.loading import load_pipeline
from realedit.report.panel import Tile, panel

PROMPT = "a photo of a red mug and a blue book on a wood table"
OTHER = "a photo of a green mug on a marble table"
CHANGED = "a photo of a red mug and a blue book on a stone table"
MEAN = {"tabletop": (-0.149, -0.014, 0.848, -0.667)}
"""A picture's mean latent. At SDXL's noisiest level it still shows, so that a sampling from pure noise is one
of a picture of latent zero: dark brown, on the embedded model."""


class Sampler:
    """One model and its starts.

    Args:
        model: as ``realedit --model`` takes it.
        steps: of each sampling.
    """

    def __init__(self, model: str, steps: int) -> None:
        loaded = load_pipeline(resolve_model(model), dtype=torch.float32)
        self.backbone = Backbone(loaded)
        own: dict[str, Any] = dict(loaded.components)
        self.pipeline = SelfGuidanceStableDiffusionXLPipeline(**own)
        self.pipeline.set_progress_bar_config(disable=True)
        self._mean, self._steps = MEAN.get(model, (0.0,) * 4), steps

    def tokens(self, prompt: str, word: str) -> list[int]:
        """A word's positions in a prompt."""
        return list(self.backbone.tokens(prompt, word))

    def observe(self, prompt: str, seed: int) -> tuple[Picture.Image, Observed]:
        """A picture, and what the model sees on the way to it."""
        output, seen = self.pipeline.observe(prompt, **self._how(seed))
        return output.images[0], seen

    def sample(self, prompt: str, seed: int, terms: list[Term], reference: Observed) -> Picture.Image:
        """The picture of the same seed under some terms."""
        return self.pipeline(prompt, terms=terms, reference=reference, **self._how(seed)).images[0]

    def _how(self, seed: int) -> dict[str, Any]:
        side = self.backbone.native_size // self.backbone.scale_factor
        noise = torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(seed))
        scheduler = self.pipeline.scheduler
        scheduler.set_timesteps(self._steps)
        start = noise * scheduler.sigmas[0] + torch.tensor(self._mean)[None, :, None, None]
        return {
            "latents": start / scheduler.init_noise_sigma,
            "num_inference_steps": self._steps,
            "guidance_scale": 5.0,
        }


def pictures(sampler: Sampler, seed: int) -> list[tuple[str, Picture.Image]]:
    """Every edit by name."""
    mug, book = sampler.tokens(PROMPT, "mug"), sampler.tokens(PROMPT, "book")
    before, seen = sampler.observe(PROMPT, seed)
    second, other = sampler.observe(OTHER, seed + 1)
    theirs = other.image(sampler.tokens(OTHER, "mug"))
    kept = [sampler.tokens(CHANGED, word) for word in ("mug", "book")]
    wanted = {
        "moved right": (PROMPT, move(mug, 0.2, others=[book])),
        "moved up": (PROMPT, move(mug, 0.0, -0.15, others=[book])),
        "larger": (PROMPT, resize(mug, 1.5, others=[book])),
        "smaller": (PROMPT, resize(mug, 0.6, others=[book])),
        "look of the second": (PROMPT, transfer_appearance(mug, theirs, others=[book])),
        "layout of the second": (PROMPT, compose(mug, layout=theirs, appearance=seen.image(mug))),
        "kept on another table": (CHANGED, keep(kept)),
    }
    edited = [(name, sampler.sample(text, seed, terms, seen)) for name, (text, terms) in wanted.items()]
    return [("as sampled", before), ("a second", second), *edited]


def main() -> None:
    """Parse, sample, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="tabletop", help="as realedit takes it")
    parser.add_argument("--steps", type=int, default=30, help="of each sampling")
    parser.add_argument("--seed", type=int, default=3, help="of the noise")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    made = pictures(Sampler(given.model, given.steps), given.seed)
    tiles = [Tile(name, picture.resize((256, 256))) for name, picture in made]
    panel(tiles, f"{PROMPT}; seed {given.seed}", []).save(given.folder / "generated.png")
    print(given.folder / "generated.png")


if __name__ == "__main__":
    main()
