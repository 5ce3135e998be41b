"""From a word to an object with a detector, a segmenter or both, in place of the model's own attention."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from realedit.errors import ObjectNotFoundError, UsageError
from realedit.external.detector import Detection, Detector
from realedit.external.segmenter import BoxSegmenter, WordSegmenter, load_segmenter
from realedit.find import which_one
from realedit.find.by_hand import from_box, from_mask
from realedit.find.by_heat import from_heat
from realedit.location import Location
from realedit.pixels.masks import main_part
from realedit.prompts import split

if TYPE_CHECKING:
    import torch

FOUND = 0.3
"""Least peak of CLIPSeg's heat that counts as having found the word. Not yet tuned on photos."""


class DetectorFinder:
    """Finds words in photos with models other than the one that edits.

    A detector alone gives a box, in which GrabCut finds the object. CLIPSeg alone gives heat, refined as
    attention is. A detector with SAM: SAM cuts out what is in the box. A detector with CLIPSeg: its heat
    inside the box. SAM alone does not know words.

    Args:
        detector: folder or hub id of an OWL-ViT, OWLv2, Grounding DINO or MM-Grounding-DINO; None for none.
        segmenter: folder or hub id of a CLIPSeg, SAM, HQ-SAM or SAM 2; None for none.
        device: a torch device.
        offline: never use the network; None follows HF_HUB_OFFLINE.

    Raises:
        UsageError: neither is given, SAM without a detector, a model of another kind, or no such device.
        ModelUnavailableError: a model is not here and not to be had, damaged, pickled, or in need of code of
            its own.
        MemoryLimitError: a model does not fit.
    """

    def __init__(
        self,
        detector: str | Path | None = None,
        segmenter: str | Path | None = None,
        device: str | torch.device = "cpu",
        offline: bool | None = None,
    ) -> None:
        if detector is None and segmenter is None:
            raise UsageError("nothing to find objects with", "give a --detector, a --segmenter or both")
        self.detector = None if detector is None else Detector(detector, device, offline)
        self.segmenter = None if segmenter is None else load_segmenter(segmenter, device, offline)
        if self.detector is None and isinstance(self.segmenter, BoxSegmenter):
            raise UsageError(
                f"{self.segmenter.loaded.label} cuts out what is in a box and does not know words",
                "add a --detector, or use a CLIPSeg as --segmenter",
            )

    def find(self, rgb: np.ndarray, word: str) -> Location:
        """The object that a word names in a photo.

        "left mug" names the left one of several; see :mod:`realedit.find.which_one`.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            word: the object's words.

        Returns:
            Its location; ``source`` is "word", ``score`` the detector's, or the heat's peak where there is no
            detector.

        Raises:
            ObjectNotFoundError: the models do not see it.
            NumericalError: a model produced NaN.
            MemoryLimitError: the machine's memory is used up.
        """
        which, noun = split(word)
        if self.detector is None:
            if not isinstance(self.segmenter, WordSegmenter):
                raise UsageError("nothing to find words with", "give a --detector")
            return by_heat(self.segmenter, rgb, word)
        found = self.detector.detect(rgb, noun)
        meant = found[0] if which is None else found[pick(found, which, rgb.shape[:2])]
        if self.segmenter is None:
            location = from_box(rgb, meant.box, word)
        elif isinstance(self.segmenter, BoxSegmenter):
            location = cut_out(self.segmenter, rgb, word, meant)
        else:
            heat = inside_box(self.segmenter.heat(rgb, noun), meant.box)
            location = from_heat(rgb, _risen(self.segmenter, heat, noun), word, meant.score)
        return replace(location, score=meant.score, source="word")


def by_heat(segmenter: WordSegmenter, rgb: np.ndarray, word: str) -> Location:
    """The object that a word names, by CLIPSeg alone.

    Args:
        segmenter: CLIPSeg.
        rgb: uint8 ``[H, W, 3]``.
        word: the object's words, "left mug" and the like included.

    Raises:
        ObjectNotFoundError: the heat stays below :data:`FOUND`.
    """
    which, noun = split(word)
    heat = segmenter.heat(rgb, noun)
    score = float(heat.max())
    heat = _risen(segmenter, heat, noun)
    others: list[np.ndarray] = []
    if which is not None:
        heat, namesakes = which_one.chosen(heat, which)
        others.append(namesakes)
        heat = heat / max(float(heat.max()), 1e-9)
    return from_heat(rgb, heat, word, score, others)


def cut_out(segmenter: BoxSegmenter, rgb: np.ndarray, word: str, meant: Detection) -> Location:
    """The object in a detection's box, by SAM: of what it cuts out, the part that most lies in the box.

    Args:
        segmenter: SAM.
        rgb: uint8 ``[H, W, 3]``.
        word: the object's words.
        meant: what the detector saw.

    Raises:
        ObjectNotFoundError: SAM cuts out nothing in the box, or the whole photo.
    """
    mask = segmenter.mask(rgb, meant.box)
    part = main_part(mask, inside_box(mask.astype(np.float32), meant.box))
    if mask.all() or not inside_box(part.astype(np.float32), meant.box).any():
        what = "the whole photo" if mask.all() else "nothing"
        raise ObjectNotFoundError(
            f"{segmenter.loaded.label} cut {what} out of the box of {word!r}",
            "leave the --segmenter out, or show the object with --point, --box or --mask",
        )
    return from_mask(rgb, part.astype(np.float32), word)


def pick(found: list[Detection], which: str, size: tuple[int, int]) -> int:
    """Which of several detections is meant, by the same rules as among places of an attention map.

    Args:
        found: at least one.
        which: "left", "biggest", ...: the first of what :func:`realedit.prompts.split` returns.
        size: the photo's (H, W).
    """
    whole = np.ones(size, np.float32)
    return which_one.pick([inside_box(whole, one.box) > 0 for one in found], which)


def inside_box(heat: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """A map ``[h, w]`` of the photo with zero wherever it is not in a box, (x0, y0, x1, y1) in [0, 1].

    At least one place is in the box, however coarse the map is.
    """
    h, w = heat.shape
    x0, y0, x1, y1 = (round(side * of) for side, of in zip(box, (w, h, w, h), strict=True))
    left, top = min(x0, w - 1), min(y0, h - 1)
    place = np.s_[top : max(y1, top + 1), left : max(x1, left + 1)]
    out = np.zeros_like(heat)
    out[place] = heat[place]
    return out


def _risen(segmenter: WordSegmenter, heat: np.ndarray, noun: str) -> np.ndarray:
    """The heat as a share of its peak, when that is high enough."""
    peak = float(heat.max())
    if peak < FOUND:
        raise ObjectNotFoundError(
            f"no {noun!r} found in the photo: {segmenter.loaded.label} saw none (heat {peak:.3f}, needs "
            f"{FOUND})",
            "use another word or --segmenter, or show the object with --point, --box or --mask",
        )
    return (heat / peak).astype(np.float32)
