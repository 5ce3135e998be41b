"""Finds an object from heat: a map of where a word is, by cross-attention or by CLIPSeg.

Attention knows which object and roughly where (Hertz et al. 2022, *Prompt-to-Prompt*, arXiv 2208.01626); the
pixels know its border. The attention is that of the decoder's finest layers, which on the embedded model
outline objects best (IoU 0.68 at the best threshold against 0.54 to 0.60 for the coarser layers), averaged
over the middle noise levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from realedit.location import Location
from realedit.pixels.hole_filling import smooth_fill
from realedit.pixels.light import contrast, shade
from realedit.pixels.masks import connected, grow, main_part, shrink
from realedit.pixels.matting import grabcut, matte
from realedit.pixels.unit import unit_of

_LIKELY_HEAT = 0.4
"""Heat, as a share of its maximum: above it a pixel is probably the object's, below probably not. Not
measured."""
_SURE_HEAT = 0.8
"""Heat, as a share of its maximum: above it a pixel is surely the object's, below GrabCut decides. Not
measured."""
_INNER_HEAT = 0.5
"""Heat, as a share of its maximum: above it the inside of a first cut is surely the object's, below GrabCut
decides again. Not measured."""
_CLAIM_HEAT, _CLAIM_LEAD = 0.5, 0.1
"""Heat in [0, 1]: another thing claims a pixel where its heat leads the object's, or the first number if that
is more, by more than the second; elsewhere the object may have it. Not measured."""
_COLD_HEAT = 0.03
"""Heat in [0, 1]: a pixel below it is added to the object only if the object surrounds it, above it also
beside the object. Not measured."""
_HOLE_HEAT = 0.6
"""Mean heat in [0, 1]: a gap in the mask above it is filled, one below it stays a hole. Not measured."""
_REACH_SIDES = 0.05
"""Distance from the likely pixels, in longer sides: the object may extend less far, nothing farther is its
own. Not measured."""
_SECOND_REACH = 1.2
"""Reach of the second cut from the first cut's mask, as a multiple of the first cut's reach: with more the
object may extend farther, with less not so far. Not measured."""
_INNER_UNITS = 3
"""Distance to a first cut's border, in units: pixels farther inside are surely the object's, nearer ones are
cut again. Not measured."""
_PART_REACH = 0.5
"""Distance from the mask, in square roots of its area: parts that it lacks are looked for nearer, not
farther. Not measured."""
_LEAST_PART_REACH_UNITS, _MOST_PART_REACH_UNITS = 6, 60
"""Bounds of the distance at which missed parts are looked for, in units: smaller ones are raised to the
first, larger ones cut to the second. Not measured."""
_MOST_PART_SHARE = 0.6
"""A part's area as a share of the mask's: smaller ones may be added, larger ones are another thing. Not
measured."""
_MOST_RUNNING_ON = 0.1
"""Share of a part that runs on over the border of the search: up to it the part is added, above it the part
is surroundings. Not measured."""
_STANDOUT = 0.5
"""Difference in log intensity from the surface behind: no shadow's edge explains more; less may be shadow.
Not measured."""
_OWN_TINT = 0.25
"""Tint of a shade as a share of its depth: above it the shade is the object's own colour, below it may be a
cast shadow. Set below what a cast shadow is allowed; not measured."""
_LIGHTER = 0.25
"""Difference in log intensity: what the object frames is its own if lighter by more, since no shadow
lightens; below it stays surroundings. Not measured."""


def from_heat(
    rgb: np.ndarray, heat: np.ndarray, word: str, score: float, *, others: Sequence[np.ndarray] = ()
) -> Location:
    """Refines a word's heat ``[h, w]`` on the pixels of the photo.

    GrabCut is run twice, from the heat and from its own result; then parts of another colour are added and
    gaps filled.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        heat: float32 ``[h, w]`` in [0, 1].
        word: the object's words.
        score: the attention's peak.
        others: heats ``[h, w]`` of other things in the photo, which the object may not take in.
    """
    h, w = rgb.shape[:2]
    wide = cv2.resize(heat, (w, h), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    claimed = np.zeros((h, w), bool)
    for other in others:
        theirs = cv2.resize(other, (w, h), interpolation=cv2.INTER_CUBIC)
        claimed |= theirs > np.maximum(wide, _CLAIM_HEAT) + _CLAIM_LEAD
    likely = main_part(wide > _LIKELY_HEAT, wide)
    reach = _REACH_SIDES * max(h, w)
    cut = grabcut(rgb, (wide > _SURE_HEAT) & likely, likely, grow(likely, reach))
    mask = main_part(cut, wide)
    # once more from what was found: the heat is coarse and often off-centre, the colours reach further
    inner = shrink(mask, _INNER_UNITS * unit_of(mask.shape))
    within = grow(mask, _SECOND_REACH * reach) & ~claimed
    cut = grabcut(rgb, inner & (wide > _INNER_HEAT), mask, within)
    mask = main_part(cut, wide)
    mask = closed_up(with_missed_parts(rgb, mask, wide, claimed), wide)
    return Location(word, matte(rgb, mask), heat, score, "word")


def closed_up(mask: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Fills the holes of a mask that are attended to: shade in a cup, say, but not what a handle frames.

    Args:
        mask: bool ``[H, W]``.
        heat: float32 ``[H, W]`` in [0, 1].
    """
    out = mask.copy()
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    h, w = mask.shape
    for i in range(1, count):
        x, y, width, height = boxes[i, :4]
        inside = x > 0 and y > 0 and x + width < w and y + height < h
        if inside and heat[labels == i].mean() > _HOLE_HEAT:
            out |= labels == i
    return out


