"""Whether the frame cuts an object: what was outside the photo is not there when it is moved inside."""

from __future__ import annotations

import numpy as np

from guidance import Transform
from realedit.location import Location

_LEAST = 0.02
"""Length along a side of the frame, in square roots of the object's area, from which on the frame cuts it:
less is an edge that happens to touch. Not measured."""
_STAYS = 0.002
"""Step away from a side, in fractions of the frame, up to which what is cut stays out of sight."""


def cut_sides(mask: np.ndarray) -> frozenset[str]:
    """The sides ("left", "right", "top", "bottom") at which the frame cuts an object, bool ``[H, W]``."""
    least = max(2.0, _LEAST * float(np.sqrt(mask.sum())))
    borders = {"left": mask[:, 0], "right": mask[:, -1], "top": mask[0], "bottom": mask[-1]}
    return frozenset(side for side, border in borders.items() if border.sum() >= least)


def shown_edges(location: Location, transform: Transform) -> frozenset[str]:
    """The sides at which a cut edge of the object comes into sight when it is moved."""
    x0, y0, x1, y1 = location.box
    (cx, cy), scale = location.centroid, transform.scale
    inward = {
        "left": cx + transform.dx + scale * (x0 - cx),
        "right": 1 - (cx + transform.dx + scale * (x1 - cx)),
        "top": cy + transform.dy + scale * (y0 - cy),
        "bottom": 1 - (cy + transform.dy + scale * (y1 - cy)),
    }
    turned = abs(transform.angle) > 0
    return frozenset(side for side in cut_sides(location.hard) if turned or inward[side] > _STAYS)
