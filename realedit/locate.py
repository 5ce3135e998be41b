"""Where an object is: from a word's cross-attention, or from a mask, box or point that the user gives.

Attention knows which object and roughly where (Hertz et al. 2022, *Prompt-to-Prompt*, arXiv 2208.01626); the
pixels know its border. The heat is that of the decoder's finest cross-attention, which on the embedded model
outlines objects best (IoU 0.68 at the best threshold against 0.54 to 0.60 for the coarser layers), averaged
over the middle noise levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from realedit.errors import ObjectNotFoundError, UsageError
from realedit.fill import smooth_fill
from realedit.matte import grabcut, main_part, matte
from realedit.shadow import connected, contrast, grow, shrink

LIKELY, SURE = 0.4, 0.8
"""Heat, as a share of its maximum, above which a pixel is probably, and surely, the object's."""
_COLD = 0.03
"""Heat up to which nothing is the object's that does not lie amid it."""
_FULL = 0.6
"""Mean heat of a hole in the object from which on it is no hole."""
_REACH = 0.05
"""How far beyond the likely pixels the object may extend, as a share of the longer side."""
_NOTHING = 0.02
"""Share of a pixel in a user's mask up to which it is not the object's, or all of it."""
_STANDOUT = 0.5
"""Difference in log intensity from the surroundings that no shadow's edge explains."""
_LIGHTER = 0.25
"""The same of what is lighter than its surroundings and framed by the object: no shadow does that."""


@dataclass(frozen=True)
class Location:
    """An object in a photo.

    Args:
        word: the object's words, or None where the user gave a region alone.
        mask: matte, float32 ``[H, W]`` in [0, 1] at the photo's size.
        heat: float32 ``[h, w]`` in [0, 1]: what the model attended to; the given region where there is no
            word.
        score: how sure the model is, in [0, 1]: the attention's peak; 1 where the user gave the region.
        source: "word", "mask", "box" or "point".
    """

    word: str | None
    mask: np.ndarray
    heat: np.ndarray
    score: float
    source: str

    @property
    def hard(self) -> np.ndarray:
        """The mask as bool ``[H, W]``."""
        return self.mask > 0.5

    @property
    def centroid(self) -> tuple[float, float]:
        """(x, y) of the mask's centre of mass, in [0, 1]."""
        h, w = self.mask.shape
        total = float(self.mask.sum())
        x = float(self.mask.sum(0) @ (np.arange(w) + 0.5)) / total / w
        y = float(self.mask.sum(1) @ (np.arange(h) + 0.5)) / total / h
        return x, y

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) of the hard mask, in [0, 1]."""
        h, w = self.mask.shape
        x, y, width, height = cv2.boundingRect(self.hard.astype(np.uint8))
        return x / w, y / h, (x + width) / w, (y + height) / h


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
    inner = shrink(mask, 3 * max(h, w) / 256)
    cut = grabcut(rgb, inner & (wide > 0.5), mask, grow(mask, 1.2 * reach) & ~claimed)
    mask = main_part(cut, wide)
    mask = closed_up(complete(rgb, mask, wide, claimed), wide)
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


def complete(rgb: np.ndarray, mask: np.ndarray, heat: np.ndarray, claimed: np.ndarray) -> np.ndarray:
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
    unit = max(mask.shape) / 256
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
    dark = loss.mean(-1)
    tint = np.linalg.norm(loss - dark[..., None], axis=-1)
    shade = (dark > 0) & (dark < 1) & (tint < 0.25 * dark + 0.05)
    excess = np.abs(loss).max(-1)
    strong = (excess > _STANDOUT) & ~shade
    faint = (excess > _LIGHTER) & (dark < 0) & framed
    return connected(strong | faint, strong)


def from_mask(rgb: np.ndarray, mask: np.ndarray, word: str | None = None) -> Location:
    """The user's own mask, ``[H, W]`` of any numeric type; as it is when its edges are soft, else softened.

    Raises:
        UsageError: its size is not the photo's, or nothing (or everything) is in it.
    """
    if mask.shape[:2] != rgb.shape[:2]:
        raise UsageError(
            f"the mask is {mask.shape[1]} x {mask.shape[0]} but the photo is {rgb.shape[1]} x {rgb.shape[0]}",
            "draw it at the photo's size",
        )
    grey = mask if mask.ndim == 2 else mask[..., :3].max(-1)
    alpha = grey.astype(np.float32) / (255.0 if grey.dtype == np.uint8 and grey.max() > 1 else 1.0)
    hard = alpha > 0.5
    if not hard.any() or hard.all():
        raise UsageError(
            "the mask selects " + ("everything" if hard.all() else "nothing"),
            "paint the object white on black",
        )
    # a network's mask is nowhere quite 0: all of the photo would count as the object
    snapped = np.where(alpha < _NOTHING, 0, np.where(alpha > 1 - _NOTHING, 1, alpha)).astype(np.float32)
    soft = snapped if ((snapped > 0) & (snapped < 1)).any() else matte(rgb, hard)
    return Location(word, soft.clip(0, 1), hard.astype(np.float32), 1.0, "mask")


def from_box(rgb: np.ndarray, box: tuple[float, float, float, float], word: str | None = None) -> Location:
    """The object inside a box (x0, y0, x1, y1) in [0, 1], cut out by GrabCut.

    Raises:
        UsageError: the box is not one, or is not in the frame.
    """
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise UsageError(f"a box is x0,y0,x1,y1 with 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1, got {box}")
    h, w = rgb.shape[:2]
    inside = np.zeros((h, w), bool)
    top, left = round(y0 * h), round(x0 * w)
    inside[top : max(round(y1 * h), top + 2), left : max(round(x1 * w), left + 2)] = True
    mask = grabcut(rgb, np.zeros_like(inside), inside, inside) & inside
    if mask.sum() < 0.05 * inside.sum():  # GrabCut found no object in it: the box itself is what was meant
        mask = inside
    heat = inside.astype(np.float32)
    return Location(word, matte(rgb, main_part(mask, heat)), heat, 1.0, "box")


def from_point(rgb: np.ndarray, point: tuple[float, float], word: str | None = None) -> Location:
    """The object under a point (x, y) in [0, 1]: what is of its colours and about it, settled by GrabCut.

    Raises:
        UsageError: the point is not in the frame.
        ObjectNotFoundError: nothing there stands out from its surroundings.
    """
    x, y = point
    if not (0 <= x < 1 and 0 <= y < 1):
        raise UsageError(f"a point is x,y with both in [0, 1), got {point}")
    h, w = rgb.shape[:2]
    rows, columns = np.mgrid[:h, :w]
    distance = np.hypot(columns - x * w, rows - y * h) / max(h, w)
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), max(h, w) / 256), cv2.COLOR_RGB2Lab).astype(np.float32)
    near = distance < 0.02
    alike = np.linalg.norm(lab - np.median(lab[near], axis=0), axis=-1) < 30
    likely = near | (main_part(alike | near, near.astype(np.float32)) & (distance < 0.25))
    mask = main_part(grabcut(rgb, near, likely, distance < 0.3), near.astype(np.float32))
    if not (mask & near).any() or mask.mean() > 0.2 or likely.mean() > 0.2:
        raise ObjectNotFoundError(
            f"nothing at {x:.2f},{y:.2f} stands out from its surroundings", "draw a --box or give a --mask"
        )
    return Location(word, matte(rgb, mask), near.astype(np.float32), 1.0, "point")
