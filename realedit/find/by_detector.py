"""Finds a word's object by a detector, a segmenter or both, in place of the model's own attention."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from realedit.errors import ObjectNotFoundError, UsageError
from realedit.external.detector import Detection, Detector
from realedit.external.segmenter import BoxSegmenter, WordSegmenter, load_segmenter
from realedit.find import which_one
from realedit.find.by_cutout import Cutter
from realedit.find.by_hand import from_mask
from realedit.find.by_heat import from_heat
from realedit.location import Box, Location
from realedit.pixels.masks import main_part
from realedit.prompts import split

if TYPE_CHECKING:
    import torch

LEAST_HEAT = 0.3
"""Peak of CLIPSeg's heat in [0, 1]: below it the word is not found, at or above it is. Not measured."""


class DetectorFinder:
    """Finds words in photos with models other than the one that edits.

    ==============  ==================================================
    models          how the object is found
    ==============  ==================================================
    detector        it is cut out of the detector's box
    CLIPSeg         its heat is refined on the pixels, as attention is
    detector, SAM   SAM cuts it out of the detector's box
    detector,       CLIPSeg's heat inside the detector's box is
    CLIPSeg         refined on the pixels
    SAM             refused: SAM does not know words
    ==============  ==================================================

    Args:
        detector: folder or hub id of an OWL-ViT, OWLv2, Grounding DINO or MM-Grounding-DINO; None for none.
        segmenter: folder or hub id of a CLIPSeg, SAM, HQ-SAM or SAM 2; None for none.
        device: a torch device.
        offline: never use the network; None follows HF_HUB_OFFLINE.
        cutter: cuts out of boxes; by default one of its own.

    Raises:
        UsageError: neither is given, SAM without a detector, a model of another kind, or no such device.
        ModelUnavailableError: a model is not here and cannot be fetched, is damaged or pickled, or needs code
            of its own.
        MemoryLimitError: a model does not fit into memory.
    """

    def __init__(
        self,
        detector: str | Path | None = None,
        segmenter: str | Path | None = None,
        device: str | torch.device = "cpu",
        offline: bool | None = None,
        *,
        cutter: Cutter | None = None,
    ) -> None:
        if detector is None and segmenter is None:
            raise UsageError("nothing to find objects with", "give a --detector, a --segmenter or both")
        self.cutter = cutter or Cutter()
        self.detector = None if detector is None else Detector(detector, device, offline)
        self.segmenter = None if segmenter is None else load_segmenter(segmenter, device, offline)
        if self.detector is None and isinstance(self.segmenter, BoxSegmenter):
            raise UsageError(
                f"{self.segmenter.loaded.label} cuts out what is in a box and does not know words",
                "add a --detector, or use a CLIPSeg as --segmenter",
            )

    def find(self, rgb: np.ndarray, word: str) -> Location:
        """Finds the object that a word names in a photo.

        "left mug" names the left one of several; see :mod:`realedit.find.which_one`.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            word: the object's words.

        Returns:
            Its location; ``source`` is "word", ``score`` the detector's, or the heat's peak without a
            detector, in [0, 1].

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
        h, w = rgb.shape[:2]
        meant = found[0] if which is None else found[pick(found, which, (h, w))]
        if self.segmenter is None:
            location = self.cutter.by_box(rgb, meant.box, word)
        elif isinstance(self.segmenter, BoxSegmenter):
            location = cut_out(self.segmenter, rgb, word, meant)
        else:
            heat = inside_box(self.segmenter.heat(rgb, noun), meant.box)
            location = from_heat(rgb, _of_peak(self.segmenter, heat, noun), word, meant.score)
        return replace(location, score=meant.score, source="word")


def by_heat(segmenter: WordSegmenter, rgb: np.ndarray, word: str) -> Location:
    """Finds the object that a word names, by CLIPSeg alone.

    Args:
        segmenter: CLIPSeg.
        rgb: uint8 ``[H, W, 3]``.
        word: the object's words, "left mug" and the like included.

    Raises:
        ObjectNotFoundError: the heat stays below :data:`LEAST_HEAT`.
    """
    which, noun = split(word)
    heat = segmenter.heat(rgb, noun)
    score = float(heat.max())
    heat = _of_peak(segmenter, heat, noun)
    others: list[np.ndarray] = []
    if which is not None:
        heat, namesakes = which_one.chosen(heat, which)
        others.append(namesakes)
        heat = heat / max(float(heat.max()), 1e-9)
    return from_heat(rgb, heat, word, score, others=others)


def cut_out(segmenter: BoxSegmenter, rgb: np.ndarray, word: str, meant: Detection) -> Location:
    """Cuts out the object in a detection's box by SAM: the connected part that lies most in the box.

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
            f"{word!r} is in the photo, but could not be cut out: {segmenter.loaded.label} outlined {what}",
            "leave the --segmenter out, or show the object with --point, --box or --mask",
            detail=f"box {meant.box}, score {meant.score:.3f}",
        )
    return from_mask(rgb, part.astype(np.float32), word)


def pick(found: list[Detection], which: str, size: tuple[int, int]) -> int:
    """Returns the index of the detection that is meant, by the same rules as for an attention map.

    Args:
        found: at least one.
        which: "left", "biggest" and the like, as :func:`realedit.prompts.split` returns it.
        size: the photo's (H, W).
    """
    whole = np.ones(size, np.float32)
    return which_one.pick([inside_box(whole, one.box) > 0 for one in found], which)


def inside_box(heat: np.ndarray, box: Box) -> np.ndarray:
    """Returns a copy of a map ``[h, w]`` that is 0 outside a box (x0, y0, x1, y1) in [0, 1].

    The box holds at least one cell, however coarse the map is.
    """
    h, w = heat.shape
    x0, y0, x1, y1 = (round(side * of) for side, of in zip(box, (w, h, w, h), strict=True))
    left, top = min(x0, w - 1), min(y0, h - 1)
    place = np.s_[top : max(y1, top + 1), left : max(x1, left + 1)]
    out = np.zeros_like(heat)
    out[place] = heat[place]
    return out


def _of_peak(segmenter: WordSegmenter, heat: np.ndarray, noun: str) -> np.ndarray:
    """Returns the heat as a share of its peak.

    Raises:
        ObjectNotFoundError: the peak is below :data:`LEAST_HEAT`.
    """
    peak = float(heat.max())
    if peak < LEAST_HEAT:
        raise ObjectNotFoundError(
            f"no {noun!r} found in the photo: {segmenter.loaded.label} saw none",
            "use another word or --segmenter, or show the object with --point, --box or --mask",
            detail=f"heat {peak:.3f}, needs {LEAST_HEAT}",
        )
    return (heat / peak).astype(np.float32)
