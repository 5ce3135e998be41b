"""Finds what the user shows: the object in a mask, in a box or at a point."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.edits.prepared import Shown
from realedit.errors import ObjectNotFoundError, UsageError
from realedit.location import Box, Location
from realedit.photo import Photo
from realedit.pixels.masks import main_part
from realedit.pixels.matting import grabcut, matte
from realedit.pixels.unit import unit_of

_EMPTY_ALPHA = 0.02
"""Share of a pixel that a mask gives the object: less counts as nothing, more than 1 minus it as all of the
pixel, what is between stays soft. Not measured; a network's mask is nowhere quite 0."""
_LEAST_BOX_SHARE = 0.05
"""Share of a box that GrabCut takes for the object: below it the box itself is taken, above it the cut. Not
measured."""
_POINT_SIDES = 0.02
"""Distance from a point, in longer sides: pixels nearer are surely the object's, farther ones by colour. Not
measured."""
_LIKELY_SIDES = 0.25
"""Distance from a point, in longer sides: pixels of its colours are probably the object's if nearer, never if
farther. Not measured."""
_POSSIBLE_SIDES = 0.3
"""Distance from a point, in longer sides: the object lies nearer, nothing farther is its own. Not
measured."""
_ALIKE_LAB = 30
"""Distance in OpenCV's 8-bit CIELAB from the colour at a point: pixels below it are alike, others are not.
Not measured."""
_MOST_POINT_SHARE = 0.2
"""Share of the photo under a point: what covers more is no object but a surface, and refused. Not
measured."""


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


def from_box(rgb: np.ndarray, box: Box, word: str | None = None) -> Location:
    """Cuts out the object inside a box (x0, y0, x1, y1) in [0, 1] by GrabCut.

    Raises:
        UsageError: the box is empty, or reaches out of the photo.
    """
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise UsageError(f"a box is x0,y0,x1,y1 with 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1, got {box}")
    h, w = rgb.shape[:2]
    inside = np.zeros((h, w), bool)
    top, left = round(y0 * h), round(x0 * w)
    inside[top : max(round(y1 * h), top + 2), left : max(round(x1 * w), left + 2)] = True
    mask = grabcut(rgb, np.zeros_like(inside), inside, inside) & inside
    if mask.sum() < _LEAST_BOX_SHARE * inside.sum():
        mask = inside  # GrabCut found no object in it: the box itself is what was meant
    heat = inside.astype(np.float32)
    return Location(word, matte(rgb, main_part(mask, heat)), heat, 1.0, "box")


def from_point(rgb: np.ndarray, point: tuple[float, float], word: str | None = None) -> Location:
    """Cuts out the object under a point (x, y) in [0, 1) by GrabCut, from the colours at the point.

    Raises:
        UsageError: the point is not in the photo.
        ObjectNotFoundError: nothing there stands out from its surroundings.
    """
    x, y = point
    if not (0 <= x < 1 and 0 <= y < 1):
        raise UsageError(f"a point is x,y with both in [0, 1), got {point}")
    h, w = rgb.shape[:2]
    rows, columns = np.mgrid[:h, :w]
    distance = np.hypot(columns - x * w, rows - y * h) / max(h, w)
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), unit_of((h, w))), cv2.COLOR_RGB2Lab).astype(np.float32)
    near = distance < _POINT_SIDES
    alike = np.linalg.norm(lab - np.median(lab[near], axis=0), axis=-1) < _ALIKE_LAB
    likely = near | (main_part(alike | near, near.astype(np.float32)) & (distance < _LIKELY_SIDES))
    mask = main_part(grabcut(rgb, near, likely, distance < _POSSIBLE_SIDES), near.astype(np.float32))
    most = _MOST_POINT_SHARE
    if not (mask & near).any() or mask.mean() > most or likely.mean() > most:
        raise ObjectNotFoundError(
            f"nothing at {x:.2f},{y:.2f} stands out from its surroundings", "draw a --box or give a --mask"
        )
    return Location(word, matte(rgb, mask), near.astype(np.float32), 1.0, "point")


def shown_location(photo: Photo, shown: Shown, word: str | None) -> Location | None:
    """Returns the object in the user's own mask, box or point; None where none of them is given.

    Raises:
        ObjectNotFoundError: nothing at the point stands out.
        UsageError: the box or the point does not lie in the photo.
    """
    if shown.mask is not None:
        return from_mask(photo.rgb, shown.mask, word)
    if shown.box is not None:
        return from_box(photo.rgb, shown.box, word)
    if shown.point is not None:
        return from_point(photo.rgb, shown.point, word)
    return None
