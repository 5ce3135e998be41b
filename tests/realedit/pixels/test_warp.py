"""Warps against shifts and scales that are known."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.pixels.warp import band_limited, warped


def test_a_shift_by_whole_pixels_moves_every_pixel_and_lets_zeros_in() -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 80, 3), dtype=np.uint8)
    moved = warped(image, [[1, 0, 8 / 80], [0, 1, -4 / 40]], 1.0)
    assert moved.dtype == np.float32
    assert moved[:36, 8:] == pytest.approx(image[4:, :72].astype(np.float32), abs=1e-3)
    assert not moved[:, :8].any()
    assert not moved[36:].any()


@pytest.mark.parametrize("scale", [0.25, 2.0])
def test_a_scaled_mask_has_the_scaled_area_and_keeps_its_centre(scale: float) -> None:
    mask = np.zeros((200, 100), np.float32)
    mask[80:120, 30:70] = 1
    shift = 0.5 - 0.5 * scale
    area = warped(mask, [[scale, 0, shift], [0, scale, shift]], scale)
    assert area.sum() == pytest.approx(scale**2 * mask.sum(), rel=0.02)
    rows, columns = np.mgrid[:200, :100]
    assert (area * rows).sum() / area.sum() == pytest.approx(99.5, abs=0.05)
    assert (area * columns).sum() / area.sum() == pytest.approx(49.5, abs=0.05)


def test_fine_stripes_do_not_alias_when_they_shrink() -> None:
    stripes = np.tile(np.array([0, 200], np.uint8), (64, 32))
    small = warped(stripes, [[0.3, 0, 0], [0, 0.3, 0]], 0.3)
    assert np.ptp(small[2:15, 2:15]) < 2
    assert band_limited(stripes, 0.75) is stripes
