r"""Self-guidance as its authors' SDXL Colab does it: from noise, with nothing that holds the photo.

.. math::
    \hat\epsilon_t = \epsilon_\varnothing + s\,(\epsilon_{text} - \epsilon_\varnothing)
        + v\,\sigma_t\,\nabla_{z_t} g(z_t)

with CFG s = 5, L1 energies to hard (thresholded) targets and the plain gradient, in the first 3N/16 steps,
on one level of the decoder (SDXL's ``up_blocks.0``: rank 1). Epstein et al. 2023, arXiv 2306.00986. For a
real photo, as the paper does it, the references are what the model sees of the photo noised to each level: no
inversion. The noise that the photo is noised with is also what the sampling starts from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from guidance import (
    Appearance,
    Capture,
    GradientScale,
    LayerSelection,
    Observation,
    State,
    Term,
    Ties,
    Transform,
    Window,
    self_guided_sample,
    warp,
)
from guidance.properties import centroid, object_attention, shape
from inversion import Guidance, Schedule
from realedit.bench.case import LoadedCase
from realedit.bench.counting import counted
from realedit.bench.edit_spec import EditSpec
from realedit.bench.methods import sdxl_peer as peer
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench
from realedit.errors import ObjectNotFoundError
from realedit.models.backbone import Prompt
from realedit.prompts import with_words
from realedit.system.memory import translated
from realedit.system.stopwatch import Stopwatch

_GUIDED = 3 / 16
"""Share of the steps, from the first: in them the energies act, after them they do not. Set by the authors'
Colab."""


@dataclass(frozen=True)
class HardShape:
    """L1 distance of an object's shape to the reference's, moved, scaled and rotated, then thresholded."""

    tokens: tuple[int, ...]
    transform: Transform

    def __call__(self, state: State) -> Tensor:
        """Scalar in [0, 1]."""
        if state.reference is None:
            raise ValueError("this energy needs a reference")
        distances = []
        for name, seen in state.seen.attention.items():
            reference = object_attention(state.reference.attention[name].detach().float(), self.tokens)
            before = shape(reference)
            x, y = centroid(before)[0].tolist()
            target = (warp(before, replace(self.transform, centre=(x, y))) > 0.5).float()
            distances.append((shape(object_attention(seen.float(), self.tokens)) - target).abs().mean())
        return torch.stack(distances).mean()


@dataclass(frozen=True)
class SelfGuidance:
    """Self-guidance without an anchor.

    Args:
        weight: ``v`` above; the Colab's 3 000 to 7 500 is for SDXL, whose gradients are far smaller.
        appearance: weight of the object's appearance beside the shapes'.
        guidance_scale: ``s`` above.
        steps: N.
        rank: resolution of the guided layers, 0 the finest with cross-attention.
    """

    weight: float = 100.0
    appearance: float = 0.25
    guidance_scale: float = 5.0
    steps: int = 32
    rank: int = 1

    edits: ClassVar[frozenset[str]] = frozenset({"move", "resize", "rotate"})
    needs_mask: ClassVar[bool] = False
    needs_object: ClassVar[bool] = True
    uses_model: ClassVar[bool] = True
    grid: ClassVar[Mapping[str, tuple[object, ...]]] = {
        "weight": (100.0, 1000.0),
        "rank": (0, 1),
        "guidance_scale": (2.0, 5.0),
    }

    def edit(self, loaded: LoadedCase, bench: Workbench) -> Outcome:
        """Samples anew under the energies.

        Raises:
            ObjectNotFoundError: the model's tokenizers do not hold the object's word in the prompt.
        """
        case, backbone, size = loaded.case, bench.backbone, bench.size(loaded)
        clock = Stopwatch()
        text = with_words(case.prompt, case.object or "")
        tokens = tuple(backbone.tokens(text, case.object or ""))
        if not tokens:
            raise ObjectNotFoundError(f"the model's prompt holds no {case.object!r}")
        prompt, schedule = backbone.prompt(text, size), backbone.schedule(self.steps)
        z = backbone.encode(peer.at(loaded.photo, size))
        noise = torch.randn(z.shape, generator=peer.generator(bench)).to(z)
        selection = LayerSelection(("up",), (self.rank,))
        with (
            translated(),
            counted(backbone.unet) as count,
            Capture(backbone.unet, selection, selection) as capture,
        ):
            terms = self._terms(tokens, prompt, case.edit)
            latent = self._sample(bench, capture, schedule, prompt, z=z, noise=noise, terms=terms)
        picture = peer.decoded(bench, latent, loaded)
        clock.lap("sample")
        return Outcome(picture, clock.laps, count.evaluations, picture)

    def _terms(self, tokens: tuple[int, ...], prompt: Prompt, edit: EditSpec) -> list[Term]:
        """Returns the energies: the object's shape at its new place, its appearance, other tokens' shapes."""
        early = Window(0.0, _GUIDED)
        moved = Transform(edit.dx, edit.dy, edit.scale, edit.angle)
        others = [k for k in range(1, prompt.tokens - 1) if k not in tokens]
        fixed = [Term(HardShape((k,), Transform()), 1 / len(others), early) for k in others]
        object_terms = [Term(HardShape(tokens, moved), 1.0, early)]
        return [*object_terms, Term(Appearance(tokens), self.appearance, early), *fixed]

    def _sample(
        self,
        bench: Workbench,
        capture: Capture,
        schedule: Schedule,
        prompt: Prompt,
        *,
        z: Tensor,
        noise: Tensor,
        terms: list[Term],
    ) -> Tensor:
        """Samples by DDIM from the noisiest level, guided in the first 3N/16 steps.

        It starts from the photo noised to that level, as its references do: from noise alone, since these
        latents' mean is not 0, it would start far darker than the photo.
        """
        guidance = Guidance(prompt.conditioning, prompt.null, self.guidance_scale)
        x = schedule.add_noise(z, noise, self.steps)
        ties = Ties(
            reference=lambda level: self._reference(
                bench, capture, schedule, prompt, z=z, noise=noise, level=level
            )
        )
        return self_guided_sample(
            bench.backbone,
            capture,
            schedule,
            x,
            guidance=guidance,
            terms=terms,
            strength=GradientScale(self.weight),
            ties=ties,
        )[0]

    @staticmethod
    @torch.no_grad()
    def _reference(
        bench: Workbench,
        capture: Capture,
        schedule: Schedule,
        prompt: Prompt,
        *,
        z: Tensor,
        noise: Tensor,
        level: int,
    ) -> Observation:
        """Returns what the model sees of the photo noised to a level."""
        x = schedule.add_noise(z, noise, level)
        with capture.record((x.shape[-2], x.shape[-1]), tokens=prompt.tokens, partial=True) as seen:
            bench.backbone(x, schedule.timestep(level), prompt.conditioning)
        return seen
