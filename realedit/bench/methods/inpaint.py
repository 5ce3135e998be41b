"""diffusers' SDXL inpainting of pasted pixels, on the same weights.

The object is pasted at its place and the hole roughly filled (by OpenCV); the pipeline then repaints the hole
and the seam about the object. For replace and recolour it repaints the object under the new prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from realedit.bench.case import LoadedCase
from realedit.bench.counting import counted
from realedit.bench.methods import sdxl_peer as peer
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench
from realedit.system.stopwatch import Stopwatch


@dataclass(frozen=True)
class Inpaint:
    """``StableDiffusionXLInpaintPipeline``; a UNet of four channels is blended with the photo at every step.

    Args:
        strength: share of the noise levels that is sampled anew, above 0 and at most 1.
        guidance_scale: classifier-free guidance.
        steps: noise levels.
        seam: width of the repainted rim about the object, in 1/256 of the longer side.
        fill: what the hole is filled with before it is repainted, ``telea`` or ``ns``.
        margin: how far the hole reaches beyond the mask, in 1/256 of the longer side.
    """

    strength: float = 0.6
    guidance_scale: float = 2.0
    steps: int = 20
    seam: int = 3
    fill: str = "telea"
    margin: int = 4

    edits: ClassVar[frozenset[str]] = peer.EDITS
    needs_mask: ClassVar[bool] = True
    needs_object: ClassVar[bool] = False
    uses_model: ClassVar[bool] = True
    grid: ClassVar[Mapping[str, tuple[object, ...]]] = {
        "strength": (0.3, 0.6, 0.99),
        "guidance_scale": (1.0, 5.0),
        "seam": (3, 8),
        "fill": ("telea", "ns"),
    }

    def edit(self, loaded: LoadedCase, bench: Workbench) -> Outcome:
        """Pastes, repaints and composites."""
        from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_inpaint import (
            StableDiffusionXLInpaintPipeline,
        )

        clock = Stopwatch()
        pasted = peer.start(loaded, self.fill, self.margin)
        region = peer.repainted(loaded, pasted, self.seam)
        clock.lap("paste")
        size = bench.size(loaded)
        pipeline = peer.sibling(StableDiffusionXLInpaintPipeline, bench)
        with counted(bench.backbone.unet) as count:
            latent = pipeline(
                prompt=peer.prompt(loaded),
                image=peer.pillow(pasted.picture, size),
                mask_image=peer.pillow(region.astype(np.uint8) * 255, size),
                height=size[0],
                width=size[1],
                strength=self.strength,
                guidance_scale=self.guidance_scale,
                num_inference_steps=self.steps,
                generator=peer.generator(bench),
                output_type="latent",
            ).images
        picture = peer.decoded(bench, latent, loaded)
        clock.lap("inpaint")
        return peer.outcome(loaded, pasted, picture, region, times=clock.laps, evaluations=count.evaluations)
