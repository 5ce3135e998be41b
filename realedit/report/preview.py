"""Draws what an edit would do over the photo, and what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from realedit.report.drawing import (
    AMBER,
    GREEN,
    RED,
    WHITE,
    Colour,
    arrow,
    badge,
    badge_radius,
    hatch,
    outlines,
    stroke,
)

_GHOST = 0.92
"""Opacity of the object at its new place: higher looks like the edit itself, which it is not, lower is hard
to see. Set by eye."""
_DIM = 0.42
"""Brightness of what is not the object, as a share of its own, in a picture of what was found: higher sets
the object off less, lower hides where it is. Set by eye."""
_GREY = 0.65
"""How much of the colour of what is not the object is taken away there. Set by eye."""


@dataclass(frozen=True)
class Mark:
    """What a step would do to one object, as it is drawn.

    Args:
        number: the step's, from 1.
        kind: "carried" to another place, "copied" there, "gone", "changed" where it is, or "brought" from
            another photo.
        before: where it is, float32 ``[H, W]`` in [0, 1]; None of what is brought.
        after: where it goes, likewise; None where it is gone.
        ghost: its pixels there, float32 ``[H, W, 3]`` in 0..255; None where they are not known.
    """

    number: int
    kind: Literal["carried", "copied", "gone", "changed", "brought"]
    before: np.ndarray | None
    after: np.ndarray | None
    ghost: np.ndarray | None = None

    @property
    def goes(self) -> bool:
        """Whether it, or a second one, comes to another place."""
        return self.kind in ("carried", "copied")

    @property
    def colour(self) -> Colour:
        """The colour of its outline."""
        return {"gone": RED, "changed": AMBER}.get(self.kind, GREEN)


def preview(rgb: np.ndarray, marks: Sequence[Mark]) -> Image.Image:
    """Returns the photo with marks over it: dashed where an object is, solid where it goes, hatched its hole.

    Several steps are numbered.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        marks: what is drawn, at the photo's size.
    """
    picture = rgb.astype(np.float32)
    for mark in marks:
        if mark.kind in ("carried", "gone") and mark.before is not None:
            hatch(picture, mark.before, RED if mark.kind == "gone" else WHITE)
        for line in outlines(mark.before) if mark.goes and mark.before is not None else ():
            stroke(picture, line, WHITE, dashed=True)
    for mark in marks:
        if mark.ghost is not None and mark.after is not None:
            picture += (mark.ghost - picture) * (_GHOST * mark.after[..., None])
    for mark in marks:
        solid = mark.before if mark.after is None else mark.after
        for line in outlines(solid) if solid is not None else ():
            stroke(picture, line, mark.colour)
    for mark in marks:
        if mark.goes and mark.before is not None and mark.after is not None:
            start, end = _middle(mark.before), _middle(mark.after)
            if start is not None and end is not None:
                arrow(picture, start, end, WHITE)
    if len({mark.number for mark in marks}) > 1:
        _number(picture, marks)
    return Image.fromarray(picture.round().clip(0, 255).astype(np.uint8))


def _number(picture: np.ndarray, marks: Sequence[Mark]) -> None:
    """Draws the numbers of the steps; where two would lie on each other, the later one goes to the right."""
    radius = badge_radius(picture.shape)
    taken: list[tuple[float, float]] = []
    for mark in marks:
        x, y = _corner(mark.after if mark.after is not None else mark.before)
        while any(np.hypot(x - other[0], y - other[1]) < 2 * radius for other in taken):
            x += 2 * radius
        taken.append((x, y))
        badge(picture, (x, y), str(mark.number), mark.colour)


def found_over(rgb: np.ndarray, mask: np.ndarray) -> Image.Image:
    """Returns the photo, dark and grey around what was found, which is outlined.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        mask: what was found, float32 ``[H, W]`` in [0, 1].
    """
    picture = rgb.astype(np.float32)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    dark = (picture + (grey - picture) * _GREY) * _DIM
    picture = dark + (picture - dark) * mask[..., None]
    for line in outlines(mask):
        stroke(picture, line, GREEN)
    return Image.fromarray(picture.round().clip(0, 255).astype(np.uint8))


def _middle(mask: np.ndarray) -> tuple[float, float] | None:
    """Returns the centre of mass of a mask, (x, y) in pixels; None if it is empty."""
    facts = cv2.moments(mask)
    total = facts["m00"]
    return (facts["m10"] / total, facts["m01"] / total) if total > 0 else None


def _corner(mask: np.ndarray | None) -> tuple[float, float]:
    """Returns the upper left of a mask's outline, (x, y) in pixels, where a number is easily seen."""
    ys, xs = np.nonzero(mask > 0.5) if mask is not None else (np.zeros(0), np.zeros(0))
    if not len(xs):
        return 0.0, 0.0
    nearest = int(np.argmin(xs + ys))
    return float(xs[nearest]), float(ys[nearest])
