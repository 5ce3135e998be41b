"""SAM, asked by points, a box and a rough mask at once: several outlines, and how sure it is of each.

SAM: Kirillov et al. 2023, *Segment Anything*, arXiv 2304.02643; HQ-SAM: Ke et al. 2023, arXiv 2306.01567;
SAM 2: Ravi et al. 2024, arXiv 2408.00714.

**Convention:** positions are in pixels of the photo, x right, y down, 0 at its left and upper border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from realedit.external.load import Loaded
from realedit.system.memory import translated

if TYPE_CHECKING:
    import torch

_ORIGINAL, _RESHAPED = "original_sizes", "reshaped_input_sizes"
_CELLS = 4
"""Cells of a mask that is given to a side of the encoder's cells: any other number does not fit SAM."""
_SUREST_LOGIT = 10.0
"""Logit of a place that a given mask surely has, and minus that of one that it surely lacks: larger ones
bind the answer to the mask, smaller ones say little. Not measured; SAM's own masks, which it was trained to
take, reach 32."""


@dataclass(frozen=True)
class Prompt:
    """What SAM is asked; at least a point or a box.

    Args:
        points: (x, y) of each point.
        on: of each point, whether it is on the object.
        box: (x0, y0, x1, y1) about the object.
        mask: a rough mask of the photo's proportions, float ``[h, w]`` in [0, 1], 1 on the object.
    """

    points: tuple[tuple[float, float], ...] = ()
    on: tuple[bool, ...] = ()
    box: tuple[float, float, float, float] | None = None
    mask: np.ndarray | None = None


@dataclass(frozen=True)
class Outline:
    """One answer.

    Args:
        logits: of P(object), float32 ``[H, W]`` at the photo's size.
        sure: the IoU that the model expects of it, in [0, 1].
    """

    logits: np.ndarray
    sure: float


@dataclass(frozen=True)
class PromptSegmenter:
    """SAM, HQ-SAM or SAM 2.

    Args:
        loaded: the model.
    """

    loaded: Loaded

    def outlines(self, rgb: np.ndarray, prompt: Prompt, *, several: bool) -> list[Outline]:
        """Returns what a prompt may mean, the surest first.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            prompt: what is asked.
            several: whether SAM gives its three readings (part, thing, group), made for a single point.

        Raises:
            NumericalError: the model produced NaN.
        """
        import torch

        with translated(), torch.inference_mode():
            inputs = self.loaded.inputs(rgb, **_asked(prompt))
            sizes = {key: inputs.pop(key) for key in (_ORIGINAL, _RESHAPED) if key in inputs}
            if prompt.mask is not None:
                inputs["input_masks"] = self._given(prompt.mask, inputs["pixel_values"], sizes)
            outputs = self.loaded.model(**inputs, multimask_output=several)
            self.loaded.check_numbers(outputs.pred_masks)
            logits = self.loaded.processor.post_process_masks(
                outputs.pred_masks.float().cpu(), *(size.cpu() for size in sizes.values()), binarize=False
            )[0][0]
        sure = outputs.iou_scores.flatten()[: len(logits)].float().cpu().clamp(0, 1)
        order = sure.argsort(descending=True).tolist()
        return [Outline(logits[k].numpy().astype(np.float32), float(sure[k])) for k in order]

    def _given(self, mask: np.ndarray, pixels: torch.Tensor, sizes: dict[str, torch.Tensor]) -> torch.Tensor:
        """Returns a mask as logits in the square that the model sees, ``[1, 1, side, side]``."""
        import torch

        seen = pixels.shape[-1]
        side = _CELLS * seen // int(self.loaded.model.config.prompt_encoder_config.patch_size)
        # SAM and HQ-SAM see the photo padded at the right and below, SAM 2 stretched
        height, width = sizes[_RESHAPED][0].tolist() if _RESHAPED in sizes else (seen, seen)
        inner = (max(1, round(width * side / seen)), max(1, round(height * side / seen)))
        small = cv2.resize(mask.astype(np.float32), inner, interpolation=cv2.INTER_AREA)
        logits = np.full((side, side), -_SUREST_LOGIT, np.float32)
        logits[: inner[1], : inner[0]] = (2 * small.clip(0, 1) - 1) * _SUREST_LOGIT
        return torch.from_numpy(logits)[None, None].to(pixels.device)


def _asked(prompt: Prompt) -> dict[str, Any]:
    """Returns a prompt as SAM's processors take it: lists of photos, of objects, of points."""
    asked: dict[str, Any] = {}
    if prompt.points:
        asked["input_points"] = [[[[float(x), float(y)] for x, y in prompt.points]]]
        asked["input_labels"] = [[[int(on) for on in prompt.on]]]
    if prompt.box is not None:
        asked["input_boxes"] = [[[float(side) for side in prompt.box]]]
    return asked
