"""Turns a rough mask into a matte: GrabCut decides which pixels are the object's, matting softens its edge.

GrabCut: Rother, Kolmogorov and Blake 2004 (OpenCV). Matting: guided filtering of the mask by the photo,
He, Sun and Tang 2010, *Guided Image Filtering* (OpenCV's ``ximgproc``).
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.masks import grow

_GRABCUT_SIDE = 384
"""Longer side in pixels of the copy that GrabCut sees: larger takes longer and follows finer edges, smaller
is coarser. Not measured."""
_GRABCUT_ITERATIONS = 6
"""Times that GrabCut fits its colours and cuts: more settle the cut and take longer, fewer keep the first
guess. Not measured."""
_LEAST_OWN = 0.51
"""Matte of the mask's pixels: smaller values are raised to it, so that lines of a pixel or two stay above the
half at which a pixel is the object's. Set by that half."""
_EDGE_A_SIDE = 512
"""A picture's longer side over the half width of the matte's soft edge, in pixels of both: higher makes edges
sharper, lower softer. Set by eye."""
_GUIDED_EPSILON = 1e-4
"""Regularisation of the guided filter in squared intensity (0..1): higher smooths the matte over the photo's
edges, lower follows its noise. Not measured."""


def grabcut(rgb: np.ndarray, sure: np.ndarray, likely: np.ndarray, possible: np.ndarray) -> np.ndarray:
    """Segments an object from three nested guesses.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        sure: bool ``[H, W]``, surely the object.
        likely: bool ``[H, W]``, probably the object.
        possible: bool ``[H, W]``, all that may be the object: pixels outside surely are not.

    Returns:
        bool ``[H, W]``; ``likely`` itself if the colours cannot tell the object from its surroundings.
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
        cv2.grabCut(
            small[..., ::-1].copy(), labels, whole, *models, _GRABCUT_ITERATIONS, cv2.GC_INIT_WITH_MASK
        )
    except cv2.error:  # no background or no foreground left to model
        return likely
    cut = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    mask = cv2.resize(cut, (w, h), interpolation=cv2.INTER_LINEAR) > 0.5
    return mask if mask.any() else likely


def matte(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Gives a mask a soft edge that follows the photo's own edges.

    The matte is 1 inside the mask and 0 outside it but for a band about its border: a pixel or two wide in
    small photos, where a camera's own blur is no wider, more in large ones.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        mask: bool ``[H, W]``.

    Returns:
        float32 ``[H, W]`` in [0, 1].
    """
    h, w = mask.shape
    radius = max(1, round(max(h, w) / _EDGE_A_SIDE))
    soft = cv2.GaussianBlur(mask.astype(np.float32), (2 * radius + 1, 2 * radius + 1), 0)
    # else a line of a pixel or two would fade below a half and be lost
    soft = np.where(mask, np.maximum(soft, _LEAST_OWN), soft).astype(np.float32)
    if radius == 1:
        return soft
    photo, guess = rgb.astype(np.float32) / 255, mask.astype(np.float32)
    guided = cv2.ximgproc.guidedFilter(photo, guess, radius, _GUIDED_EPSILON)
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=radius) > 0
    band = grow(mask, radius) & ~inner
    edge = np.clip(guided, 0, 1)
    thin = mask & ~grow(inner, 2 * radius)
    return np.where(band & ~thin, edge, soft).astype(np.float32)
