"""Morphology of bool masks ``[H, W]``: dilation, erosion, connected parts."""

from __future__ import annotations

import cv2
import numpy as np


def disk(radius: float) -> np.ndarray:
    """Returns a round structuring element, uint8, of a radius in pixels."""
    side = 2 * max(0, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def grow(mask: np.ndarray, radius: float) -> np.ndarray:
    """Dilates a mask by a disk of a radius in pixels.

    It goes by distances: the time of OpenCV's dilation grows with the disk's area, to minutes in a phone's
    photo.
    """
    return _distance(mask) <= max(0, round(radius))


def shrink(mask: np.ndarray, radius: float) -> np.ndarray:
    """Erodes a mask by a disk of a radius in pixels; the frame's border does not count as the mask's edge."""
    return _distance(~mask) > max(0, round(radius))


def _distance(mask: np.ndarray) -> np.ndarray:
    """Returns each pixel's distance to the mask in pixels, float32; infinite if the mask is empty."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def connected(candidates: np.ndarray, touching: np.ndarray) -> np.ndarray:
    """Returns the connected parts of ``candidates`` that overlap ``touching``."""
    _, labels = cv2.connectedComponents(candidates.astype(np.uint8))
    kept = np.unique(labels[touching & candidates])
    return np.isin(labels, kept[kept > 0])


def main_part(mask: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Returns the connected part of a mask with most of ``weight`` ``[H, W]``; an empty mask as it is."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    if count < 2:
        return mask
    held = np.bincount(labels.ravel(), weights=weight.ravel(), minlength=count)
    return labels == 1 + int(np.argmax(held[1:]))
