"""Tells which of several objects of one name is meant: "left mug", "the biggest bowl"."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.prompts import DIRECTIONS, SIZES

_PART_HEAT = 0.4
"""Heat, as a share of its maximum: connected places above it may be one of the objects, those below are none.
Not measured."""
_LEAST_PART_SHARE = 0.15
"""A part's summed heat as a share of the largest part's: at or above it the part is one of the objects, below
it is not. Not measured."""


def parts(heat: np.ndarray) -> list[np.ndarray]:
    """Finds the places of a heat map ``[h, w]`` that may be objects, hottest first; bool ``[h, w]`` each."""
    hot: np.ndarray = heat > _PART_HEAT * heat.max()
    count, labels = cv2.connectedComponents(hot.astype(np.uint8))
    found = sorted((labels == k for k in range(1, count)), key=lambda part: -float(heat[part].sum()))
    return [part for part in found if heat[part].sum() >= _LEAST_PART_SHARE * heat[found[0]].sum()]


def chosen(heat: np.ndarray, which: str) -> tuple[np.ndarray, np.ndarray]:
    """Splits a heat map ``[h, w]`` into the object's that is meant and the others', float32 ``[h, w]`` each.

    Every place belongs to the nearest part.
    """
    found = parts(heat)
    distances = [cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, 3) for part in found]
    own = pick(found, which)
    nearest = np.argmin(distances, axis=0) == own
    return np.where(nearest, heat, 0).astype(np.float32), np.where(nearest, 0, heat).astype(np.float32)


def pick(found: list[np.ndarray], which: str) -> int:
    """Returns the index of the place, of bool ``[h, w]`` each, that ``which`` names."""
    centres = [np.argwhere(part).mean(0)[::-1] for part in found]
    if which in DIRECTIONS:
        worth = [float(np.dot(centre, DIRECTIONS[which])) for centre in centres]
    elif which in SIZES:
        worth = [SIZES[which] * float(part.sum()) for part in found]
    else:
        middle = np.mean([np.min(centres, axis=0), np.max(centres, axis=0)], axis=0)
        worth = [-float(np.linalg.norm(centre - middle)) for centre in centres]
    return int(np.argmax(worth))
