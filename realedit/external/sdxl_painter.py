"""An inpainting SDXL as a painter of holes: its UNet takes a mask and the picture beside the latent.

Such models (``diffusers/stable-diffusion-xl-1.0-inpainting-0.1``, and many checkpoints in one file) cannot
edit by themselves. What they paint has not been seen by us: their weights were not at hand, so the code is
tested on random ones.

Reference: Podell et al. 2023, arXiv 2307.01952 (SDXL); Rombach et al. 2022, arXiv 2112.10752, section 4.5.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from realedit.errors import NumericalError
from realedit.models.loading import open_inpainting, quiet_libraries
from realedit.system.memory import translated

if TYPE_CHECKING:
    import torch

_STEPS = 25
"""Steps of the model: more take longer, fewer leave it unfinished. Not measured."""
_GUIDANCE = 5.0
"""Guidance scale, away from an empty prompt: higher ones hold more to the prompt. Not measured."""
_PROMPT, _AWAY = "empty background, nothing, scenery", "object, person, text"
_STRENGTH = 0.99
"""Share of the noise levels: at 1 nothing is left of the colours in the hole, below it they are seen. Set by
diffusers' example."""


class SdxlPainter:
    """Paints holes by an SDXL inpainting model, which is loaded when the first hole is painted.

    Args:
        place: a folder, or a checkpoint in one file.
        device: a torch device.

    Raises:
        ModelUnavailableError: it is no such model.
        UsageError: no such device.
    """

    def __init__(self, place: Path, device: str | torch.device) -> None:
        self._load = open_inpainting(place, device)

    @cached_property
    def pipeline(self) -> Any:  # noqa: ANN401 - diffusers' pipelines are not typed
        """The loaded pipeline."""
        with translated():
            return self._load()

    def __call__(self, rgb: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """Paints a window at the model's native area.

        Args:
            rgb: uint8 ``[H, W, 3]``; what it shows in the gap is hidden.
            gap: bool ``[H, W]``.

        Returns:
            uint8 ``[H, W, 3]``.

        Raises:
            NumericalError: the model produced NaN.
        """
        import torch

        pipeline = self.pipeline
        height, width = _size(pipeline, gap.shape)
        grown = cv2.resize(gap.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0
        hidden = np.where(gap[..., None], _around(rgb, gap), rgb).astype(np.uint8)
        seen = cv2.resize(hidden, (width, height), interpolation=_way(gap.shape, (height, width)))
        with translated(), torch.inference_mode(), quiet_libraries():
            picture = pipeline(
                prompt=_PROMPT,
                negative_prompt=_AWAY,
                image=Image.fromarray(seen),
                mask_image=Image.fromarray(grown.astype(np.uint8) * 255),
                height=height,
                width=width,
                strength=_STRENGTH,
                guidance_scale=_GUIDANCE,
                num_inference_steps=_STEPS,
                generator=torch.Generator().manual_seed(0),
                output_type="np",
            ).images[0]
        if not np.isfinite(picture).all():
            raise NumericalError("the inpainting model produced NaN", "leave --inpainter out")
        painted = (picture.clip(0, 1) * 255).round().astype(np.uint8)
        return cv2.resize(painted, gap.shape[::-1], interpolation=_way((height, width), gap.shape))


def _size(pipeline: Any, shape: tuple[int, ...]) -> tuple[int, int]:  # noqa: ANN401 - see above
    """Returns (height, width) of the model's native area in a window's aspect ratio, in its whole cells."""
    factor = pipeline.vae_scale_factor
    side = pipeline.unet.config.sample_size * factor
    multiple = factor * 2 ** (len(pipeline.unet.config.block_out_channels) - 1)
    aspect = (shape[1] / shape[0]) ** 0.5
    height, width = (max(1, round(length / multiple)) * multiple for length in (side / aspect, side * aspect))
    return height, width


def _around(rgb: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Returns the mean colour outside the gap; grey where nothing is outside."""
    return rgb[~gap].mean(0) if not gap.all() else np.full(3, 128)


def _way(before: tuple[int, ...], after: tuple[int, ...]) -> int:
    """Returns how OpenCV resizes: by averages on the way down."""
    return cv2.INTER_AREA if after[0] < before[0] else cv2.INTER_CUBIC
