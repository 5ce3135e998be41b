"""What is covered is told where a viewer misses it, not where one thing stands before another."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.compose.covering import covers


def _at(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((100, 200), bool)
    mask[y0:y1, x0:x1] = True
    return mask


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (_at(150, 20, 180, 60), False),  # beside it
        (_at(60, 10, 190, 70), False),  # behind it, a tenth of it covered
        (_at(85, 40, 105, 75), True),  # behind it and hidden
        (_at(95, 70, 160, 95), True),  # nearer: it stands lower
        (_at(98, 40, 100, 41), False),  # a speck
    ],
)
def test_a_thing_is_missed_where_it_is_hidden_or_stands_nearer(other: np.ndarray, told: bool) -> None:
    assert covers(_at(80, 30, 100, 80).astype(np.float32), other) is told


def test_things_that_touch_each_other_are_judged_where_they_are_covered() -> None:
    wall = _at(0, 10, 200, 60) | _at(180, 10, 200, 100)  # its far end comes down to the photo's edge
    assert not covers(_at(80, 30, 100, 80).astype(np.float32), wall)
