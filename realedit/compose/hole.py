"""The hole that objects leave: cleared of them and of what they cast, filled, settled."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from realedit.compose.piece import Cast
from realedit.compose.shadow import near_foot
from realedit.location import Location
from realedit.pixels.fine_detail import with_detail
from realedit.pixels.hole_filling import fill_with_steps
from realedit.pixels.light import contrast
from realedit.pixels.masks import grow
from realedit.pixels.resizing import scaled
from realedit.pixels.unit import unit_of

FILL_SIDE = 640
"""Longer side of the picture in which texture is copied into the hole; larger photos get it scaled up."""
_REST = 0.1
"""Loss of log intensity from which on the margin of a hole counts as dark."""
_SOME = 0.05
"""Share of a small picture's pixel that an object covers from which on it is taken out: what is thin goes
too."""


def cleared(
    rgb: np.ndarray, taken: Sequence[tuple[Location, Cast]], forbidden: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The photo without some objects and what they cast, float32 ``[H, W, 3]``, and where it was filled."""
    if not taken:
        return rgb.astype(np.float32), np.zeros(rgb.shape[:2], bool)
    lit = rgb.astype(np.float32)
    for _, one in taken:
        lit = one.lifted(lit)
    lit = lit.round().astype(np.uint8)
    small = small_copy(lit)
    size = small.shape[1::-1]
    unit = unit_of(size)
    mask = np.zeros(small.shape[:2], bool)
    cast = mask.copy()
    mirrored = mask.copy()
    for location, one in taken:
        mask |= scaled(location.hard.astype(np.float32), size) > _SOME
        cast |= one.mask
        mirrored |= one.reflection.mask
    shut = None if forbidden is None else forbidden_small(forbidden, mask, size)
    hole = grow(mask | mirrored, 6 * unit) | grow(cast, 2 * unit)
    if shut is not None:  # a neighbour that the object touches stays whole
        hole &= ~shut | grow(mask, unit)
    solid = grow(mask, 1.5 * unit) | grow(cast, unit)
    done = fill_with_steps(small, hole, shut)
    filled = done.picture
    # not at its upper side, where another thing may be dark
    margin = hole & ~solid & (near_foot(mask, 8 * unit) | grow(cast, 8 * unit))
    solid = solid | _rests(small, filled, margin, unit)
    filled = settle(small, filled, hole, solid)
    full = with_detail(lit, small, filled, done.steps, share_of_fill(hole, solid))
    changed = scaled(hole.astype(np.float32), rgb.shape[1::-1]) > 0
    return full, changed | (lit != rgb).any(-1)


def _rests(rgb: np.ndarray, filled: np.ndarray, margin: np.ndarray, unit: float) -> np.ndarray:
    """Where a hole's margin is darker than its filling: rests of a shadow, bool ``[H, W]``.

    Of any colour: where an object stands, its own colour shines into its shadow.
    """
    return margin & (contrast(rgb, filled, margin, unit).mean(-1) > _REST)


def small_copy(rgb: np.ndarray) -> np.ndarray:
    """A picture at the size at which holes are filled: at most :data:`FILL_SIDE` on its longer side."""
    factor = min(1.0, FILL_SIDE / max(rgb.shape[:2]))
    if factor == 1:
        return rgb
    # the size itself, not the factor: that would map by another ratio than the way back does
    height, width = (max(1, round(side * factor)) for side in rgb.shape[:2])
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)


def forbidden_small(forbidden: np.ndarray, mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What nothing is copied from, at a size (width, height), but for the edges of the object ``mask``."""
    return (scaled(forbidden.astype(np.float32), size) > 0.5) & ~grow(mask, 2)


def settle(rgb: np.ndarray, filled: np.ndarray, hole: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Fit a hole's fill to the light about it and let it fade into the photo; uint8 ``[H, W, 3]``.

    The hole's margin beyond ``solid`` (bool ``[H, W]``, what must go) is photo that is known: what the fill
    misses there in low frequencies it is given everywhere, and across the margin it gives way to the photo.
    """
    margin = hole & ~solid
    if not margin.any():
        return filled
    sigma = max(hole.shape) / 40
    weight = margin.astype(np.float32)
    missed = (rgb.astype(np.float32) - filled) * weight[..., None]
    known = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
    low = cv2.GaussianBlur(missed, (0, 0), sigma) / (known + 1e-3)
    share = share_of_fill(hole, solid)[..., None]
    mixed = rgb * (1 - share) + (filled + low) * share
    return np.clip(mixed, 0, 255).round().astype(np.uint8)


def share_of_fill(hole: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """The fill's share in the picture, float32 ``[H, W]``: 1 in ``solid``, 0 outside ``hole``."""
    inward = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    outward = cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 5)
    return (inward / np.maximum(inward + outward, 1e-6) * hole).astype(np.float32)
