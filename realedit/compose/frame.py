"""Whether an edit keeps the object inside the frame."""

from __future__ import annotations

import math

import torch

from guidance import Transform
from realedit.errors import OutOfFrameError
from realedit.location import Box, Location


def check_frame(location: Location, transform: Transform) -> None:
    """Refuse a transform that carries the object over the border.

    Raises:
        OutOfFrameError: it says by how much.
    """
    h, w = location.mask.shape
    x0, y0, x1, y1 = location.box
    left, top, right, bottom = moved_box(location.box, transform, w / h)
    # an object that the frame cuts already may stay cut on that side
    over = {
        "left": -left if x0 > 0.003 else -left - x0,
        "right": right - 1 if x1 < 0.997 or right > x1 else 0.0,
        "top": -top if y0 > 0.003 else -top - y0,
        "bottom": bottom - 1 if y1 < 0.997 or bottom > y1 else 0.0,
    }
    _refuse(over, location.word)


def moved_box(box: Box, transform: Transform, aspect: float) -> Box:
    """The box about a box's moved corners; it may reach over the border.

    Args:
        box: (x0, y0, x1, y1) in fractions of the frame.
        transform: where it goes.
        aspect: the frame's width over its height.
    """
    x0, y0, x1, y1 = box
    corners = torch.tensor([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], dtype=torch.float64)
    moved = transform.apply(corners, aspect)
    (left, top), (right, bottom) = moved.amin(0).tolist(), moved.amax(0).tolist()
    return left, top, right, bottom


def check_box(box: Box, word: str | None = None) -> None:
    """Refuse an object whose box (x0, y0, x1, y1), in fractions of the frame, reaches over the border.

    Raises:
        OutOfFrameError: it says by how much.
    """
    x0, y0, x1, y1 = box
    _refuse({"left": -x0, "right": x1 - 1, "top": -y0, "bottom": y1 - 1}, word)


def _refuse(over: dict[str, float], word: str | None) -> None:
    side, amount = max(over.items(), key=lambda item: item[1])
    if amount > 0.002:
        name = "the object" if word is None else f"'{word}'"
        percent = math.ceil(100 * amount - 1e-6)  # 20 % is 20 % although 0.6 + 0.3 + 0.3 is a little more
        raise OutOfFrameError(
            f"{name} would leave the frame by {percent} % of its "
            f"{'width' if side in ('left', 'right') else 'height'} at the {side}",
            "use a smaller change, or --allow-crop to let it be cut",
        )
