"""Rounds pictures to whole levels without copies of their size."""

from __future__ import annotations

import numpy as np

_ROWS_AT_ONCE = 512
"""Rows that are rounded at once: more take more memory, fewer more time. Not measured."""


def as_bytes(picture: np.ndarray) -> np.ndarray:
    """Returns a picture ``[H, W, ...]`` of floats in 0..255 as uint8: cut to the range, and rounded."""
    out = np.empty(picture.shape, np.uint8)
    for row in range(0, len(picture), _ROWS_AT_ONCE):
        rows = slice(row, row + _ROWS_AT_ONCE)
        out[rows] = np.clip(picture[rows], 0, 255).round()
    return out
