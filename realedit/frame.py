"""Whether an edit keeps the object inside the frame."""

from __future__ import annotations

import math

import torch

from guidance import Transform
from realedit.errors import OutOfFrameError
from realedit.locate import Location


def check_frame(location: Location, transform: Transform) -> None:
    """Refuse a transform that carries the object over the border.

    Raises:
        OutOfFrameError: it says by how much.
    """
    h, w = location.mask.shape
    x0, y0, x1, y1 = location.box
    corners = torch.tensor([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], dtype=torch.float64)
    moved = transform.apply(corners, w / h)
    low, high = moved.amin(0).tolist(), moved.amax(0).tolist()
    # an object that the frame cuts already may stay cut on that side
    over = {
        "left": -low[0] if x0 > 0.003 else -low[0] - x0,
        "right": high[0] - 1 if x1 < 0.997 or high[0] > x1 else 0.0,
        "top": -low[1] if y0 > 0.003 else -low[1] - y0,
        "bottom": high[1] - 1 if y1 < 0.997 or high[1] > y1 else 0.0,
    }
    _refuse(over)


def check_box(box: tuple[float, float, float, float]) -> None:
    """Refuse an object whose box (x0, y0, x1, y1), in fractions of the frame, reaches over the border.

    Raises:
        OutOfFrameError: it says by how much.
    """
    x0, y0, x1, y1 = box
    _refuse({"left": -x0, "right": x1 - 1, "top": -y0, "bottom": y1 - 1})


def _refuse(over: dict[str, float]) -> None:
    side, amount = max(over.items(), key=lambda item: item[1])
    if amount > 0.002:
        raise OutOfFrameError(
            f"the object would leave the frame by {math.ceil(100 * amount)} % of its "
            f"{'width' if side in ('left', 'right') else 'height'} at the {side}",
            "use a smaller change, or --allow-crop to let it be cut",
        )
