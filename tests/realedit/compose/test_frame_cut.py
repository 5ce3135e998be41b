from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidance import Transform
from realedit.compose.frame_cut import cut_sides, shown_edges
from realedit.location import Location

H, W = 120, 200


def _at(rows: slice, columns: slice) -> Location:
    mask = np.zeros((H, W), np.float32)
    mask[rows, columns] = 1
    return Location(None, mask, mask, 1.0, "mask")


@pytest.mark.parametrize(
    ("rows", "columns", "sides"),
    [
        (slice(40, 80), slice(60, 100), set()),
        (slice(40, 80), slice(0, 40), {"left"}),
        (slice(40, 80), slice(160, 200), {"right"}),
        (slice(0, 30), slice(160, 200), {"right", "top"}),
        (slice(100, 120), slice(60, 100), {"bottom"}),
    ],
)
def test_the_sides_that_cut_an_object(rows: slice, columns: slice, sides: set[str]) -> None:
    assert cut_sides(_at(rows, columns).hard) == sides


def test_a_corner_that_touches_is_not_cut() -> None:
    mask = _at(slice(40, 80), slice(1, 40)).hard
    mask[60, 0] = True
    assert not cut_sides(mask)


@pytest.mark.parametrize(
    ("to", "seen"),
    [
        (Transform(dx=0.2), {"left"}),
        (Transform(dy=0.2), set()),
        (Transform(dx=-0.05, dy=0.1), set()),
        (Transform(scale=0.5), {"left"}),
        (Transform(scale=1.5), set()),
        (Transform(angle=20.0), {"left"}),
        (Transform(mirrored=True), {"left"}),
        (Transform(dx=0.8, mirrored=True), set()),
        (Transform(dx=-0.1, dy=0.0, angle=180.0), {"left"}),
    ],
)
def test_a_cut_edge_shows_where_the_object_leaves_it(to: Transform, seen: set[str]) -> None:
    location = _at(slice(40, 80), slice(0, 40))
    assert shown_edges(location, replace(to, centre=location.centroid)) == seen
