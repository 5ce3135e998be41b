"""PSNR and SSIM against their equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from bench_data import scene
from realedit.bench.metrics.pixel import CAP, psnr, ssim

RNG = np.random.default_rng(0)


def test_psnr_of_a_constant_error() -> None:
    a = np.full((20, 30, 3), 100, np.uint8)
    assert psnr(a + 5, a) == pytest.approx(20 * math.log10(255 / 5))
    assert psnr(a, a) == CAP


def test_psnr_of_a_region_is_of_its_pixels_alone() -> None:
    a = np.full((20, 30, 3), 100, np.uint8)
    b = a.copy()
    b[:, 15:] += 10
    left = np.zeros((20, 30), bool)
    left[:, :15] = True
    assert psnr(b, a, left) == CAP
    assert psnr(b, a, ~left) == pytest.approx(20 * math.log10(255 / 10))


def by_hand(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Wang et al. 2004, eq. 13, channel by channel."""

    def blur(a: np.ndarray) -> np.ndarray:
        return gaussian_filter(a, 1.5, truncate=3.5)

    maps = []
    for k in range(3):
        a, b = x[..., k].astype(float), y[..., k].astype(float)
        mean_a, mean_b = blur(a), blur(b)
        spread_a, spread_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
        together = blur(a * b) - mean_a * mean_b
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        top = (2 * mean_a * mean_b + c1) * (2 * together + c2)
        maps.append(top / ((mean_a**2 + mean_b**2 + c1) * (spread_a + spread_b + c2)))
    return np.stack(maps, -1)


def test_ssim_by_hand() -> None:
    a, mask = scene()
    b = np.clip(a + RNG.normal(0, 12, a.shape), 0, 255).astype(np.uint8)
    similarity = by_hand(a, b)
    assert ssim(b, a) == pytest.approx(similarity[5:-5, 5:-5].mean(), abs=1e-6)
    assert ssim(b, a, mask) == pytest.approx(similarity[mask].mean(), abs=1e-6)
    assert ssim(a, a) == pytest.approx(1)


def test_ssim_of_constants() -> None:
    # only the luminance term is left: (2 m n + c1) / (m^2 + n^2 + c1)
    m, n, c1 = 100.0, 150.0, (0.01 * 255) ** 2
    a, b = np.full((32, 32, 3), 100, np.uint8), np.full((32, 32, 3), 150, np.uint8)
    assert ssim(b, a) == pytest.approx((2 * m * n + c1) / (m * m + n * n + c1))
