"""Compares where the object is: centroid, size and overlap of masks."""

from __future__ import annotations

import math

import numpy as np

from realedit.bench.regions import centroid

NEAR = 0.02
"""Centroid error, a fraction of the width: up to it an object is where it was asked for, above it is not. Not
measured."""


def centroid_error(mask: np.ndarray, truth: np.ndarray) -> float:
    r"""Measures the distance of two masks' centres of mass, a fraction of the width; 0 is right.

    :math:`\sqrt{\Delta x^2 + (\Delta y\, h / w)^2}` with x and y in fractions of width and height.

    Args:
        mask: bool or float ``[H, W]``, not empty.
        truth: the same.
    """
    h, w = truth.shape
    (x0, y0), (x1, y1) = centroid(mask), centroid(truth)
    return math.hypot(x1 - x0, (y1 - y0) * h / w)


def size_ratio(mask: np.ndarray, truth: np.ndarray) -> float:
    """Returns the square root of the areas' ratio, a ratio of lengths; 1 is right, more is too large.

    Args:
        mask: bool or float ``[H, W]``.
        truth: the same, not empty.
    """
    return math.sqrt(float(mask.sum()) / float(truth.sum()))


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Returns intersection over union of two bool masks ``[H, W]``, not both empty; 0 to 1, 1 is right."""
    return float((mask & truth).sum() / (mask | truth).sum())
