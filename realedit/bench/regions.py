"""Regions that figures are taken over: the whole picture, the object, the hole it left, the background.

**Convention:** ``object`` is where the object is after the edit (the truth's mask; without one, the mask
moved as the case asks, or where it was for an edit that leaves it in place), ``hole`` what it covered before
and no longer does, ``background`` the rest: the three cover the picture without overlap.
"""

from __future__ import annotations

import cv2
import numpy as np

from guidance import Transform
from realedit.bench.case import LoadedCase
from realedit.bench.edit_spec import GEOMETRIC, EditSpec
from realedit.location import Location

WHOLE, OBJECT, HOLE, BACKGROUND = "whole", "object", "hole", "background"
REGIONS = (WHOLE, OBJECT, HOLE, BACKGROUND)


def regions(loaded: LoadedCase) -> dict[str, np.ndarray]:
    """Returns bool masks ``[H, W]`` of a case's regions; only ``whole`` where the case has no mask."""
    h, w = loaded.photo.shape[:2]
    found = {WHOLE: np.ones((h, w), bool)}
    if loaded.mask is None:
        return found
    if loaded.case.edit.kind == "text":  # the mask shows where the picture may change, not an object
        return found | _filled({BACKGROUND: ~loaded.mask})
    after = object_after(loaded)
    there = np.zeros((h, w), bool) if after is None else after
    return found | _filled({OBJECT: there, HOLE: loaded.mask & ~there, BACKGROUND: ~(loaded.mask | there)})


def object_after(loaded: LoadedCase) -> np.ndarray | None:
    """Returns where the object is after the edit, bool ``[H, W]``; None where it is gone or not known."""
    edit = loaded.case.edit
    if edit.kind == "remove":
        return None
    if loaded.truth_mask is not None and loaded.truth_mask.any():
        return loaded.truth_mask
    if loaded.mask is None:
        return None
    if edit.kind in GEOMETRIC:
        return warp_image(loaded.mask.astype(np.float32), transform_of(edit, loaded.mask)) > 0.5
    return loaded.mask


def transform_of(edit: EditSpec, mask: np.ndarray) -> Transform:
    """Returns what a geometric edit does to the object of a bool mask ``[H, W]``, about its centroid."""
    return Transform(edit.dx, edit.dy, edit.scale, edit.angle, centre=centroid(mask))


def centroid(mask: np.ndarray) -> tuple[float, float]:
    """Returns (x, y) of a mask's centre of mass, as fractions of the width and the height."""
    soft = mask.astype(np.float32)
    return Location(None, soft, soft, 1.0, "mask").centroid


def warp_image(image: np.ndarray, transform: Transform) -> np.ndarray:
    """Moves a float picture ``[H, W]`` or ``[H, W, 3]`` bicubically; 0 enters over the border."""
    h, w = image.shape[:2]
    (a, b, c), (d, e, f) = transform.matrix(w / h)
    # from fractions of the frame to pixel centres: p = (u + 1/2) / size
    matrix = np.array(
        [
            [a, b * w / h, a * 0.5 + b * w / h * 0.5 + c * w - 0.5],
            [d * h / w, e, d * h / w * 0.5 + e * 0.5 + f * h - 0.5],
        ]
    )
    return cv2.warpAffine(np.ascontiguousarray(image, np.float32), matrix, (w, h), flags=cv2.INTER_CUBIC)


def _filled(masks: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: mask for name, mask in masks.items() if mask.any()}
