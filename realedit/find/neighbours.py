"""Finds unnamed objects beside the edited one, to keep them whole and out of the filling."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.light import contrast, shade
from realedit.pixels.masks import grow, shrink
from realedit.pixels.matting import grabcut
from realedit.pixels.unit import unit_of

_THING, _SURE_THING = 0.5, 0.9
"""P(some thing | place): above the first a pixel is probably a thing's, above the second surely, below both
it is surroundings. Not measured."""
_HALO_UNITS = 6
"""Distance from a thing, in units: places as near may show its halo in the recogniser's coarse map, farther
ones do not. Not measured."""
_LEAST_RADIUS_UNITS = 4
"""Radius of a thing, in units: what is thinner is the rest of a halo, what is wider is a thing. Not
measured."""
_SEARCH_HALOS = 1.5
"""Distance from a likely thing, in halos: GrabCut may extend it less far, nothing farther is its own. Not
measured."""
_MOST_SHADE = 0.5
"""Share of a thing that may be shade: at or above it the thing is taken for a shadow, below it for a thing.
Not measured."""


def neighbours(rgb: np.ndarray, thing: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Finds the other things of a photo, bool ``[H, W]``; never part of the object itself.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        thing: the recogniser's P(some thing | place), float32 ``[h, w]``.
        own: the object, bool ``[H, W]``.
    """
    h, w = own.shape
    unit = unit_of((h, w))
    wide = cv2.resize(thing, (w, h), interpolation=cv2.INTER_CUBIC)
    likely = (wide > _THING) & ~grow(own, _HALO_UNITS * unit)
    likely = grow(shrink(likely, _LEAST_RADIUS_UNITS * unit), _LEAST_RADIUS_UNITS * unit) & likely
    if not likely.any():
        return likely
    # the recogniser's places are coarse: the colours say where the thing ends, up to the object itself
    sure = likely & shrink(wide > _SURE_THING, _HALO_UNITS * unit)
    cut = grabcut(rgb, sure, likely, grow(likely, _SEARCH_HALOS * _HALO_UNITS * unit) & ~own)
    return _without_shade(rgb, cut & ~own, own, unit)


def _without_shade(rgb: np.ndarray, found: np.ndarray, own: np.ndarray, unit: float) -> np.ndarray:
    """Drops the parts that may be the object's shadow: grey and darker against what lies around them."""
    out = np.zeros_like(found)
    count, labels = cv2.connectedComponents(found.astype(np.uint8))
    for i in range(1, count):
        part = labels == i
        about = grow(part, _HALO_UNITS * unit) & ~found & ~grow(own, unit)
        if not about.any():
            continue
        surface = np.median(rgb[about], axis=0)
        loss = contrast(rgb[part], np.broadcast_to(surface, (int(part.sum()), 3)))
        dark, grey = shade(loss)
        if ((dark > 0) & grey).mean() < _MOST_SHADE:
            out |= part
    return out
