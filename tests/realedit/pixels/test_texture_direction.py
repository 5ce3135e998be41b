"""The grain of textures whose direction is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.pixels.texture_direction import texture_direction

SIDE = 128
WAVE = 0.4  # radians a pixel


def _waves(angle: float) -> np.ndarray:
    """Waves of amplitude 1 that run across the unit vector (cos, sin) as (row, column)."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    phase = WAVE * (rows * np.cos(angle) + columns * np.sin(angle))
    return np.sin(phase).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_it_lies_across_waves_and_is_their_mean_squared_slope(degrees: int) -> None:
    angle = np.deg2rad(degrees)
    known = np.ones((SIDE, SIDE), bool)
    known[50:80, 40:90] = False
    grain = texture_direction(np.where(known, _waves(angle), 50).astype(np.float32), known, 12)
    middle = slice(30, -30), slice(30, -30)  # seen and hidden
    along = grain.across[middle] @ np.array([np.cos(angle), np.sin(angle)])
    assert np.abs(along).min() > 0.99
    # central differences see sin(k cos) and sin(k sin) of the wave's slope
    slope = np.hypot(np.sin(WAVE * np.cos(angle)), np.sin(WAVE * np.sin(angle)))
    assert grain.strength[middle] == pytest.approx(slope**2 / 2, rel=0.1)


def test_noise_and_nothing_have_next_to_none() -> None:
    known = np.ones((SIDE, SIDE), bool)
    noise = np.random.default_rng(0).normal(0, 1, (SIDE, SIDE)).astype(np.float32)
    # of central differences: half the noise's variance, in each direction
    assert texture_direction(noise, known, 16).strength[30:-30, 30:-30].max() < 0.15 * 0.5
    assert not texture_direction(np.full((SIDE, SIDE), 7, np.float32), known, 16).strength.any()
    assert not texture_direction(noise, ~known, 16).strength.any()
