"""A picture from its gradients, against solutions in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.pixels.screened_poisson import solve_screened_poisson

SIDE = 24
HOLE = np.zeros((SIDE, SIDE), bool)
HOLE[7:17, 5:15] = True
NOTHING = np.zeros((SIDE, SIDE), bool)


def _steps(values: np.ndarray) -> dict[str, np.ndarray]:
    down, right = np.zeros_like(values), np.zeros_like(values)
    down[:-1], right[:, :-1] = np.diff(values, axis=0), np.diff(values, axis=1)
    return {"down": down, "right": right}


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (SIDE, SIDE, 3))


def test_its_own_gradients_give_a_picture_back(picture: np.ndarray) -> None:
    found = solve_screened_poisson(
        np.where(HOLE[..., None], 9.0, picture), HOLE, NOTHING, **_steps(picture), length=1e6
    )
    assert np.abs(found - picture).max() < 1e-6


def test_what_is_known_stays_and_nothing_is_changed_in_place(picture: np.ndarray) -> None:
    before = picture.copy()
    found = solve_screened_poisson(picture, HOLE, NOTHING, **_steps(0 * picture), length=5.0)
    assert np.array_equal(found[~HOLE], before[~HOLE])
    assert np.array_equal(picture, before)
    same = solve_screened_poisson(picture, NOTHING, NOTHING, **_steps(picture), length=5.0)
    assert np.array_equal(same, before)
    assert same is not picture


def test_a_strip_fades_from_its_rim_over_the_length() -> None:
    """Flat, 0 at its rim and 1 by its values: 1 - cosh(k x) / cosh(k a), with 2 cosh k = 2 + 1 / length^2."""
    length, width = 3.0, 15
    strip = np.zeros((SIDE, SIDE), bool)
    strip[:, 4 : 4 + width] = True
    flat = np.zeros((SIDE, SIDE, 1))
    found = solve_screened_poisson(
        strip[..., None].astype(float), strip, NOTHING, down=flat, right=flat, length=length
    )
    k = np.arccosh(1 + 1 / (2 * length**2))
    x = np.arange(width) - (width - 1) / 2
    expected = 1 - np.cosh(k * x) / np.cosh(k * (width + 1) / 2)
    assert found[:, 4 : 4 + width, 0] == pytest.approx(np.tile(expected, (SIDE, 1)), abs=1e-9)


def test_nothing_is_joined_to_what_is_left_out(picture: np.ndarray) -> None:
    forbidden = np.zeros_like(HOLE)
    forbidden[7:17, 15:] = True
    flat = _steps(0 * picture)
    found, other = (
        solve_screened_poisson(
            np.where(forbidden[..., None], value, picture), HOLE, forbidden, **flat, length=5.0
        )
        for value in (0.0, 100.0)
    )
    assert np.array_equal(found[HOLE], other[HOLE])
