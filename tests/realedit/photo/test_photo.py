"""Compositing into a photo's own samples, in every mode."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit.photo.photo import Photo, composite, hidden_by_alpha, load_photo
from realedit.photo.samples import Samples

MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "RGB;16", "RGBA;16"]


def _noise(*shape: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def _samples(mode: str, height: int = 12, width: int = 17) -> Samples:
    shape = (height, width)
    if mode == "1":
        return Samples(mode, _noise(*shape) > 127)
    if mode == "P":
        palette = _noise(40, 4, seed=1)
        palette[:, 3] = 255
        palette[:5, 3] = 0
        return Samples(mode, _noise(*shape) % 40, palette)
    if mode == "I;16":
        return Samples(mode, _noise(*shape, dtype=np.uint16))
    if mode.endswith(";16"):
        return Samples(mode, _noise(*shape, len(mode) - 3, dtype=np.uint16))
    channels = len(mode)
    return Samples(mode, _noise(*shape, channels) if channels > 1 else _noise(*shape))


def _photo(mode: str) -> Photo:
    samples = _samples(mode)
    return Photo(samples.to_rgb(), samples, load_photo(np.zeros((1, 1, 3), np.uint8)).metadata)


@pytest.mark.parametrize("mode", MODES)
def test_composite_keeps_every_sample_where_alpha_is_zero(mode: str) -> None:
    photo = _photo(mode)
    alpha = np.zeros((12, 17), np.float32)
    alpha[3:8, 4:11] = np.linspace(0.0, 1.0, 35, dtype=np.float32).reshape(5, 7)
    edited = _noise(12, 17, 3, seed=9)
    result = composite(photo, edited, alpha)
    outside = alpha == 0
    assert result.native.values.dtype == photo.native.values.dtype
    np.testing.assert_array_equal(result.native.values[outside], photo.native.values[outside])
    np.testing.assert_array_equal(result.rgb[outside], photo.rgb[outside])
    assert (result.native.values != photo.native.values).any()
    np.testing.assert_array_equal(result.rgb, result.native.to_rgb())


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGB;16", "RGBA;16", "CMYK"])
def test_composite_gives_the_edited_colour_where_alpha_is_one(mode: str) -> None:
    photo = _photo(mode)
    edited = _noise(12, 17, 3, seed=9)
    result = composite(photo, edited, np.ones((12, 17), np.float32))
    np.testing.assert_array_equal(result.rgb, edited)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_composite_gives_the_edited_luma_in_grey_modes(mode: str) -> None:
    edited = _noise(12, 17, 3, seed=9)
    result = composite(_photo(mode), edited, np.ones((12, 17), np.float32))
    luma = np.asarray(Image.fromarray(edited).convert("L"))
    np.testing.assert_array_equal(result.rgb, np.repeat(luma[..., None], 3, axis=-1))


@pytest.mark.parametrize("mode", MODES)
def test_composite_carries_transparency(mode: str) -> None:
    photo = _photo(mode)
    result = composite(photo, _noise(12, 17, 3, seed=9), np.ones((12, 17), np.float32))
    before, after = photo.native.alpha, result.native.alpha
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("mode", MODES)
def test_composite_keeps_own_samples_inside_where_the_edit_changes_nothing(mode: str) -> None:
    photo = _photo(mode)
    result = composite(photo, photo.rgb.copy(), np.ones((12, 17), np.float32))
    np.testing.assert_array_equal(result.native.values, photo.native.values)


def test_composite_blends_linearly() -> None:
    photo = load_photo(np.full((2, 3, 3), 100, np.uint8))
    result = composite(photo, np.full((2, 3, 3), 200, np.uint8), np.full((2, 3), 0.25, np.float32))
    assert (result.rgb == 125).all()


def test_composite_in_a_palette_dithers_to_the_mean_of_the_edited_colour() -> None:
    greys = np.repeat(np.array([0, 255], np.uint8)[:, None], 4, axis=1)
    greys[:, 3] = 255
    samples = Samples("P", np.zeros((32, 32), np.uint8), greys)
    photo = Photo(samples.to_rgb(), samples, load_photo(np.zeros((1, 1, 3), np.uint8)).metadata)
    result = composite(photo, np.full((32, 32, 3), 128, np.uint8), np.ones((32, 32), np.float32))
    assert set(np.unique(result.native.values)) == {0, 1}
    assert abs(float(result.rgb.mean()) - 128) < 8


@pytest.mark.parametrize(
    ("edited", "alpha", "text"),
    [
        (np.zeros((3, 4, 3), np.uint8), np.zeros((2, 2), np.float32), "alpha: expected floats [3, 4]"),
        (
            np.zeros((2, 2, 3), np.uint8),
            np.zeros((3, 4), np.float32),
            "expected uint8 [3, 4, 3], got uint8 [2, 2, 3]",
        ),
        (np.zeros((3, 4, 3), np.float32), np.zeros((3, 4), np.float32), "got float32"),
        (np.zeros((3, 4, 3), np.uint8), np.full((3, 4), 1.5, np.float32), "expected values in [0, 1]"),
        (np.zeros((3, 4, 3), np.uint8), np.full((3, 4), np.nan, np.float32), "expected values in [0, 1]"),
    ],
)
def test_composite_refuses_what_does_not_fit(edited: np.ndarray, alpha: np.ndarray, text: str) -> None:
    photo = load_photo(np.zeros((3, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=re.escape(text)):
        composite(photo, edited, alpha)


def test_to_pillow_keeps_mode_and_values() -> None:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"):
        photo = _photo(mode)
        image = photo.to_pillow()
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image), photo.native.values)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "RGBA;16", "P"])
def test_an_edit_is_warned_of_only_where_the_photo_is_not_opaque(mode: str) -> None:
    photo = _photo(mode)
    opacity = photo.native.alpha
    assert opacity is not None
    for transparent in (True, False):
        where = (opacity == np.iinfo(opacity.dtype).max) ^ transparent
        if not where.any():
            continue
        after = composite(photo, 255 - photo.rgb, where.astype(np.float32))
        assert (after.rgb != photo.rgb).any()
        assert len(hidden_by_alpha(photo, after)) == transparent
    assert hidden_by_alpha(photo, photo) == ()


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "CMYK", "I;16", "RGB;16"])
def test_no_edit_of_a_photo_without_transparency_is_warned_of(mode: str) -> None:
    photo = _photo(mode)
    after = composite(photo, 255 - photo.rgb, np.ones(photo.rgb.shape[:2], np.float32))
    assert (after.rgb != photo.rgb).any()
    assert hidden_by_alpha(photo, after) == ()


def test_a_palette_with_an_opacity_for_each_index_is_edited_in_full_colour(tmp_path: Path) -> None:
    image = Image.frombytes("P", (40, 40), (np.arange(1600) % 40).astype(np.uint8).tobytes())
    image.putpalette(np.random.default_rng(5).integers(0, 256, (40, 3), np.uint8).tobytes())
    image.save(tmp_path / "photo.png", transparency=bytes(range(100, 140)))
    photo = load_photo(tmp_path / "photo.png")
    assert photo.native.mode == "P"
    alpha = np.zeros((40, 40), np.float32)
    alpha[10:20, 10:30] = 1
    edited = composite(photo, np.full((40, 40, 3), (9, 99, 200), np.uint8), alpha)
    assert edited.native.mode == "RGBA"
    assert (edited.rgb[10:20, 10:30] == (9, 99, 200)).all()
    outside = alpha == 0
    np.testing.assert_array_equal(edited.rgb[outside], photo.rgb[outside])
    assert photo.native.alpha is not None
    np.testing.assert_array_equal(edited.native.values[..., 3], photo.native.alpha)


def test_a_palette_with_few_transparent_indices_keeps_its_palette() -> None:
    image = Image.frombytes("P", (40, 40), (np.arange(1600) % 40).astype(np.uint8).tobytes())
    image.putpalette(np.random.default_rng(5).integers(0, 256, (40, 3), np.uint8).tobytes())
    image.info["transparency"] = bytes([0, 128])
    photo = load_photo(image)
    edited = composite(photo, np.full((40, 40, 3), 90, np.uint8), np.ones((40, 40), np.float32))
    assert edited.native.mode == "P"
