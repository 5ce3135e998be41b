"""What the user shows: an object in a mask, a box or at a point."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.edits.prepared import Shown
from realedit.errors import ObjectNotFoundError, UsageError
from realedit.location import Location
from realedit.photo import Photo
from realedit.pixels.masks import main_part
from realedit.pixels.matting import grabcut, matte
from realedit.pixels.unit import unit_of

_NOTHING = 0.02
"""Share of a pixel in a user's mask up to which it is not the object's, or all of it."""


def from_mask(rgb: np.ndarray, mask: np.ndarray, word: str | None = None) -> Location:
    """The user's own mask, ``[H, W]`` of any numeric type; as it is when its edges are soft, else softened.

    Raises:
        UsageError: its size is not the photo's, or nothing (or everything) is in it.
    """
    if mask.shape[:2] != rgb.shape[:2]:
        raise UsageError(
            f"the mask is {mask.shape[1]} x {mask.shape[0]} but the photo is {rgb.shape[1]} x {rgb.shape[0]}",
            "draw it at the photo's size",
        )
    grey = mask if mask.ndim == 2 else mask[..., :3].max(-1)
    alpha = grey.astype(np.float32) / (255.0 if grey.dtype == np.uint8 and grey.max() > 1 else 1.0)
    hard = alpha > 0.5
    if not hard.any() or hard.all():
        raise UsageError(
            "the mask selects " + ("everything" if hard.all() else "nothing"),
            "paint the object white on black",
        )
    # a network's mask is nowhere quite 0: all of the photo would count as the object
    snapped = np.where(alpha < _NOTHING, 0, np.where(alpha > 1 - _NOTHING, 1, alpha)).astype(np.float32)
    soft = snapped if ((snapped > 0) & (snapped < 1)).any() else matte(rgb, hard)
    return Location(word, soft.clip(0, 1), hard.astype(np.float32), 1.0, "mask")


def from_box(rgb: np.ndarray, box: tuple[float, float, float, float], word: str | None = None) -> Location:
    """The object inside a box (x0, y0, x1, y1) in [0, 1], cut out by GrabCut.

    Raises:
        UsageError: the box is not one, or is not in the frame.
    """
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise UsageError(f"a box is x0,y0,x1,y1 with 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1, got {box}")
    h, w = rgb.shape[:2]
    inside = np.zeros((h, w), bool)
    top, left = round(y0 * h), round(x0 * w)
    inside[top : max(round(y1 * h), top + 2), left : max(round(x1 * w), left + 2)] = True
    mask = grabcut(rgb, np.zeros_like(inside), inside, inside) & inside
    if mask.sum() < 0.05 * inside.sum():  # GrabCut found no object in it: the box itself is what was meant
        mask = inside
    heat = inside.astype(np.float32)
    return Location(word, matte(rgb, main_part(mask, heat)), heat, 1.0, "box")


def from_point(rgb: np.ndarray, point: tuple[float, float], word: str | None = None) -> Location:
    """The object under a point (x, y) in [0, 1]: what is of its colours and about it, settled by GrabCut.

    Raises:
        UsageError: the point is not in the frame.
        ObjectNotFoundError: nothing there stands out from its surroundings.
    """
    x, y = point
    if not (0 <= x < 1 and 0 <= y < 1):
        raise UsageError(f"a point is x,y with both in [0, 1), got {point}")
    h, w = rgb.shape[:2]
    rows, columns = np.mgrid[:h, :w]
    distance = np.hypot(columns - x * w, rows - y * h) / max(h, w)
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), unit_of((h, w))), cv2.COLOR_RGB2Lab).astype(np.float32)
    near = distance < 0.02
    alike = np.linalg.norm(lab - np.median(lab[near], axis=0), axis=-1) < 30
    likely = near | (main_part(alike | near, near.astype(np.float32)) & (distance < 0.25))
    mask = main_part(grabcut(rgb, near, likely, distance < 0.3), near.astype(np.float32))
    if not (mask & near).any() or mask.mean() > 0.2 or likely.mean() > 0.2:
        raise ObjectNotFoundError(
            f"nothing at {x:.2f},{y:.2f} stands out from its surroundings", "draw a --box or give a --mask"
        )
    return Location(word, matte(rgb, mask), near.astype(np.float32), 1.0, "point")


def shown_location(photo: Photo, shown: Shown, word: str | None) -> Location | None:
    """The object in the user's own mask, box or point; None where none of them is given.

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
