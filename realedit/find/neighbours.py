"""What stands beside an edited object without being named: nothing of it is copied into the hole, or lost."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.light import contrast, shade
from realedit.pixels.masks import grow, shrink
from realedit.pixels.matting import grabcut
from realedit.pixels.unit import unit_of

_THING, _SURELY = 0.5, 0.9
"""P(some thing | place) from which on a pixel probably, and surely, is one's."""
_HALO = 6
"""How far beyond a thing its places may reach, in pixels of a picture of 256."""
_LEAST = 4
"""Least radius of a thing, in the same pixels: what is thinner is the rest of a halo."""
_SHADE = 0.5
"""Share of a thing that may be shade, from which on it is taken for a shadow."""


def neighbours(rgb: np.ndarray, thing: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The other things of a photo, bool ``[H, W]``; never part of the object's own.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        thing: P(some thing | place), float32 ``[h, w]``, as the recogniser sees it.
        own: the object, bool ``[H, W]``.
    """
    h, w = own.shape
    unit = unit_of((h, w))
    wide = cv2.resize(thing, (w, h), interpolation=cv2.INTER_CUBIC)
    likely = (wide > _THING) & ~grow(own, _HALO * unit)
    likely = grow(shrink(likely, _LEAST * unit), _LEAST * unit) & likely
    if not likely.any():
        return likely
    # the recogniser's places are coarse: the colours say where the thing ends, up to the object itself
    sure = likely & shrink(wide > _SURELY, _HALO * unit)
    cut = grabcut(rgb, sure, likely, grow(likely, 1.5 * _HALO * unit) & ~own)
    return _without_shade(rgb, cut & ~own, own, unit)


def _without_shade(rgb: np.ndarray, found: np.ndarray, own: np.ndarray, unit: float) -> np.ndarray:
    """What was found but for parts that may be the object's shadow: grey against what lies about them."""
    out = np.zeros_like(found)
    count, labels = cv2.connectedComponents(found.astype(np.uint8))
    for i in range(1, count):
        part = labels == i
        about = grow(part, _HALO * unit) & ~found & ~grow(own, unit)
        if not about.any():
            continue
        surface = np.median(rgb[about], axis=0)
        loss = contrast(rgb[part], np.broadcast_to(surface, (int(part.sum()), 3)))
        dark, grey = shade(loss)
        if ((dark > 0) & grey).mean() < _SHADE:
            out |= part
    return out
