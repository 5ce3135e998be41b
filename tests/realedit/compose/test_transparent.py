"""Cut-outs: the photo's own pixels inside, nothing outside, the old background out of the edge."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.compose.transparent import cropped, cut_out, laid_on

H, W = 200, 300


def _scene(softness: float) -> tuple[np.ndarray, np.ndarray]:
    """A photo of an orange disc on blue, mixed by a matte whose edge is so wide, and that matte."""
    rows, columns = np.mgrid[:H, :W] + 0.5
    away = np.hypot(columns - 140, rows - 100)
    matte = np.clip(0.5 - (away - 60) / softness, 0, 1).astype(np.float32)
    photo = matte[..., None] * (230.0, 130, 40) + (1 - matte[..., None]) * (30.0, 60, 200)
    return photo.round().astype(np.uint8), matte


def test_inside_are_the_photos_own_pixels_and_outside_is_nothing() -> None:
    rgb, matte = _scene(8)
    out = cut_out(rgb, matte)
    assert (out.shape, out.dtype) == ((H, W, 4), np.uint8)
    assert np.array_equal(out[..., 3], (matte * 255).round())
    assert np.array_equal(out[matte == 1][:, :3], rgb[matte == 1])
    assert not out[matte == 0].any()


def test_at_the_edge_the_background_is_taken_out() -> None:
    rgb, matte = _scene(8)
    edge = (matte > 0.25) & (matte < 0.75)
    own = cut_out(rgb, matte)[edge][:, :3].astype(float)
    before = np.abs(rgb[edge] - np.array((230.0, 130, 40))).mean()
    assert np.abs(own - (230, 130, 40)).mean() < 0.35 * before


def test_on_its_true_background_it_is_the_photo() -> None:
    rgb, matte = _scene(8)
    again = laid_on(cut_out(rgb, matte), (30, 60, 200)).astype(int)
    assert np.abs(again - rgb).mean() < 0.5
    assert (laid_on(cut_out(rgb, matte), (255, 255, 255))[matte == 0] == 255).all()


def test_what_the_photo_leaves_transparent_stays_so() -> None:
    rgb, matte = _scene(1)
    opacity = np.ones((H, W), np.float32)
    opacity[:100] = 0.5
    out = cut_out(rgb, matte, opacity)
    assert set(np.unique(out[:95][matte[:95] == 1][:, 3])) == {128}
    assert set(np.unique(out[105:][matte[105:] == 1][:, 3])) == {255}


@pytest.mark.parametrize("size", [(100, 200), (101, 33)])
def test_a_box_is_cut_out_to_the_pixel(size: tuple[int, int]) -> None:
    h, w = size
    picture = np.random.default_rng(0).integers(0, 256, (h, w, 4), np.uint8)
    assert np.array_equal(cropped(picture, (7 / w, 10 / h, 30 / w, 90 / h)), picture[10:90, 7:30])
    assert np.array_equal(cropped(picture, (0, 0, 0, 0)), picture)
