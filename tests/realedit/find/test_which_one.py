from __future__ import annotations

import numpy as np
import pytest

from realedit.find.which_one import chosen, parts
from realedit.prompts import split

PLACES = {"small": (26, 20, 1.5, 0.8), "big": (16, 8, 3.0, 0.9), "hot": (6, 16, 2.0, 1.0)}


def _heat(*names: str) -> np.ndarray:
    """Blobs on a grid of 32 x 32: (x, y), spread, height."""
    rows, columns = np.mgrid[:32, :32]
    heat = np.zeros((32, 32))
    for name in names or PLACES:
        x, y, spread, height = PLACES[name]
        heat = np.maximum(heat, height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * spread**2)))
    return heat.astype(np.float32)


def _peak(heat: np.ndarray) -> tuple[int, int]:
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    return int(x), int(y)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mug", (None, "mug")),
        ("the mug", (None, "mug")),
        ("an apple", (None, "apple")),
        ("left mug", ("left", "mug")),
        ("the Left red mug", ("left", "red mug")),
        ("biggest wine glass", ("biggest", "wine glass")),
        ("left", (None, "left")),
        ("the", (None, "the")),
        ("theatre", (None, "theatre")),
        ("leftover cake", (None, "leftover cake")),
    ],
)
def test_the_word_that_says_which_one_is_split_off(words: str, expected: tuple[str | None, str]) -> None:
    assert split(words) == expected


@pytest.mark.parametrize(
    ("which", "name"),
    [
        ("left", "hot"),
        ("rightmost", "small"),
        ("top", "big"),
        ("front", "small"),
        ("middle", "big"),
        ("biggest", "big"),
        ("smallest", "small"),
    ],
)
def test_the_one_that_is_meant_keeps_its_heat_and_the_others_theirs(which: str, name: str) -> None:
    heat = _heat()
    own, others = chosen(heat, which)
    assert _peak(own) == PLACES[name][:2]
    np.testing.assert_array_equal(own + others, heat)
    assert not ((own > 0) & (others > 0)).any()
    for other, (x, y, _, height) in PLACES.items():
        if other != name:
            assert others[y, x] == pytest.approx(height, abs=0.01)
            assert own[y, x] == 0


def test_one_object_is_the_one_whatever_the_word() -> None:
    heat = _heat("big")
    own, others = chosen(heat, "left")
    np.testing.assert_array_equal(own, heat)
    assert not others.any()


def test_faint_places_are_no_objects() -> None:
    heat = _heat("big")
    heat[28:30, 2:4] = 0.3  # below the share of the highest
    heat[2, 30] = 0.9  # as hot as the object, but a single cell
    assert len(parts(heat)) == 1


def test_objects_that_touch_come_apart_where_the_heat_sinks_between_them() -> None:
    rows, columns = np.mgrid[:32, :32]
    bumps = [np.exp(-((columns - x) ** 2 + (rows - 16) ** 2) / (2 * 5.0**2)) for x in (10, 21)]
    heat = np.maximum(*bumps).astype(np.float32)
    assert heat[16, 10:22].min() > 0.5  # one place at the lowest level
    own, others = chosen(heat, "left")
    assert _peak(own) == (10, 16)
    assert _peak(others) == (21, 16)
    assert others[16, 16:].sum() > 0.9 * heat[16, 16:].sum()
