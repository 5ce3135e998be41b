"""Segmenters: CLIPSeg turns a word into heat, SAM a box into a mask.

CLIPSeg: Lueddecke and Ecker 2022, *Image Segmentation Using Text and Image Prompts*, arXiv 2112.10003.
SAM: Kirillov et al. 2023, *Segment Anything*, arXiv 2304.02643; HQ-SAM: Ke et al. 2023, arXiv 2306.01567;
SAM 2: Ravi et al. 2024, arXiv 2408.00714.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from realedit.external.load import Loaded, load
from realedit.system.memory import translated

if TYPE_CHECKING:
    import torch

_SIZES = ("original_sizes", "reshaped_input_sizes")


@dataclass(frozen=True)
class WordSegmenter:
    """CLIPSeg, which tells where a word's object is.

    Args:
        loaded: the model.
    """

    loaded: Loaded

    def heat(self, rgb: np.ndarray, word: str) -> np.ndarray:
        """Returns how likely each place of the photo is the word's object.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            word: a noun or a short phrase.

        Returns:
            float32 ``[h, w]`` in [0, 1], the whole photo stretched to the model's own square.

        Raises:
            NumericalError: the model produced NaN.
        """
        import torch

        with translated(), torch.inference_mode():
            inputs = self.loaded.inputs(rgb, text=[f"a photo of a {word}"], truncation=True)
            logits = self.loaded.model(**inputs).logits
        self.loaded.check_numbers(logits)
        return logits.reshape(logits.shape[-2:]).float().sigmoid().cpu().numpy()


class RawMasks(Protocol):
    """What SAM's classes return.

    Attributes:
        pred_masks: ``[1, 1, M, h, w]``, logits of M masks for the one box.
        iou_scores: ``[1, 1, M]``, how well the model thinks each fits.
    """

    pred_masks: torch.Tensor
    iou_scores: torch.Tensor


@dataclass(frozen=True)
class BoxSegmenter:
    """SAM, HQ-SAM or SAM 2, which cuts out the object in a box.

    Args:
        loaded: the model.
    """

    loaded: Loaded

    def mask(self, rgb: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
        """Cuts out the object in a box.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            box: (x0, y0, x1, y1) in [0, 1] of the photo.

        Returns:
            bool ``[H, W]``; it may be empty.

        Raises:
            NumericalError: the model produced NaN.
        """
        import torch

        h, w = rgb.shape[:2]
        pixels = [float(side * of) for side, of in zip(box, (w, h, w, h), strict=True)]
        with translated(), torch.inference_mode():
            inputs = self.loaded.inputs(rgb, input_boxes=[[pixels]])
            sizes = [inputs.pop(key) for key in _SIZES if key in inputs]
            # one mask: its authors' three are for a point, which may mean a part as well as the whole
            outputs = self.loaded.model(**inputs, multimask_output=False)
        self.loaded.check_numbers(outputs.pred_masks)
        return best_mask(self.loaded, outputs, sizes)


def best_mask(loaded: Loaded, outputs: RawMasks, sizes: list[torch.Tensor]) -> np.ndarray:
    """Turns SAM's raw output into a mask at the photo's size: of several, the one the model trusts most.

    Args:
        loaded: the model.
        outputs: what the model returned.
        sizes: (H, W) of the photo and, for a model that sees it padded to a square, of the photo in that
            square; int ``[1, 2]`` each.

    Returns:
        bool ``[H, W]``.
    """
    masks = loaded.processor.post_process_masks(
        outputs.pred_masks.float().cpu(), *(size.cpu() for size in sizes)
    )[0]
    best = int(outputs.iou_scores.flatten()[: masks.shape[1]].argmax())
    return masks[0, best].numpy().astype(bool)


def load_segmenter(
    name: str | Path, device: str | torch.device = "cpu", offline: bool | None = None
) -> WordSegmenter | BoxSegmenter:
    """Loads CLIPSeg, SAM, HQ-SAM or SAM 2.

    Args:
        name: folder, or hub id "owner/name".
        device: a torch device.
        offline: never use the network; None follows HF_HUB_OFFLINE.

    Raises:
        ModelUnavailableError: absent and out of reach, damaged, pickled, or in need of code of its own.
        UsageError: not a segmenter, or no such device.
    """
    loaded = load(name, "segmenter", device, offline)
    return WordSegmenter(loaded) if loaded.kind.worded else BoxSegmenter(loaded)
