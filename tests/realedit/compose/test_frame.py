"""What leaves the frame is refused, and what the frame has cut off where its edge would show."""

from __future__ import annotations

import numpy as np
import pytest

from guidance import Transform
from realedit.compose.frame import check_box, check_frame, lost_share, moved_box
from realedit.errors import OutOfFrameError
from realedit.location import Location


def _object(rows: slice, columns: slice) -> Location:
    mask = np.zeros((200, 400), np.float32)
    mask[rows, columns] = 1
    return Location("mug", mask, mask, 1.0, "mask")


def test_the_box_of_a_turned_object_is_about_its_pixels() -> None:
    yy, xx = np.mgrid[:200, :400] + 0.5
    disc = (np.hypot(xx - 200, yy - 100) < 60).astype(np.float32)
    ball = Location("ball", disc, disc, 1.0, "mask")
    for angle in (0.0, 33.0, 45.0, 90.0):
        turned = moved_box(ball, Transform(angle=angle, centre=(0.5, 0.5)))
        assert turned == pytest.approx((0.35, 0.2, 0.65, 0.8), abs=0.01)


def test_a_quarter_turn_swaps_the_sides_of_a_box() -> None:
    box = _object(slice(50, 150), slice(160, 240))
    turned = moved_box(box, Transform(angle=90, centre=(0.5, 0.5)))
    assert turned == pytest.approx((0.375, 0.3, 0.625, 0.7))


def test_a_round_thing_at_the_border_may_turn() -> None:
    """The corners of its box would leave the photo, the thing itself does not."""
    yy, xx = np.mgrid[:200, :400] + 0.5
    disc = (np.hypot(xx - 64, yy - 100) < 60).astype(np.float32)
    ball = Location("ball", disc, disc, 1.0, "mask")
    check_frame(ball, Transform(angle=45, centre=ball.centroid))
    with pytest.raises(OutOfFrameError, match="at the left"):
        check_frame(_object(slice(40, 160), slice(4, 124)), Transform(angle=45, centre=(0.16, 0.5)))


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
    check_frame(cut, Transform(dy=0.3))
    with pytest.raises(OutOfFrameError, match="by 10 % of its width at the right"):
        check_frame(cut, Transform(dx=0.1))


def test_a_sliver_may_leave_the_frame() -> None:
    thing = _object(slice(80, 120), slice(300, 399))
    assert lost_share(thing, Transform(dx=2 / 400)) == pytest.approx(1 / 99)
    check_frame(thing, Transform(dx=2 / 400))
    assert lost_share(thing, Transform(dx=4 / 400)) == pytest.approx(3 / 99)
    with pytest.raises(OutOfFrameError, match="by 1 % of its width at the right"):
        check_frame(thing, Transform(dx=4 / 400))


def test_a_box_over_the_border_is_refused() -> None:
    check_box((0.0, 0.0, 1.0, 1.0))
    check_box((-0.001, 0.2, 1.001, 0.4))
    with pytest.raises(
        OutOfFrameError, match="the object would leave the frame by 5 % of its height at the top"
    ):
        check_box((0.2, -0.05, 0.4, 0.2))


def test_a_cut_edge_stays_at_its_border_or_is_refused() -> None:
    cut = _object(slice(80, 120), slice(300, 400))
    with pytest.raises(
        OutOfFrameError,
        match=r"^'mug' goes on beyond the frame at the right: its straight edge would show; keep",
    ):
        check_frame(cut, Transform(dx=-0.2))
    check_frame(cut, Transform(scale=0.5, centre=(1.0, 0.6)))
    with pytest.raises(OutOfFrameError, match="straight edge"):
        check_frame(cut, Transform(scale=0.5, centre=(0.875, 0.6)))
    corner = _object(slice(160, 200), slice(300, 400))
    with pytest.raises(OutOfFrameError, match="frame at the bottom:"):
        check_frame(corner, Transform(dy=-0.2))


def test_an_object_that_hardly_touches_the_border_may_leave_it() -> None:
    mask = np.zeros((200, 400), np.float32)
    mask[80:120, 310:399] = mask[99:101, 399] = 1
    check_frame(Location("mug", mask, mask, 1.0, "mask"), Transform(dx=-0.2))
