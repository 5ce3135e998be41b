"""Broad averages, against scipy's Gaussian filter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from realedit.pixels.normalised_blur import normalised_blur

SHAPE = (90, 130)


@pytest.fixture
def values() -> np.ndarray:
    smooth = gaussian_filter(np.random.default_rng(0).normal(0, 1, (*SHAPE, 3)), (6, 6, 0))
    return (smooth / smooth.std()).astype(np.float32)


@pytest.mark.parametrize("sigma", [4.0, 20.0])
def test_what_is_known_everywhere_is_averaged_with_a_gaussian(values: np.ndarray, sigma: float) -> None:
    """The wide one is made of fewer pixels."""
    found = normalised_blur(values, np.ones(SHAPE, bool), sigma)
    expected = gaussian_filter(values, (sigma, sigma, 0), mode="mirror")
    assert np.abs(found - expected).max() < 0.1 * values.std()


@pytest.mark.parametrize("sigma", [4.0, 20.0])
def test_what_is_unknown_has_no_say_and_is_filled(values: np.ndarray, sigma: float) -> None:
    known = np.ones(SHAPE, bool)
    known[30:60, 40:80] = False
    found, other = (
        normalised_blur(np.where(known[..., None], values, unknown).astype(np.float32), known, sigma)
        for unknown in (0, 9)
    )
    assert np.array_equal(found, other)
    flat = normalised_blur(np.where(known[..., None], 3, 0).repeat(3, 2).astype(np.float32), known, sigma)
    assert flat == pytest.approx(3, abs=0.02)
