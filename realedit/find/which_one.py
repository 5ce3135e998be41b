"""Which of several objects of one name is meant: "left mug", "the biggest bowl"."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.prompts import DIRECTIONS, SIZES

_PART = 0.4
"""Share of the highest heat above which a place may be one of the objects."""
_LEAST = 0.15
"""Share of the largest part's heat that a part must hold to be one of them."""


def parts(heat: np.ndarray) -> list[np.ndarray]:
    """The places of a heat map ``[h, w]`` that may be an object each, bool ``[h, w]``, the hottest first."""
    count, labels = cv2.connectedComponents((heat > _PART * heat.max()).astype(np.uint8))
    found = sorted((labels == k for k in range(1, count)), key=lambda part: -float(heat[part].sum()))
    return [part for part in found if heat[part].sum() >= _LEAST * heat[found[0]].sum()]


def chosen(heat: np.ndarray, which: str) -> tuple[np.ndarray, np.ndarray]:
    """The heat of the one object that is meant, and the others'; float32 ``[h, w]`` each.

    A place belongs to the part that is nearest.
    """
    found = parts(heat)
    distances = [cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, 3) for part in found]
    own = pick(found, which)
    nearest = np.argmin(distances, axis=0) == own
    return np.where(nearest, heat, 0).astype(np.float32), np.where(nearest, 0, heat).astype(np.float32)


def pick(found: list[np.ndarray], which: str) -> int:
    """The number of the place, bool ``[h, w]`` each, that ``which`` says."""
    centres = [np.argwhere(part).mean(0)[::-1] for part in found]
    if which in DIRECTIONS:
        worth = [float(np.dot(centre, DIRECTIONS[which])) for centre in centres]
    elif which in SIZES:
        worth = [SIZES[which] * float(part.sum()) for part in found]
    else:
        middle = np.mean([np.min(centres, axis=0), np.max(centres, axis=0)], axis=0)
        worth = [-float(np.linalg.norm(centre - middle)) for centre in centres]
    return int(np.argmax(worth))
