"""The unit of lengths in pictures: radii are set on pictures of 256 pixels and grow with the photo."""

from __future__ import annotations

_SIDE = 256
"""Longer side, in pixels, of the pictures on which every radius and area was set."""


def unit_of(shape: tuple[int, ...]) -> float:
    """Pixels of a picture ``[H, W, ...]`` for one of a picture of 256: 1/256 of its longer side."""
    return max(shape[:2]) / _SIDE
