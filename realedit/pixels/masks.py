"""Morphology of bool masks ``[H, W]``: grown, shrunk, and their connected parts."""

from __future__ import annotations

import cv2
import numpy as np


def disk(radius: float) -> np.ndarray:
    """A round structuring element."""
    side = 2 * max(0, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def grow(mask: np.ndarray, radius: float) -> np.ndarray:
    """A bool mask dilated by a disk.

    By distances: the time of OpenCV's dilation goes with the disk's area, minutes in a phone's photo.
    """
    return _distance(mask) <= max(0, round(radius))


def shrink(mask: np.ndarray, radius: float) -> np.ndarray:
    """A bool mask eroded by a disk; the frame's border is no edge of it."""
    return _distance(~mask) > max(0, round(radius))


def _distance(mask: np.ndarray) -> np.ndarray:
    """To the mask's nearest pixel, in pixels, float32 ``[H, W]``; infinite where it has none."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def connected(candidates: np.ndarray, touching: np.ndarray) -> np.ndarray:
    """The connected parts of ``candidates`` that reach into ``touching``."""
    _, labels = cv2.connectedComponents(candidates.astype(np.uint8))
    kept = np.unique(labels[touching & candidates])
    return np.isin(labels, kept[kept > 0])


def main_part(mask: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The connected part of a bool mask that holds most of ``weight``; the mask itself when it is empty."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    if count < 2:
        return mask
    held = np.bincount(labels.ravel(), weights=weight.ravel(), minlength=count)
    return labels == 1 + int(np.argmax(held[1:]))
