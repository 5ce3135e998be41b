"""The foot of an object is the middle of its lower edge, wherever it is carried."""

from __future__ import annotations

import numpy as np
import pytest

from guidance import Transform
from realedit.compose.foot import feet, silhouette
from realedit.location import Location

H, W = 100, 200


def _location(mask: np.ndarray) -> Location:
    return Location(None, mask.astype(np.float32), mask.astype(np.float32), 1.0, "mask")


def _jug() -> Location:
    mask = np.zeros((H, W), bool)
    mask[20:80, 50:70] = mask[30:50, 70:110] = True  # a body, and an arm that reaches far to the right
    return _location(mask)


def test_an_arm_above_the_ground_does_not_shift_the_foot() -> None:
    before, after = feet(_jug(), np.array([[1.0, 0, 0.1], [0, 1.0, -0.05]]))
    assert before == pytest.approx((0.3, 0.8))
    assert after == pytest.approx((0.4, 0.75))


def test_the_foot_of_a_turned_object_is_what_is_then_lowest() -> None:
    jug = _jug()
    turned = np.array(Transform(angle=90, centre=(0.4, 0.4)).matrix(W / H))
    (_, y) = feet(jug, turned)[1]
    # the arm's end is 30 pixels right of the centre, so that it hangs 30 pixels below it
    assert y == pytest.approx(0.4 + 30 / H, abs=1 / H)


def test_the_silhouette_bounds_the_object_under_every_turn() -> None:
    rng = np.random.default_rng(0)
    yy, xx = np.mgrid[:H, :W]
    mask = np.hypot((xx - 90) / 40, (yy - 50) / 20) < 1
    mask |= rng.random((H, W)) < 0.002
    location = _location(mask)
    rows, columns = np.nonzero(mask)
    corners = np.concatenate([[(columns + i) / W, (rows + j) / H] for i in (0, 1) for j in (0, 1)], axis=1)
    for angle in (0.0, 17.0, 90.0, 200.0):
        matrix = np.array(Transform(0.1, 0.0, 0.8, angle, (0.4, 0.5), mirrored=angle > 80).matrix(W / H))
        every, told = (matrix[:, :2] @ p + matrix[:, 2:] for p in (corners, silhouette(location)))
        assert told.min(1) == pytest.approx(every.min(1))
        assert told.max(1) == pytest.approx(every.max(1))
