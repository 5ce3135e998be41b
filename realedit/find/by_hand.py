"""Finds what the user shows: the object in a mask, in a box or at a point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from realedit.cutout.cutout import Answer
from realedit.cutout.hints import Hint
from realedit.edits.prepared import Shown
from realedit.find.by_cutout import Cutter
from realedit.find.refined import refined
from realedit.location import Location
from realedit.photo import Photo
from realedit.pixels.matting import matte

_EMPTY_ALPHA = 0.02
"""Share of a pixel that a mask gives the object: less counts as nothing, more than 1 minus it as all of the
pixel, what is between stays soft. Not measured; a network's mask is nowhere quite 0."""


def from_mask(rgb: np.ndarray, alpha: np.ndarray, word: str | None = None) -> Location:
    """Returns the object of a matte, as :func:`realedit.photo.inputs.as_mask` checks it.

    A matte with soft edges is kept as it is; a hard mask gets the soft edges that the photo's pixels show.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        alpha: float ``[H, W]`` in [0, 1], above 0.5 somewhere and not everywhere.
        word: the object's words.
    """
    alpha = alpha.astype(np.float32)
    hard = alpha > 0.5
    near_0, near_1 = alpha < _EMPTY_ALPHA, alpha > 1 - _EMPTY_ALPHA
    snapped = np.where(near_0, 0, np.where(near_1, 1, alpha)).astype(np.float32)
    soft = snapped if ((snapped > 0) & (snapped < 1)).any() else matte(rgb, hard)
    return Location(word, soft.clip(0, 1), hard.astype(np.float32), 1.0, "mask")


def _from_mask(
    cutter: Cutter, rgb: np.ndarray, mask: np.ndarray, word: str | None, *, refine: bool | None
) -> Location:
    """Returns the object of the user's mask, its edge brought to the photo's where the mask is rough."""

    def cut_out(rough: np.ndarray) -> Answer:
        return cutter.cutout.answers(rgb, Hint(mask=rough), most=1)[0]

    edge = refined(rgb, mask, cut_out, wanted=refine)
    found = from_mask(rgb, edge.alpha, word)
    return found if edge.note is None else replace(found, warning=edge.note)


def shown_location(cutter: Cutter, photo: Photo, shown: Shown, word: str | None) -> Location | None:
    """Returns the object in the user's own mask, or that a box and points show; None where none is given.

    Args:
        cutter: cuts out what is in a box or at points.
        photo: the photo.
        shown: what the user shows.
        word: the object's words.

    Raises:
        ObjectNotFoundError: nothing at the points stands out.
        UsageError: the box or a point does not lie in the photo.
    """
    if shown.mask is not None:
        return _from_mask(cutter, photo.rgb, shown.mask, word, refine=shown.refine)
    if shown.points or shown.not_points:
        return cutter.by_points(photo.rgb, shown.points, beside=shown.not_points, box=shown.box, word=word)
    return None if shown.box is None else cutter.by_box(photo.rgb, shown.box, word)
