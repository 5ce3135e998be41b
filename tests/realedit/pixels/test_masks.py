"""Morphology of masks, in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.pixels.masks import connected, disk, grow, main_part, shrink


def _disc(h: int, w: int, x: float, y: float, r: float) -> np.ndarray:
    rows, columns = np.mgrid[:h, :w]
    return np.hypot(columns - x, rows - y) <= r


@pytest.mark.parametrize("radius", [0, 1, 4, 7.4])
def test_a_disc_grows_and_shrinks_by_the_radius(radius: float) -> None:
    point = _disc(40, 50, 25, 20, 0)
    grown = grow(point, radius)
    assert np.array_equal(grown, _disc(40, 50, 25, 20, round(radius)))
    assert np.array_equal(shrink(~point, radius), ~grown)


def test_the_border_of_the_frame_is_no_edge_and_nothing_grows_to_nothing() -> None:
    assert shrink(np.ones((5, 6), bool), 3).all()
    assert not grow(np.zeros((5, 6), bool), 3).any()


def test_a_disk_has_an_odd_side() -> None:
    assert [disk(radius).shape for radius in (-1, 0, 0.4, 3)] == [(1, 1), (1, 1), (1, 1), (7, 7)]


def test_connected_parts_are_those_that_reach_the_place() -> None:
    left, right = _disc(64, 96, 20, 30, 8), _disc(64, 96, 70, 30, 15)
    assert np.array_equal(connected(left | right, _disc(64, 96, 20, 30, 2)), left)
    assert not connected(left | right, np.zeros((64, 96), bool)).any()


def test_the_main_part_is_the_one_that_weighs_most() -> None:
    small, large = _disc(64, 96, 20, 30, 8), _disc(64, 96, 70, 30, 15)
    assert np.array_equal(main_part(small | large, np.ones((64, 96), np.float32)), large)
    assert np.array_equal(main_part(small | large, 10.0 * small + 0.1), small)
    nothing = np.zeros((64, 96), bool)
    assert np.array_equal(main_part(nothing, np.ones((64, 96))), nothing)
