r"""Differential image-to-image: a strength for every pixel (Levin and Fried 2023, arXiv 2306.00950).

.. math::
    x_t \leftarrow [s > u_t]\, x_t
        + [s \le u_t]\, (\sqrt{\bar\alpha_t}\, z + \sqrt{1 - \bar\alpha_t}\, \epsilon)

with the strength map :math:`s` on the latent's grid and :math:`u_t` the share of the noise levels from
:math:`t` down: while that share is above a cell's strength, the cell follows the noised photo; then it is
free. Here it is a callback on diffusers' SDXL image-to-image pipeline, started from the pasted pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

from realedit.bench.case import LoadedCase
from realedit.bench.counting import counted
from realedit.bench.edit_spec import GEOMETRIC
from realedit.bench.methods import sdxl_peer as peer
from realedit.bench.methods.pasted import Pasted
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench
from realedit.system.stopwatch import Stopwatch

if TYPE_CHECKING:
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img import (
        StableDiffusionXLImg2ImgPipeline,
    )


@dataclass(frozen=True)
class Differential:
    """Strong in the hole, weak on the object, nothing elsewhere.

    Args:
        hole: strength in the hole (replace, recolour: on the object and the rim about it), at most 1.
        seam: strength on a rim about the object.
        body: strength on the object itself.
        rim: the rim's width, in 1/256 of the longer side.
        guidance_scale: classifier-free guidance.
        steps: noise levels.
        fill: what the hole is filled with before it is resampled, ``telea`` or ``ns``.
        margin: how far the hole reaches beyond the mask, in 1/256 of the longer side.
    """

    hole: float = 0.6
    seam: float = 0.4
    body: float = 0.0
    rim: int = 3
    guidance_scale: float = 2.0
    steps: int = 20
    fill: str = "telea"
    margin: int = 4

    edits: ClassVar[frozenset[str]] = peer.EDITS
    needs_mask: ClassVar[bool] = True
    needs_object: ClassVar[bool] = False
    uses_model: ClassVar[bool] = True
    grid: ClassVar[Mapping[str, tuple[object, ...]]] = {
        "hole": (0.3, 0.6, 0.9),
        "rim": (3, 8),
        "guidance_scale": (1.0, 5.0),
        "fill": ("telea", "ns"),
    }

    def edit(self, loaded: LoadedCase, bench: Workbench) -> Outcome:
        """Pastes, resamples under the strength map, and composites."""
        from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img import (
            StableDiffusionXLImg2ImgPipeline,
        )

        clock = Stopwatch()
        pasted = peer.start(loaded, self.fill, self.margin)
        strengths = self.strengths(loaded, pasted)
        clock.lap("paste")
        size = bench.size(loaded)
        z = bench.backbone.encode(peer.at(pasted.picture, size))
        pipeline = peer.sibling(StableDiffusionXLImg2ImgPipeline, bench)
        noise = torch.randn(z.shape, generator=peer.generator(bench)).to(z)
        grid = adaptive_avg_pool2d(torch.from_numpy(strengths)[None, None], (z.shape[-2], z.shape[-1])).to(z)
        with counted(bench.backbone.unet) as count:
            latent = pipeline(
                prompt=peer.prompt(loaded),
                image=peer.pillow(pasted.picture, size),
                strength=max(round(float(strengths.max()), 6), 1 / self.steps),
                guidance_scale=self.guidance_scale,
                num_inference_steps=self.steps,
                generator=peer.generator(bench),
                output_type="latent",
                callback_on_step_end=_held(z, noise, grid, self.steps),
            ).images
        picture = peer.decoded(bench, latent, loaded)
        clock.lap("resample")
        return peer.outcome(
            loaded, pasted, picture, strengths > 0, times=clock.laps, evaluations=count.evaluations
        )

    def strengths(self, loaded: LoadedCase, pasted: Pasted) -> np.ndarray:
        """Returns the map at the photo's size, float32 ``[H, W]``."""
        found = np.zeros(pasted.alpha.shape, np.float32)
        if loaded.case.edit.kind not in GEOMETRIC | {"remove"}:
            return np.where(peer.repainted(loaded, pasted, self.rim), np.float32(self.hole), found)
        rim = peer.repainted(loaded, pasted, self.rim)
        found[rim] = self.seam
        found[pasted.hole & ~pasted.after] = self.hole
        return np.where(pasted.after & ~rim, np.float32(self.body), found)


Tensors = dict[str, torch.Tensor]
Hold = Callable[["StableDiffusionXLImg2ImgPipeline", int, object, Tensors], Tensors]
"""diffusers' callback after a step: pipeline, steps done, timestep and tensors, to the tensors to go on
with."""


def _held(z: torch.Tensor, noise: torch.Tensor, strengths: torch.Tensor, steps: int) -> Hold:
    """Makes the callback that restores the noised start where the strength does not yet reach the level."""

    def hold(pipeline: StableDiffusionXLImg2ImgPipeline, done: int, _: object, seen: Tensors) -> Tensors:
        latents = seen["latents"]
        scheduler: Any = pipeline.scheduler
        times = scheduler.timesteps[-pipeline.num_timesteps :]
        left = pipeline.num_timesteps - done - 1
        source = z.to(latents)
        if left:
            source = scheduler.add_noise(source, noise.to(latents), times[done + 1][None])
        free = strengths.to(latents) * steps > left + 1e-3  # 0.3 * 20 is not quite 6
        return {"latents": torch.where(free, latents, source)}

    return hold
