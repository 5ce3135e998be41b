"""Where several moves together put an object: the same as one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from guidance import Transform
from realedit.compose.piece import carried
from realedit.edits.edit import Edit
from realedit.edits.kinds import Copy, Flip, Move, Resize, Rotate
from realedit.edits.plan import steps_of
from realedit.errors import UsageError
from realedit.location import Location
from realedit.placing import Placed, placed

H, W = 200, 300


def _location(*parts: tuple[slice, slice]) -> Location:
    mask = np.zeros((H, W), np.float32)
    for part in parts:
        mask[part] = 1
    return Location(None, mask, mask, 1.0, "mask")


JUG = _location((slice(80, 140), slice(100, 130)), (slice(90, 110), slice(130, 150)))
"""A body whose foot is at (115, 140), with a handle."""


def _never() -> float | None:
    raise AssertionError("nobody asked for the horizon")


def _put(*edits: Edit, horizon: Any = _never, location: Location = JUG) -> Placed:
    (step,) = steps_of(edits)
    return placed(step, location, horizon)  # type: ignore[arg-type] # all are similarities


def _seen(transform: Transform, x: float, y: float) -> tuple[float, float]:
    """Where a point in pixels comes to lie, in pixels."""
    matrix = np.array(transform.matrix(W / H))
    to = matrix @ np.array([x / W, y / H, 1])
    return float(to[0] * W), float(to[1] * H)


def test_a_resized_objects_foot_stays_and_a_turned_ones_where_it_is_asked() -> None:
    assert _seen(_put(Resize(None, 1.7)).transform, 115, 140) == pytest.approx((115, 140))
    assert _seen(_put(Rotate(None, 20, "foot")).transform, 115, 140) == pytest.approx((115, 140))
    x, y = JUG.centroid
    for edit in (Resize(None, 1.7, "centre"), Rotate(None, 20), Flip(None)):
        assert _seen(_put(edit).transform, x * W, y * H) == pytest.approx((x * W, y * H))


def test_a_shift_alone_is_one_to_the_bit() -> None:
    transform = Transform(0.1, -0.2, centre=JUG.centroid)
    assert _put(Move(None, 0.1, -0.2), horizon=lambda: None) == Placed(transform)
    assert _put(Move(None, 0.1, -0.2, perspective="off")) == Placed(transform)


@pytest.mark.parametrize(
    "edits",
    [
        [Resize(None, 1.3), Rotate(None, 25)],
        [Rotate(None, 25), Resize(None, 1.3)],
        [Move(None, 0.05, 0.1, perspective=0.1), Resize(None, 0.8), Flip(None)],
        [Flip(None, "vertical"), Resize(None, 1.2), Move(None, 0.1), Rotate(None, -40, "foot")],
    ],
)
def test_several_at_once_are_the_same_as_one_after_the_other(edits: list[Edit]) -> None:
    at_once = carried(JUG.mask, _put(*edits).transform)
    location = JUG
    for edit in edits:
        way = _put(edit, location=location).transform
        location = replace(location, mask=carried(location.mask, way).clip(0, 1))
    assert np.abs(at_once.clip(0, 1) - location.mask).mean() < 0.002
    assert replace(JUG, mask=at_once.clip(0, 1)).box == pytest.approx(location.box, abs=1.5 / H)


def test_size_is_as_the_distance_of_the_foot_from_the_horizon() -> None:
    told = _put(Move(None, 0.1, 0.1, perspective=0.2))
    assert told.perspective == pytest.approx((0.8 - 0.2) / (0.7 - 0.2)) == told.transform.scale
    assert _seen(told.transform, 115, 140) == pytest.approx((115 + 0.1 * W, 160))
    assert _put(Move(None, 0.1, 0.1), horizon=lambda: 0.2) == told
    copied = _put_copy(Copy(None, 0.1, 0.1, scale=0.5), 0.2)
    assert copied.transform.scale == pytest.approx(0.6)
    # there and back again
    back = _put(Move(None, 0.1, 0.1, perspective=0.2), Move(None, 0, -0.1, perspective=0.2))
    to = back.transform
    assert (to.scale, to.dx, to.dy) == pytest.approx((1, 0.1, 0))


def _put_copy(edit: Copy, horizon: float) -> Placed:
    return placed(edit.way, JUG, lambda: horizon)


def test_a_horizon_far_above_changes_next_to_nothing() -> None:
    assert _put(Move(None, dy=0.05, perspective=-10)).transform.scale == 1
    assert _put(Move(None, dy=0.2, perspective=-1)).transform.scale == pytest.approx(1.9 / 1.7)


@pytest.mark.parametrize(
    ("dy", "horizon", "says"),
    [
        (0.1, 0.7, "the object's foot lies at 0.70 of the height, not below the horizon at 0.70"),
        (
            -0.3,
            0.5,
            "the object's foot would come to lie at 0.40 of the height, not below the horizon at",
        ),
        (0.25, 0.6, "by the horizon at 0.60 the object would become 3.5 times as large"),
    ],
)
def test_a_horizon_that_cannot_be_is_refused_and_a_found_one_is_not_believed(
    dy: float, horizon: float, says: str
) -> None:
    with pytest.raises(UsageError, match=f"^{says}.*; tell a higher horizon"):
        _put(Move(None, dy=dy, perspective=horizon))
    assert _put(Move(None, dy=dy), horizon=lambda: horizon).perspective is None


def test_what_the_frame_cuts_is_scaled_about_the_border() -> None:
    bus = _location((slice(80, 140), slice(240, 300)))
    assert _seen(_put(Resize(None, 0.5), location=bus).transform, 300, 140) == pytest.approx((300, 140))
    lamp = _location((slice(0, 50), slice(100, 140)))
    assert _seen(_put(Resize(None, 0.5), location=lamp).transform, 120, 0) == pytest.approx((120, 0))
    shelf = _location((slice(80, 140), slice(0, 300)))  # both sides cannot stay
    assert _seen(_put(Resize(None, 0.5), location=shelf).transform, 150, 140) == pytest.approx((150, 140))


def test_a_horizon_that_was_found_is_believed_up_to_a_moderate_change_of_size() -> None:
    # the foot lies at 140 of 200: 0.2 below a horizon at 0.5, and 0.1 farther down 1.5 times as far from it
    assert _put(Move(None, 0, 0.1), horizon=lambda: 0.5).perspective == pytest.approx(1.5)
    assert _put(Move(None, 0, 0.2), horizon=lambda: 0.5).perspective is None
    assert _put(Move(None, 0, 0.2, perspective=0.5)).perspective == pytest.approx(2)