def with_missed_parts(rgb: np.ndarray, mask: np.ndarray, heat: np.ndarray, claimed: np.ndarray) -> np.ndarray:
    """Adds parts whose colours GrabCut misses: a handle, a cap, a label.

    A part is added when it touches the mask, stands out from the surface behind it by more than a shadow
    could, ends within reach (what runs on is surroundings) and is smaller than the object itself.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        mask: bool ``[H, W]``.
        heat: float32 ``[H, W]`` in [0, 1].
        claimed: bool ``[H, W]``, True on other things.
    """
    if not mask.any():
        return mask
    unit = unit_of(mask.shape)
    size = _PART_REACH * np.sqrt(mask.sum())
    reach = float(np.clip(size, _LEAST_PART_REACH_UNITS * unit, _MOST_PART_REACH_UNITS * unit))
    framed = _hull(mask)
    elsewhere = ((heat < _COLD_HEAT) & ~framed) | claimed
    band = grow(mask, reach) & ~(elsewhere & ~grow(mask, unit))
    beside = band & ~mask
    if not beside.any():
        return mask
    loss = contrast(rgb, smooth_fill(rgb, band), beside, 0.7 * unit)
    found = beside & _standing_out(loss, framed)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(unit) + 1,) * 2)
    found = (cv2.morphologyEx((found | mask).astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0) & ~mask
    ending = (cv2.erode(band.astype(np.uint8), kernel, iterations=2) > 0) | framed
    touching = grow(mask, 2 * unit)
    out = mask.copy()
    count, labels = cv2.connectedComponents(found.astype(np.uint8))
    for i in range(1, count):
        part = labels == i
        area = part.sum()
        if not (part & touching).any() or area > _MOST_PART_SHARE * mask.sum():
            continue
        if (part & ~ending).sum() <= _MOST_RUNNING_ON * area:
            out |= part
    return cv2.morphologyEx(out.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0


def _hull(mask: np.ndarray) -> np.ndarray:
    """Returns a mask's convex hull, bool ``[H, W]``."""
    corners = cv2.convexHull(cv2.findNonZero(mask.astype(np.uint8)))
    return cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), corners, 1) > 0


def _standing_out(loss: np.ndarray, framed: np.ndarray) -> np.ndarray:
    """Finds what no shadow explains, bool ``[H, W]``.

    That is what differs strongly from the surface behind, and what is joined to it, framed and lighter.

    Args:
        loss: log intensity lost against the surface behind, float32 ``[H, W, 3]``.
        framed: bool ``[H, W]``, True where the object is all round: a cup's inside, whose shade is faint.
    """
    dark, grey = shade(loss, _OWN_TINT)
    shaded = (dark > 0) & (dark < 1) & grey
    excess = np.abs(loss).max(-1)
    strong = (excess > _STANDOUT) & ~shaded
    faint = (excess > _LIGHTER) & (dark < 0) & framed
    return connected(strong | faint, strong)
