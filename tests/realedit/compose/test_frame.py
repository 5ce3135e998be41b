"""Boxes that leave the frame are refused; moved boxes are those of the transform itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from guidance import Transform
from realedit.compose.frame import check_box, check_frame, moved_box
from realedit.errors import OutOfFrameError
from realedit.location import Location


def _object(rows: slice, columns: slice) -> Location:
    mask = np.zeros((200, 400), np.float32)
    mask[rows, columns] = 1
    return Location("mug", mask, mask, 1.0, "mask")


def test_a_moved_box_is_that_of_the_transform_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    for k in range(200):
        transform = Transform(
            dx=float(rng.uniform(-0.5, 0.5)),
            dy=float(rng.uniform(-0.5, 0.5)),
            scale=float(rng.uniform(0.3, 2)),
            angle=float(rng.uniform(-180, 180)) if k % 2 else 0.0,
            centre=(0.3, 0.6) if k % 3 else None,
        )
        (x0, y0), (x1, y1) = np.sort(rng.uniform(0, 1, (2, 2)), axis=0).tolist()
        corners = torch.tensor([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], dtype=torch.float64)
        moved = transform.apply(corners, 1.5)
        expected = (*moved.amin(0).tolist(), *moved.amax(0).tolist())
        assert moved_box((x0, y0, x1, y1), transform, 1.5) == expected


def test_a_quarter_turn_swaps_the_sides_of_a_box() -> None:
    turned = moved_box((0.4, 0.25, 0.6, 0.75), Transform(angle=90, centre=(0.5, 0.5)), 2.0)
    assert turned == pytest.approx((0.375, 0.3, 0.625, 0.7))


@pytest.mark.parametrize(
    ("to", "says"),
    [
        (Transform(dx=0.7), "'mug' would leave the frame by 20 % of its width at the right"),
        (Transform(dx=-0.5), "'mug' would leave the frame by 25 % of its width at the left"),
        (Transform(dy=0.6), "'mug' would leave the frame by 20 % of its height at the bottom"),
        (Transform(dy=-0.6), "'mug' would leave the frame by 20 % of its height at the top"),
    ],
)
def test_what_would_leave_the_frame_is_refused_by_how_much(to: Transform, says: str) -> None:
    with pytest.raises(OutOfFrameError, match=says):
        check_frame(_object(slice(80, 120), slice(100, 200)), to)


def test_what_stays_in_the_frame_or_is_cut_by_it_already_may_move() -> None:
    check_frame(_object(slice(80, 120), slice(100, 200)), Transform(dx=0.5))
    cut = _object(slice(80, 120), slice(300, 400))
    check_frame(cut, Transform(dx=-0.2))
    check_frame(cut, Transform(dy=0.3))
    with pytest.raises(OutOfFrameError, match="by 10 % of its width at the right"):
        check_frame(cut, Transform(dx=0.1))


def test_a_box_over_the_border_is_refused() -> None:
    check_box((0.0, 0.0, 1.0, 1.0))
    check_box((-0.001, 0.2, 1.001, 0.4))
    with pytest.raises(
        OutOfFrameError, match="the object would leave the frame by 5 % of its height at the top"
    ):
        check_box((0.2, -0.05, 0.4, 0.2))
