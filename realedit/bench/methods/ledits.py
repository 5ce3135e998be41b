"""LEDITS++ on the same weights, by diffusers' ``LEditsPPPipelineStableDiffusionXL`` (arXiv 2311.16711).

Text edits only: it can replace, restyle and remove, not move.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from realedit.bench.case import Case, LoadedCase
from realedit.bench.counting import counted
from realedit.bench.methods import sdxl_peer as peer
from realedit.bench.methods.pasted import composited, feathered, grown
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench
from realedit.pixels.unit import unit_of
from realedit.system.stopwatch import Stopwatch

if TYPE_CHECKING:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel


@dataclass(frozen=True)
class Ledits:
    """LEDITS++; where a mask is known, what it changes is laid over the photo around the object.

    Args:
        guidance_scale: guidance scale of the edit.
        threshold: share of the picture that the edit leaves alone, its lambda.
        skip: share of the first noise levels that inversion and edit leave out.
        steps: noise levels.
        source_scale: guidance scale of the inversion.
        cross_attention: whether the edit is masked by the attention to its words too.
        margin: how far the composite reaches beyond the mask, in 1/256 of the longer side.
    """

    guidance_scale: float = 5.0
    threshold: float = 0.9
    skip: float = 0.2
    steps: int = 20
    source_scale: float = 3.5
    cross_attention: bool = False
    margin: int = 4

    edits: ClassVar[frozenset[str]] = frozenset({"remove", "replace", "recolour", "text"})
    needs_mask: ClassVar[bool] = False
    needs_object: ClassVar[bool] = True
    uses_model: ClassVar[bool] = True
    grid: ClassVar[Mapping[str, tuple[object, ...]]] = {
        "guidance_scale": (3.0, 10.0),
        "threshold": (0.8, 0.9),
        "skip": (0.2, 0.4),
        "margin": (4, 8),
    }

    def edit(self, loaded: LoadedCase, bench: Workbench) -> Outcome:
        """Inverts, edits by text, and composites."""
        from diffusers.pipelines.ledits_pp.pipeline_leditspp_stable_diffusion_xl import (
            LEditsPPPipelineStableDiffusionXL,
        )
        from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

        clock = Stopwatch()
        own: Any = bench.backbone.pipeline
        scheduler = DPMSolverMultistepScheduler.from_config(
            own.scheduler.config, algorithm_type="sde-dpmsolver++", solver_order=2, timestep_spacing="leading"
        )
        words, reverse = directions(loaded.case)
        with counted(own.unet) as count, _processors_kept(own.unet), _one_line_logs():
            pipeline = peer.sibling(LEditsPPPipelineStableDiffusionXL, bench, scheduler=scheduler)
            pipeline.invert(
                image=peer.pillow(loaded.photo, bench.size(loaded)),
                source_prompt=loaded.case.prompt,
                source_guidance_scale=self.source_scale,
                num_inversion_steps=self.steps,
                skip=self.skip,
                generator=peer.generator(bench),
            )
            clock.lap("invert")
            latent = pipeline(
                editing_prompt=words,
                reverse_editing_direction=reverse,
                edit_guidance_scale=[self.guidance_scale] * len(words),
                edit_threshold=[self.threshold] * len(words),
                use_cross_attn_mask=self.cross_attention,
                output_type="latent",
            ).images
        picture = peer.decoded(bench, latent, loaded)
        clock.lap("edit")
        final = picture
        if loaded.mask is not None:
            unit = unit_of(loaded.mask.shape)
            alpha = feathered(grown(loaded.mask, self.margin * unit), 3 * unit)
            final = composited(loaded.photo, picture, alpha)
        return Outcome(final, clock.laps, count.evaluations, picture)


def directions(case: Case) -> tuple[list[str], list[bool]]:
    """Returns what the edit adds and takes away: concepts, and whether each is to become less.

    Returns:
        One or two prompts, and as many flags.
    """
    old = " ".join(word for word in (case.colour, case.object) if word)
    match case.edit.kind:
        case "remove":
            return [old], [True]
        case "replace" | "recolour":
            return [old, case.edit.new_words(case.object or "")], [True, False]
    return [case.prompt, case.edit.target_prompt or ""], [True, False]


@contextmanager
def _processors_kept(unet: UNet2DConditionModel) -> Iterator[None]:
    """Puts back the attention processors that LEDITS++ replaces for good."""
    before = dict(unet.attn_processors)
    try:
        yield
    finally:
        unet.set_attn_processor(before)


@contextmanager
def _one_line_logs() -> Iterator[None]:
    """Silences diffusers' remarks on the scheduler and on pictures of other sizes."""
    logger = logging.getLogger("diffusers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
