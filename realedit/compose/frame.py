"""Checks that an edit keeps the object inside the frame."""

from __future__ import annotations

import math

import numpy as np

from guidance import Transform
from realedit.errors import OutOfFrameError
from realedit.location import Box, Location

_CUT_SIDES = 0.003
"""Distance of the object's box from a border, as a share of the frame: nearer, the frame cuts the object
already and it may stay cut there; farther, it has to stay inside. Set by eye: a pixel or two of a small
photo."""
_OVER_SIDES = 0.002
"""Distance over a border, as a share of the frame: farther out an edit is refused, up to it is allowed. Set
by eye: less than a pixel of a small photo."""


def check_frame(location: Location, transform: Transform) -> None:
    """Refuses a transform that carries the object over the border.

    Raises:
        OutOfFrameError: it does; the message says by how much.
    """
    h, w = location.mask.shape
    x0, y0, x1, y1 = location.box
    left, top, right, bottom = moved_box(location.box, transform, w / h)
    # an object that the frame cuts already may stay cut on that side
    over = {
        "left": -left if x0 > _CUT_SIDES else -left - x0,
        "right": right - 1 if x1 < 1 - _CUT_SIDES or right > x1 else 0.0,
        "top": -top if y0 > _CUT_SIDES else -top - y0,
        "bottom": bottom - 1 if y1 < 1 - _CUT_SIDES or bottom > y1 else 0.0,
    }
    _refuse(over, location.word)


def moved_box(box: Box, transform: Transform, aspect: float) -> Box:
    """Returns the box about a box's moved corners; it may reach over the border.

    Args:
        box: (x0, y0, x1, y1) in fractions of the frame.
        transform: where the box goes.
        aspect: the frame's width over its height.
    """
    x0, y0, x1, y1 = box
    x, y = np.array([[x0, x1, x0, x1], [y0, y0, y1, y1]], np.float64)
    by_x, by_y, shift = np.array(transform.matrix(aspect), np.float64).T
    moved = x[:, None] * by_x + y[:, None] * by_y + shift
    (left, top), (right, bottom) = moved.min(0), moved.max(0)
    return float(left), float(top), float(right), float(bottom)


def check_box(box: Box, word: str | None = None) -> None:
    """Refuses a box (x0, y0, x1, y1), in fractions of the frame, that reaches over the border.

    Raises:
        OutOfFrameError: it does; the message says by how much.
    """
    x0, y0, x1, y1 = box
    _refuse({"left": -x0, "right": x1 - 1, "top": -y0, "bottom": y1 - 1}, word)


def _refuse(over: dict[str, float], word: str | None) -> None:
    side, amount = max(over.items(), key=lambda item: item[1])
    if amount > _OVER_SIDES:
        name = "the object" if word is None else f"'{word}'"
        percent = math.ceil(100 * amount - 1e-6)  # 0.6 + 0.3 + 0.3 is a little more than 1.2
        raise OutOfFrameError(
            f"{name} would leave the frame by {percent} % of its "
            f"{'width' if side in ('left', 'right') else 'height'} at the {side}",
            "use a smaller change, or --allow-crop to let it be cut",
        )
