"""The edit in pixels that most peers start from: the hole inpainted, the object's pixels put at their place.

The true mask is given, softened by a pixel as a matte would be.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realedit.bench.case import LoadedCase
from realedit.bench.edit_spec import GEOMETRIC
from realedit.bench.regions import transform_of, warp_image
from realedit.errors import UsageError
from realedit.pixels.unit import unit_of

TELEA, NAVIER_STOKES = cv2.INPAINT_TELEA, cv2.INPAINT_NS
FILLS = {"telea": TELEA, "ns": NAVIER_STOKES}
"""The classical fills by the names that settings have for them."""


@dataclass(frozen=True)
class Pasted:
    """The pasted picture and its parts.

    Args:
        picture: uint8 ``[H, W, 3]``.
        behind: the photo without the object, uint8 ``[H, W, 3]``.
        front: the moved object on black, float32 ``[H, W, 3]``.
        alpha: its matte, float32 ``[H, W]`` in [0, 1].
        hole: what was inpainted, bool ``[H, W]``.
        after: the object at its new place, bool ``[H, W]``; empty after a removal.
    """

    picture: np.ndarray
    behind: np.ndarray
    front: np.ndarray
    alpha: np.ndarray
    hole: np.ndarray
    after: np.ndarray


def paste(loaded: LoadedCase, algorithm: int = TELEA, *, margin: int = 4, radius: float = 5.0) -> Pasted:
    """Inpaints what the object covered and puts the object at its new place.

    Args:
        loaded: a case with a mask, of a geometric edit or a removal.
        algorithm: OpenCV's, Telea 2004 or Bertalmio et al. 2001 (Navier-Stokes).
        margin: how far the hole reaches beyond the mask, in 1/256 of the longer side.
        radius: the algorithm's neighbourhood, in the same unit.
    """
    if loaded.mask is None:
        raise UsageError(f"case {loaded.case.id} has no mask")
    unit = unit_of(loaded.photo.shape)
    hole = grown(loaded.mask, margin * unit)
    behind = cv2.inpaint(loaded.photo, hole.astype(np.uint8), radius * unit, algorithm)
    if loaded.case.edit.kind not in GEOMETRIC:
        nothing = np.zeros(hole.shape, np.float32)
        return Pasted(behind, behind, np.zeros(behind.shape, np.float32), nothing, hole, nothing > 0.5)
    move = transform_of(loaded.case.edit, loaded.mask)
    soft = cv2.GaussianBlur(loaded.mask.astype(np.float32), (3, 3), 0)
    alpha = warp_image(soft, move).clip(0, 1)
    front = warp_image(loaded.photo.astype(np.float32), move).clip(0, 255)
    mixed = behind * (1 - alpha[..., None]) + front * alpha[..., None]
    return Pasted(mixed.clip(0, 255).round().astype(np.uint8), behind, front, alpha, hole, alpha > 0.5)


def grown(mask: np.ndarray, radius: float) -> np.ndarray:
    """Dilates a bool mask ``[H, W]`` by a disc."""
    reach = max(1, round(radius))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0


def feathered(mask: np.ndarray, radius: float) -> np.ndarray:
    """Turns a bool mask into alpha, float32 ``[H, W]``: 1 inside, 0 from ``radius`` pixels outside."""
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.clip(1 - distance / max(radius, 1.0), 0, 1).astype(np.float32)


def composited(photo: np.ndarray, picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lays a picture over a photo, uint8 ``[H, W, 3]``; the photo's own pixels where alpha is 0."""
    mixed = photo * (1 - alpha[..., None]) + picture.astype(np.float32) * alpha[..., None]
    return np.where(alpha[..., None] > 0, mixed.clip(0, 255).round(), photo).astype(np.uint8)
