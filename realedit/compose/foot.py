"""Finds the foot of an object: the middle of what it stands on."""

from __future__ import annotations

import numpy as np

from realedit.location import Location

_STANDING_SHARE = 0.1
"""Lowest share of an object's height that it stands on: what is lower says where the middle of its foot is,
what is higher does not. Set by eye, on one photo."""
_CORNERS = np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
"""The corners of a pixel, (x, y) in pixels from its upper left one. Set by definition."""


def silhouette(location: Location) -> np.ndarray:
    """Returns the points of an object that tell its outline, (x, y) in fractions of the frame, ``[2, N]``.

    They are the corners of the first and the last pixel of each row. Half of the matte's highest value counts
    as the object, which is less than 1 where an object is thinner than a pixel.
    """
    height, width = location.mask.shape
    inside = location.mask >= location.mask.max() / 2
    rows = np.flatnonzero(inside.any(1))
    first, last = inside[rows].argmax(1), width - 1 - inside[rows][:, ::-1].argmax(1)
    pixels = np.stack([np.concatenate([first, last]), np.concatenate([rows, rows])])
    corners = (pixels[:, :, None] + _CORNERS[:, None]).reshape(2, -1)
    return corners / np.array([[width], [height]])


def feet(location: Location, matrix: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns an object's foot (x, y) before and after it is carried by ``matrix``, 2 x 3, of fractions."""
    height, width = location.mask.shape
    rows, columns = np.nonzero(location.mask >= location.mask.max() / 2)
    # upper and lower edges of the pixels: what is mirrored upside down stands on the upper ones
    edges = np.stack([np.tile(columns + 0.5, 2), np.concatenate([rows, rows + 1])])
    before = edges / np.array([[width], [height]])
    return _foot(before), _foot(matrix[:, :2] @ before + matrix[:, 2:])


def _foot(points: np.ndarray) -> tuple[float, float]:
    x, y = points
    low = y >= y.max() - _STANDING_SHARE * np.ptp(y)
    return float(x[low].mean()), float(y.max())
