"""The unit of lengths in pictures: radii were set on pictures of 256 pixels and grow with the photo."""

from __future__ import annotations

_UNITS_A_SIDE = 256
"""Units in a picture's longer side: with more of them every radius given in units shrinks, with fewer it
grows. Set by the pictures on which those radii were chosen."""


def unit_of(shape: tuple[int, ...]) -> float:
    """Returns a unit in pixels: 1/256 of the longer side of a picture ``[H, W, ...]``."""
    return max(shape[:2]) / _UNITS_A_SIDE
