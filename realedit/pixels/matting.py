"""From a rough mask to a matte: GrabCut settles which pixels are the object's, matting its soft edge.

GrabCut: Rother, Kolmogorov and Blake 2004 (OpenCV). Matting: guided filtering of the mask by the photo,
He, Sun and Tang 2010, *Guided Image Filtering* (OpenCV's ``ximgproc``).
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.masks import grow

_GRABCUT_SIDE = 384
"""Longer side of the picture that GrabCut sees: it knows colours, not edges, and is slow on large ones."""
_OWN = 0.51
"""Least matte of what a mask says is the object's: above the half that makes it so."""


def grabcut(rgb: np.ndarray, sure: np.ndarray, likely: np.ndarray, possible: np.ndarray) -> np.ndarray:
    """Segment an object from three nested guesses at it.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        sure: bool ``[H, W]``, surely the object.
        likely: bool ``[H, W]``, probably the object.
        possible: bool ``[H, W]``, what lies outside is surely not the object.

    Returns:
        bool ``[H, W]``; ``likely`` itself where the colours do not tell the object from its surroundings.
    """
    h, w = likely.shape
    factor = min(1.0, _GRABCUT_SIDE / max(h, w))
    size = (max(1, round(w * factor)), max(1, round(h * factor)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    labels = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    for where, label in ((possible, cv2.GC_PR_BGD), (likely, cv2.GC_PR_FGD), (sure & likely, cv2.GC_FGD)):
        labels[cv2.resize(where.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0] = label
    cv2.setRNGSeed(0)  # its colour models start from a randomised clustering
    try:
        models = np.zeros((1, 65)), np.zeros((1, 65))
        whole = (0, 0, *size)  # unused: the labels are given
        cv2.grabCut(small[..., ::-1].copy(), labels, whole, *models, 6, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # no background or no foreground left to model
        return likely
    cut = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.float32)
    mask = cv2.resize(cut, (w, h), interpolation=cv2.INTER_LINEAR) > 0.5
    return mask if mask.any() else likely


def matte(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Soft edge of a mask that follows the photo's own edges; float32 ``[H, W]`` in [0, 1].

    Full inside the mask and zero outside it, but for a band about its border: a pixel or two in small photos,
    where a camera's own blur is no wider, more in large ones.
    """
    h, w = mask.shape
    radius = max(1, round(max(h, w) / 512))
    soft = cv2.GaussianBlur(mask.astype(np.float32), (2 * radius + 1, 2 * radius + 1), 0)
    # a line of a pixel or two would fade to half and be none of the object
    soft = np.where(mask, np.maximum(soft, _OWN), soft).astype(np.float32)
    if radius == 1:
        return soft
    guided = cv2.ximgproc.guidedFilter(rgb.astype(np.float32) / 255, mask.astype(np.float32), radius, 1e-4)
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=radius) > 0
    band = grow(mask, radius) & ~inner
    edge = np.clip(guided, 0, 1)
    thin = mask & ~grow(inner, 2 * radius)
    return np.where(band & ~thin, edge, soft).astype(np.float32)
