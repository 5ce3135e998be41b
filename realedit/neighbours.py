"""What stands beside an edited object without being named: nothing of it is copied into the hole, or lost."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.matte import grabcut
from realedit.shadow import grow, shrink

_THING, _SURELY = 0.5, 0.9
"""P(some thing | place) from which on a pixel probably, and surely, is one's."""
_HALO = 6
"""How far beyond a thing its places may reach, in pixels of a picture of 256."""
_LEAST = 4
"""Least radius of a thing, in the same pixels: what is thinner is the rest of a halo."""


def neighbours(rgb: np.ndarray, thing: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The other things of a photo, bool ``[H, W]``; never part of the object's own.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        thing: P(some thing | place), float32 ``[h, w]``, as the recogniser sees it.
        own: the object, bool ``[H, W]``.
    """
    h, w = own.shape
    unit = max(h, w) / 256
    wide = cv2.resize(thing, (w, h), interpolation=cv2.INTER_CUBIC)
    likely = (wide > _THING) & ~grow(own, _HALO * unit)
    likely = grow(shrink(likely, _LEAST * unit), _LEAST * unit) & likely
    if not likely.any():
        return likely
    # the recogniser's places are coarse: the colours say where the thing ends, up to the object itself
    sure = likely & shrink(wide > _SURELY, _HALO * unit)
    cut = grabcut(rgb, sure, likely, grow(likely, 1.5 * _HALO * unit) & ~own)
    return cut & ~own
