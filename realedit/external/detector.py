"""Zero-shot detectors: they find the boxes of what a word names.

OWL-ViT: Minderer et al. 2022, *Simple Open-Vocabulary Object Detection with Vision Transformers*,
arXiv 2205.06230. OWLv2: Minderer et al. 2023, *Scaling Open-Vocabulary Object Detection*, arXiv 2306.09683.
Grounding DINO: Liu et al. 2023, arXiv 2303.05499; MM-Grounding-DINO: Zhao et al. 2024, arXiv 2401.02361.

Convention: boxes are (x0, y0, x1, y1), x right, y down, in [0, 1] of the photo's width and height. OWLv2 sees
the photo padded at the right and the bottom to a square, and answers in fractions of that square; its
processor turns them into pixels of the photo, and so do the others'. What lies beyond the photo is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from realedit.errors import ObjectNotFoundError
from realedit.external.load import Loaded, load
from realedit.system.memory import translated

if TYPE_CHECKING:
    import torch

THRESHOLDS = {"owlvit": 0.1, "owlv2": 0.1, "grounding-dino": 0.25, "mm-grounding-dino": 0.25}
"""Score of a box in [0, 1]: at or above it the box is an object of the word, below it is dropped. Set on
nothing of ours: the defaults of each model's own post-processing."""
_OVERLAP = 0.5
"""Intersection over union of two boxes: above it they are of the same object and the surer one stays, below
it of two. Not measured."""
_LEAST_PIXELS = 2
"""Side of a box in pixels: a thinner one is dropped, since nothing can be cut out of it. Not measured."""


@dataclass(frozen=True)
class Detection:
    """One object that a detector saw.

    Attributes:
        box: (x0, y0, x1, y1) in [0, 1] of the photo.
        score: how sure the detector is, in [0, 1].
    """

    box: tuple[float, float, float, float]
    score: float


class RawBoxes(Protocol):
    """What a detector's class returns.

    Attributes:
        logits: ``[1, N, K]``, of N boxes for K queries or tokens.
        pred_boxes: ``[1, N, 4]``, centre x, y and width, height as shares of what the model saw.
    """

    logits: torch.Tensor
    pred_boxes: torch.Tensor


class Detector:
    """A zero-shot detector: OWL-ViT, OWLv2, Grounding DINO or MM-Grounding-DINO.

    Args:
        name: folder, or hub id "owner/name".
        device: a torch device.
        offline: never use the network; None follows HF_HUB_OFFLINE.
        threshold: least score of a box that counts; by default the model's own in :data:`THRESHOLDS`.

    Raises:
        ModelUnavailableError: absent and out of reach, damaged, pickled, or in need of code of its own.
        UsageError: not a detector, or no such device.
    """

    def __init__(
        self,
        name: str | Path,
        device: str | torch.device = "cpu",
        offline: bool | None = None,
        threshold: float | None = None,
    ) -> None:
        self.loaded = load(name, "detector", device, offline)
        self.threshold = THRESHOLDS[self.loaded.kind.model_type] if threshold is None else threshold

    def detect(self, rgb: np.ndarray, word: str) -> list[Detection]:
        """Finds what the word names in a photo, the surest first; at least one.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            word: a noun or a short phrase, with no "left" or "biggest" in it.

        Raises:
            ObjectNotFoundError: no box scores above the threshold.
            NumericalError: the model produced NaN.
        """
        import torch

        with translated(), torch.inference_mode():
            text = query(word, self.loaded.kind.model_type)
            inputs = self.loaded.inputs(rgb, text=[[text]], truncation=True)
            outputs = self.loaded.model(**inputs)
        self.loaded.check_numbers(outputs.logits)
        found = detections(self.loaded, outputs, inputs["input_ids"], rgb.shape[:2], threshold=self.threshold)
        if not found:
            best = float(outputs.logits.sigmoid().max())
            raise ObjectNotFoundError(
                f"no {word!r} found in the photo: {self.loaded.label} saw none",
                "use another word or --detector, or show the object with --point, --box or --mask",
                detail=f"best score {best:.3f}, needs {self.threshold}",
            )
        return found


def query(word: str, model_type: str) -> str:
    """Returns the text that a detector was trained to expect for a word."""
    bare = " ".join(word.replace(".", " ").split()).lower()
    return bare if model_type.endswith("grounding-dino") else f"a photo of a {bare}"


def detections(
    loaded: Loaded, outputs: RawBoxes, input_ids: torch.Tensor, size: tuple[int, int], *, threshold: float
) -> list[Detection]:
    """Turns a detector's raw output into boxes in the photo, one per object, the surest first.

    Args:
        loaded: the detector.
        outputs: what the model returned.
        input_ids: the query's tokens, int ``[1, L]``.
        size: the photo's (H, W).
        threshold: least score of a box that counts.
    """
    import torch
    from torchvision.ops import nms

    sizes = torch.tensor([size], device=input_ids.device)
    options: dict[str, Any] = {"threshold": threshold, "target_sizes": sizes}
    if loaded.kind.model_type.endswith("grounding-dino"):
        options["input_ids"] = input_ids
    result = loaded.processor.post_process_grounded_object_detection(outputs, **options)[0]
    h, w = size
    limits = torch.tensor([w, h, w, h], dtype=torch.float32)
    boxes = result["boxes"].detach().float().cpu().clamp(min=0).minimum(limits)
    scores = result["scores"].detach().float().cpu()
    sides = boxes[:, 2:] - boxes[:, :2]
    solid = (sides >= _LEAST_PIXELS).all(1)
    boxes, scores = boxes[solid], scores[solid]
    kept = nms(boxes, scores, _OVERLAP)  # the surest first
    fractions = (boxes / limits).tolist()
    return [Detection(tuple(fractions[k]), float(scores[k])) for k in kept.tolist()]
