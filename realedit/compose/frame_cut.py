"""Tells whether the frame cuts an object: what is outside the photo is missing when it moves inside."""

from __future__ import annotations

import numpy as np

from guidance import Transform
from realedit.location import Location

_LEAST_CUT = 0.02
"""Length along a border of the frame, in square roots of the object's area: at or above it the frame cuts the
object, below it the object only touches the border. Not measured."""
_LEAST_CUT_PIXELS = 2.0
"""Least value of that length in pixels: smaller ones are raised to it, larger ones stay. Not measured."""
_STAYS_SIDES = 0.002
"""Distance of a cut edge from its border, as a share of the frame: above it the edge shows, up to it stays
out of sight. Not measured."""


def cut_sides(mask: np.ndarray) -> frozenset[str]:
    """Returns the sides ("left", "right", "top", "bottom") at which the frame cuts an object ``[H, W]``."""
    least = max(_LEAST_CUT_PIXELS, _LEAST_CUT * float(np.sqrt(mask.sum())))
    borders = {"left": mask[:, 0], "right": mask[:, -1], "top": mask[0], "bottom": mask[-1]}
    return frozenset(side for side, border in borders.items() if border.sum() >= least)


def shown_edges(location: Location, transform: Transform) -> frozenset[str]:
    """Returns the sides at which a cut edge of the object comes into sight when it is moved."""
    x0, y0, x1, y1 = location.box
    (cx, cy), scale = location.centroid, transform.scale
    left = cx + transform.dx + scale * (x0 - cx)
    right = 1 - (cx + transform.dx + scale * (x1 - cx))
    if transform.mirrored:  # the left edge now faces the right border, the right one the left
        left = 1 - (cx + transform.dx - scale * (x0 - cx))
        right = cx + transform.dx - scale * (x1 - cx)
    inward = {
        "left": left,
        "right": right,
        "top": cy + transform.dy + scale * (y0 - cy),
        "bottom": 1 - (cy + transform.dy + scale * (y1 - cy)),
    }
    turned = abs(transform.angle) > 0
    return frozenset(side for side in cut_sides(location.hard) if turned or inward[side] > _STAYS_SIDES)
