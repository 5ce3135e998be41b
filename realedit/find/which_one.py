"""Tells which of several objects of one name is meant: "left mug", "the biggest bowl"."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.prompts import DIRECTIONS, SIZES

_PART_HEATS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Heat, as a share of its maximum: connected places above it may be one of the objects, those below are none;
the first that leaves several apart, else the first. Lower ones join objects that touch, higher ones leave
their hottest places alone. Not measured."""
_LEAST_PART_SHARE = 0.15
"""A part's summed heat as a share of the largest part's: at or above it the part is one of the objects, below
it is not. Not measured."""


def parts(heat: np.ndarray) -> list[np.ndarray]:
    """Finds the places of a heat map ``[h, w]`` that may be objects, hottest first; bool ``[h, w]`` each.

    Objects that touch are one place at a low heat and come apart at a higher one.
    """
    whole = heat > _PART_HEATS[0] * heat.max()
    levels = [_parts_above(heat, share) for share in _PART_HEATS]
    return next((found for found in levels if _apart(np.where(whole, heat, 0), found)), levels[0])


def _parts_above(heat: np.ndarray, share: float) -> list[np.ndarray]:
    hot: np.ndarray = heat > share * heat.max()
    count, labels = cv2.connectedComponents(hot.astype(np.uint8))
    found = sorted((labels == k for k in range(1, count)), key=lambda part: -float(heat[part].sum()))
    return [part for part in found if heat[part].sum() >= _LEAST_PART_SHARE * heat[found[0]].sum()]


def _apart(heat: np.ndarray, found: list[np.ndarray]) -> bool:
    """Whether there are several parts, each with its share of the heat ``[h, w]`` that is nearest to it."""
    if len(found) < 2:
        return False
    nearest = _nearest(found)
    heats = [float(heat[nearest == number].sum()) for number in range(len(found))]
    return min(heats) >= _LEAST_PART_SHARE * max(heats)


def _nearest(found: list[np.ndarray]) -> np.ndarray:
    """The number of the part that is nearest to each place, int ``[h, w]``."""
    return np.argmin([cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, 3) for part in found], 0)


def chosen(heat: np.ndarray, which: str) -> tuple[np.ndarray, np.ndarray]:
    """Splits a heat map ``[h, w]`` into the object's that is meant and the others', float32 ``[h, w]`` each.

    Every place belongs to the nearest part.
    """
    found = parts(heat)
    nearest = _nearest(found) == pick(found, which)
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
