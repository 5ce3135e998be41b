from __future__ import annotations

import cv2
import numpy as np
import pytest

from realedit.find.by_hand import from_mask
from realedit.pixels.foreground import foreground

H, W = 600, 900


def _scene(softness: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photo, the matte and the colours of a blue thing, mottled, on a bright yellow one."""
    rows, columns = np.mgrid[:H, :W]
    disc = ((columns - 450) / 120) ** 2 + ((rows - 300) / 90) ** 2 < 1
    alpha = cv2.GaussianBlur(disc.astype(np.float32), (0, 0), softness)
    rng = np.random.default_rng(0)
    mottle = cv2.GaussianBlur(rng.normal(size=(H, W)), (0, 0), 8)[..., None]
    own = np.array((30.0, 60.0, 150.0)) + 300 * mottle
    behind = np.array((230.0, 220.0, 90.0)) + 300 * mottle[::-1]
    mixed = alpha[..., None] * own + (1 - alpha[..., None]) * behind
    return mixed.clip(0, 255).round().astype(np.uint8), alpha, own


@pytest.mark.parametrize("softness", [1.0, 2.0, 4.0])
def test_at_a_known_matte_the_colours_are_the_things_own(softness: float) -> None:
    rgb, alpha, own = _scene(softness)
    edge = (alpha > 0.1) & (alpha < 0.9)
    off = np.abs(foreground(rgb, alpha) - own)[edge].mean()
    # 77 where the photo's own colours are taken; 12 at the widest edge
    assert off < 15


@pytest.mark.parametrize("softness", [1.0, 2.0])
def test_on_black_a_thing_cut_from_yellow_has_no_yellow_rim(softness: float) -> None:
    """Told a hard mask, as users draw it."""
    rgb, alpha, own = _scene(softness)
    matte = from_mask(rgb, (alpha > 0.5).astype(np.uint8) * 255).mask[..., None]
    truth = alpha[..., None] * own
    rim = (alpha > 0.02) & (alpha < 0.98)
    plain = np.abs(matte * rgb - truth)[rim].mean()
    cleaned = np.abs(matte * foreground(rgb, matte[..., 0]) - truth)[rim].mean()
    assert cleaned < 0.6 * plain


def test_pieces_of_a_large_photo_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rgb, alpha, _ = _scene(2.0)
    whole = foreground(rgb, alpha)
    monkeypatch.setattr("realedit.pixels.foreground._TILE_PIXELS", 64)
    np.testing.assert_allclose(foreground(rgb, alpha), whole, atol=1e-3)


def test_where_nothing_shines_through_it_is_the_photo() -> None:
    rgb, alpha, _ = _scene(2.0)
    found = foreground(rgb, alpha)
    sure = (alpha == 0) | (alpha == 1)
    assert np.array_equal(found[sure], rgb[sure])
    hard = (alpha > 0.5).astype(np.float32)
    assert np.array_equal(foreground(rgb, hard), rgb)
