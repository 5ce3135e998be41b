"""Tells whether the frame cuts an object: what is outside the photo is missing when it moves inside."""

from __future__ import annotations

import numpy as np

from guidance import Transform
from realedit.location import Location

LEAST_CUT = 0.02
"""Length along a border of the frame, in square roots of the object's area: at or above it the frame cuts the
object, below it the object only touches the border. Not measured."""
_LEAST_CUT_PIXELS = 2.0
"""Least value of that length in pixels: smaller ones are raised to it, larger ones stay. Not measured."""
_STAYS_SIDES = 0.002
"""Distance of a cut edge from its border, as a share of the frame: above it the edge shows, up to it stays
out of sight. Not measured."""


def cut_sides(mask: np.ndarray, least: float = LEAST_CUT) -> frozenset[str]:
    """Returns the sides ("left", "right", "top", "bottom") at which the frame cuts an object ``[H, W]``.

    Args:
        mask: the object, bool.
        least: length of a cut edge that counts, in square roots of the object's area.
    """
    shortest = max(_LEAST_CUT_PIXELS, least * float(np.sqrt(mask.sum())))
    return frozenset(side for side, border in _borders(mask).items() if border.sum() >= shortest)


def shown_edges(location: Location, transform: Transform, least: float = LEAST_CUT) -> frozenset[str]:
    """Returns the sides at which a cut edge of the object comes into sight when it is carried.

    Args:
        location: the object.
        transform: where it goes.
        least: length of a cut edge that counts, in square roots of the object's area.
    """
    height, width = location.mask.shape
    mask, matrix = location.hard, np.array(transform.matrix(width / height))
    borders, shown = _borders(mask), set[str]()
    for side in cut_sides(mask, least):
        along = (np.flatnonzero(borders[side]) + 0.5) / borders[side].size
        across = np.full(along.shape, float(side in ("right", "bottom")))
        edge = np.stack([across, along] if side in ("left", "right") else [along, across])
        moved = matrix[:, :2] @ edge + matrix[:, 2:]
        if np.minimum(moved, 1 - moved).min(0).max() > _STAYS_SIDES:
            shown.add(side)
    return frozenset(shown)


def _borders(mask: np.ndarray) -> dict[str, np.ndarray]:
    return {"left": mask[:, 0], "right": mask[:, -1], "top": mask[0], "bottom": mask[-1]}
