"""Tells whether an object at its new place covers another thing that a viewer misses there."""

from __future__ import annotations

import cv2
import numpy as np

_LEAST_SHARE = 0.02
"""Area of what is covered as a share of the object's: above it that counts, up to it does not. Not measured:
things are known to a few pixels only."""
_LOST_SHARE = 0.3
"""Share of a thing that is covered: above it the thing is lost to the picture, up to it some of it goes
behind the object as in any photo. Set by eye."""


def covers(matte: np.ndarray, others: np.ndarray) -> bool:
    """Tells whether an object covers a third or more of another thing, or any of one that stands nearer.

    What stands lower in a photo stands nearer: a thing whose lower edge is below the object's belongs in
    front.

    Args:
        matte: the object at its new place, ``[H, W]`` in [0, 1].
        others: the photo's other things, bool ``[H, W]``.
    """
    there = matte > 0.5
    if not (there & others).any():
        return False
    foot = int(np.flatnonzero(there.any(1))[-1])
    count, labels = cv2.connectedComponents(others.astype(np.uint8))
    for number in range(1, count):
        thing = labels == number
        covered = thing & there
        if covered.sum() <= _LEAST_SHARE * there.sum():
            continue
        # of things that touch, those in the columns that are covered
        behind = thing[:, covered.any(0)]
        if np.flatnonzero(behind.any(1))[-1] > foot or covered.sum() > _LOST_SHARE * thing.sum():
            return True
    return False
