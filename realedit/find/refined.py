"""Brings the edge of a rough mask to the photo's edges, by the cut-out network with the mask as its hint.

On 25 photographs of COCOEE on which nothing was set, whose own masks were made rough in four ways, the mean
IoU with their own masks rises: dilated from 0.72 to 0.92, eroded 0.76 to 0.90, painted with a wavering hand
0.80 to 0.87, shifted 0.81 to 0.88. Their own masks are left alone, all 25; refined all the same (``wanted``)
they keep 0.95 (``python -m examples.cutout.evaluate_masks COCOEE --part second``).

A polygon of few corners about a thing lies near its edges, and so seems precise: it is known by its straight
sides, and gives way only to a mask whose edge is clearly better. On COCOEE's first 25 photographs, on which
that was set, such polygons rise from 0.92 to 0.95, one of them becomes worse, and no own mask is touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from realedit.cutout.cutout import Answer
from realedit.pixels.edge_contrast import edge_contrast

_SHARP = 1.4
"""Edge contrast (:mod:`realedit.pixels.edge_contrast`) of a mask: at or above it the mask is precise and
stays as it is, below it is rough. Set on the first 25 photographs of COCOEE: all of their own masks reach it
(1.9 and more), of those masks dilated, eroded, painted with a wavering hand and shifted 0, 8, 16 and 24 %
do."""
_COARSE = 0.2
"""Mean length of the straight parts of a mask's outline, in sides of a square of its area: at or above it the
mask is a coarse polygon, or a thing with straight edges, and not taken for precise by its contrast alone;
below it is drawn finely. Of ten of those photographs the own masks have 0.07 to 0.16, polygons that leave out
what is smaller than 0.04 sides 0.22 to 0.38."""
_BEND = 0.006
"""How far an outline bends within a straight part, in those sides, but at least a pixel: less counts the
steps of pixels as corners, more misses fine bends. Not measured."""
_SOFT_PIXELS = 1.5
"""Mean width of a mask's soft edge in pixels: above it the mask is a matte that somebody made with care and
stays as it is, up to it the softness is that of a brush. Not measured."""
_AGREES = 0.6
"""IoU of the mask and what the network makes of it: below it the network means another thing, and the mask
stays as it is; at or above it they mean the same. Set on those 25: of 125 rough masks all that become worse
by more than 0.06 lie below it."""
_BETTER = 1.3
"""Edge contrast of what the network makes of the mask, in times the mask's own: at or above it the new edge
lies better on the photo's, below it the mask stays as it is. It decides none of those 125; of 27 polygons of
ten photographs that are refined from 1.3 on none becomes worse, between 1.05 and 1.2 half of them do."""
_EMPTY = 0.02
"""Share of a pixel: less is nothing of the object, more than 1 minus it is all of it. Not measured; a
network's mask is nowhere quite 0."""


@dataclass(frozen=True)
class Refined:
    """What becomes of a mask.

    Args:
        alpha: float32 ``[H, W]`` in [0, 1].
        changed: whether it is another than was given.
        note: what the user should know of it; None if there is nothing.
    """

    alpha: np.ndarray
    changed: bool = False
    note: str | None = None


def refined(
    rgb: np.ndarray, alpha: np.ndarray, cut_out: Callable[[np.ndarray], Answer], *, wanted: bool | None = None
) -> Refined:
    """Brings a mask's edge to the photo's edges where the mask is rough.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        alpha: the mask, float ``[H, W]`` in [0, 1].
        cut_out: cuts out what a rough mask means.
        wanted: whether the user asks for it; None leaves it to the mask: one that is soft stays as it is, and
            one that lies on the photo's edges and is no coarse polygon.
    """
    if wanted is False:
        return Refined(alpha)
    hard = alpha > 0.5
    own = edge_contrast(rgb, hard)
    if wanted is None and ((own >= _SHARP and not _coarse(hard)) or _softness(alpha) > _SOFT_PIXELS):
        return Refined(alpha)
    answer = cut_out(alpha.astype(np.float32))
    found = answer.alpha > 0.5
    if _iou(hard, found) < _AGREES:
        told = (
            "the cut-out network takes the mask for another thing: it was left as it is" if wanted else None
        )
        return Refined(alpha, note=told)
    if wanted is None and edge_contrast(rgb, found) < _BETTER * own:
        return Refined(alpha)
    note = None if wanted else "the mask is rough: its edge was brought to the photo's (--no-refine keeps it)"
    return Refined(answer.alpha, changed=True, note=note)


def _coarse(mask: np.ndarray) -> bool:
    """Whether the outline of a mask, bool ``[H, W]``, is one of few and long straight parts."""
    side = float(np.sqrt(mask.sum()))
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    around = sum(cv2.arcLength(outline, True) for outline in outlines)
    corners = sum(len(cv2.approxPolyDP(outline, max(1.0, _BEND * side), True)) for outline in outlines)
    return around >= _COARSE * side * max(1, corners)


def _softness(alpha: np.ndarray) -> float:
    """Returns the mean width of a mask's soft edge in pixels: soft pixels over those of its outline."""
    soft = (alpha > _EMPTY) & (alpha < 1 - _EMPTY)
    hard = alpha > 0.5
    outline = (hard[1:] != hard[:-1]).sum() + (hard[:, 1:] != hard[:, :-1]).sum()
    # an outline crosses about four borders of pixels where it is three pixels long
    return float(soft.sum() / max(1.0, 0.79 * outline))


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))
