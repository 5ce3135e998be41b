"""Tests of what a mask leaves of its object: made discs, of which the mask shows a smaller one."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.compose.rest import rest_beside

ROWS, COLUMNS = np.mgrid[:120, :160]
RED, BLUE, TABLE = (200, 40, 40), (40, 60, 200), (180, 165, 140)


def disc(x: float, y: float, radius: float) -> np.ndarray:
    return np.hypot(COLUMNS - x, ROWS - y) <= radius


def photo(noise: float = 0.0) -> np.ndarray:
    """A red disc on a grained table, against which a blue box stands on the right."""
    rgb = np.zeros((*ROWS.shape, 3)) + TABLE
    rgb[:, 92:] = BLUE
    rgb[disc(70, 60, 24)] = RED
    rgb += np.random.default_rng(0).normal(0, noise, rgb.shape)
    return rgb.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("noise", [0.0, 6.0])
def test_what_the_mask_missed_is_found_and_the_neighbour_is_not(noise: float) -> None:
    mask = disc(70, 60, 20)
    found = rest_beside(photo(noise), mask, reach=8, unit=1)
    missed, other = disc(70, 60, 24) & ~mask, ~disc(70, 60, 25)
    assert found[missed].mean() > 0.97
    assert found[other].mean() < 2e-3
    assert not found[mask].any()


def test_nothing_is_left_about_a_mask_that_is_whole() -> None:
    mask = disc(64, 60, 25)
    rgb = np.where(mask[..., None], np.array(RED), np.array(TABLE)).astype(np.uint8)
    assert not rest_beside(rgb, mask, reach=8, unit=1).any()


def test_other_things_and_like_colours_stay() -> None:
    mask = disc(70, 60, 20)
    elsewhere = np.zeros_like(mask)
    elsewhere[:60] = True
    found = rest_beside(photo(), mask, reach=8, unit=1, elsewhere=elsewhere)
    assert found.any()
    assert not found[:60].any()
    plain = np.full((*mask.shape, 3), 128, np.uint8)
    assert not rest_beside(plain, mask, reach=8, unit=1).any()


def test_a_mask_that_leaves_nothing_beside_it_has_no_rest() -> None:
    assert not rest_beside(photo(), np.ones(ROWS.shape, bool), reach=8, unit=1).any()
