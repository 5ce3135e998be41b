"""Where an object is: from a word's cross-attention, or from a mask, box or point that the user gives.

Attention knows which object and roughly where (Hertz et al. 2022, *Prompt-to-Prompt*, arXiv 2208.01626); the
pixels know its border. The heat is that of the decoder's finest cross-attention, which on the embedded model
outlines objects best (IoU 0.68 at the best threshold against 0.54 to 0.60 for the coarser layers), averaged
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

LIKELY, SURE = 0.4, 0.8
"""Heat, as a share of its maximum, above which a pixel is probably, and surely, the object's."""
_COLD = 0.03
"""Heat up to which nothing is the object's that does not lie amid it."""
_FULL = 0.6
"""Mean heat of a hole in the object from which on it is no hole."""
_REACH = 0.05
"""How far beyond the likely pixels the object may extend, as a share of the longer side."""
_STANDOUT = 0.5
"""Difference in log intensity from the surroundings that no shadow's edge explains."""
_OWN_TINT = 0.25
"""Tint of a shade as a share of its depth; more is the object's own colour. Less than a cast shadow's."""
_LIGHTER = 0.25
"""The same of what is lighter than its surroundings and framed by the object: no shadow does that."""


def from_heat(
    rgb: np.ndarray, heat: np.ndarray, word: str, score: float, others: Sequence[np.ndarray] = ()
) -> Location:
    """Refine a word's heat ``[h, w]`` on the pixels of the photo.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        heat: float32 ``[h, w]`` in [0, 1].
        word: the object's words.
        score: the attention's peak.
        others: heats of the other things that the prompt names.
    """
    h, w = rgb.shape[:2]
    wide = cv2.resize(heat, (w, h), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    claimed = np.zeros((h, w), bool)
    for other in others:
        claimed |= cv2.resize(other, (w, h), interpolation=cv2.INTER_CUBIC) > np.maximum(wide, 0.5) + 0.1
    likely = main_part(wide > LIKELY, wide)
    reach = _REACH * max(h, w)
    cut = grabcut(rgb, (wide > SURE) & likely, likely, grow(likely, reach))
    mask = main_part(cut, wide)
    # once more from what was found: the heat is coarse and often off-centre, the colours reach further
    inner = shrink(mask, 3 * unit_of(mask.shape))
    cut = grabcut(rgb, inner & (wide > 0.5), mask, grow(mask, 1.2 * reach) & ~claimed)
    mask = main_part(cut, wide)
    mask = closed_up(with_missed_parts(rgb, mask, wide, claimed), wide)
    return Location(word, matte(rgb, mask), heat, score, "word")


def closed_up(mask: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A mask without the holes that are attended to: shade in a cup, say, but not what a handle frames.

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
        if inside and heat[labels == i].mean() > _FULL:
            out |= labels == i
    return out


def with_missed_parts(rgb: np.ndarray, mask: np.ndarray, heat: np.ndarray, claimed: np.ndarray) -> np.ndarray:
    """Add what GrabCut's colours miss: a handle, a cap, a label, another colour than the rest of the object.

    A part is added when it touches the mask, stands out from the surface behind it by more than a shadow
    could, ends within reach (what runs on is surroundings) and is smaller than the object itself.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        mask: bool ``[H, W]``.
        heat: float32 ``[H, W]`` in [0, 1].
        claimed: bool ``[H, W]``, what is another thing's.
    """
    if not mask.any():
        return mask
    unit = unit_of(mask.shape)
    reach = float(np.clip(0.5 * np.sqrt(mask.sum()), 6 * unit, 60 * unit))
    framed = _hull(mask)
    elsewhere = ((heat < _COLD) & ~framed) | claimed
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
        if (part & touching).any() and area <= 0.6 * mask.sum() and (part & ~ending).sum() <= 0.1 * area:
            out |= part
    return cv2.morphologyEx(out.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0


def _hull(mask: np.ndarray) -> np.ndarray:
    """A mask's convex hull, bool ``[H, W]``."""
    corners = cv2.convexHull(cv2.findNonZero(mask.astype(np.uint8)))
    return cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), corners, 1) > 0


def _standing_out(loss: np.ndarray, framed: np.ndarray) -> np.ndarray:
    """What no shadow explains, bool ``[H, W]``: seen strongly, or joined to that, framed and lighter.

    Args:
        loss: log intensity lost against the surface behind, float32 ``[H, W, 3]``.
        framed: bool ``[H, W]``, where the object is all about: a cup's inside, whose shade is faint.
    """
    dark, grey = shade(loss, _OWN_TINT)
    shaded = (dark > 0) & (dark < 1) & grey
    excess = np.abs(loss).max(-1)
    strong = (excess > _STANDOUT) & ~shaded
    faint = (excess > _LIGHTER) & (dark < 0) & framed
    return connected(strong | faint, strong)
