from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2lab

from realedit.pixels.colour_transfer import transfer


def _noise(
    seed: int, mean: tuple[float, float, float], spread: float, h: int = 40, w: int = 60
) -> np.ndarray:
    """Grained colour well inside the gamut, float32 ``[h, w, 3]`` in 0..255."""
    grain = np.random.default_rng(seed).normal(0, spread, (h, w, 3))
    return (np.array(mean) + grain).clip(20, 235).astype(np.float32)


def _lab(picture: np.ndarray) -> np.ndarray:
    """By another library than the one under test, and without its tables."""
    return rgb2lab(picture.astype(np.float64) / 255)


def _disc(h: int = 40, w: int = 60, r: float = 14) -> np.ndarray:
    rows, columns = np.mgrid[:h, :w] + 0.5
    return (np.hypot(columns - w / 2, rows - h / 2) < r).astype(np.float32)


OWN = _noise(0, (150, 110, 90), 12)
OTHER = _noise(1, (90, 120, 140), 9, 50, 30).round().astype(np.uint8)
MATTE, OTHER_MATTE = _disc(), _disc(50, 30, 11)


def test_mean_and_spread_become_the_others() -> None:
    out = transfer(OWN, MATTE, OTHER, OTHER_MATTE)
    inside, theirs = _lab(out)[MATTE == 1], _lab(OTHER)[OTHER_MATTE == 1]
    before = _lab(OWN)[MATTE == 1]
    assert np.abs(before.mean(0) - theirs.mean(0)).max() > 10
    assert inside.mean(0) == pytest.approx(theirs.mean(0), abs=0.2)
    assert inside.std(0) == pytest.approx(theirs.std(0), rel=0.02)
    assert out.dtype == np.float32


def test_outside_the_matte_it_is_the_picture_to_the_bit() -> None:
    out = transfer(OWN, MATTE, OTHER, OTHER_MATTE)
    assert np.array_equal(out[MATTE == 0], OWN[MATTE == 0])
    assert (out[MATTE == 1] != OWN[MATTE == 1]).any(-1).mean() > 0.99


def test_from_itself_nothing_changes() -> None:
    picture = OWN.round().astype(np.uint8)
    out = transfer(picture.astype(np.float32), MATTE, picture, MATTE)
    assert np.abs(out - picture).max() < 1
    assert np.abs(out - picture).mean() < 0.1


@pytest.mark.parametrize(("spread", "factor"), [(2.0, 2.0), (40.0, 0.5)])
def test_the_spread_changes_by_no_more_than_a_factor_of_two(spread: float, factor: float) -> None:
    own = _noise(0, (128, 128, 128), spread)
    other = _noise(1, (128, 128, 128), 9 if spread == 40 else 30).round().astype(np.uint8)
    everything = np.ones(own.shape[:2], np.float32)
    out = transfer(own, everything, other, everything)
    ratio = _lab(out).std((0, 1)) / _lab(own).std((0, 1))
    assert ratio == pytest.approx([factor] * 3, rel=0.05)


def test_a_plain_object_takes_a_plain_colour() -> None:
    """No spread on either side, and no division by it."""
    own, other = np.full((20, 20, 3), 90, np.float32), np.full((10, 10, 3), (200, 60, 50), np.uint8)
    out = transfer(own, np.ones((20, 20), np.float32), other, np.ones((10, 10), np.float32))
    assert np.abs(out - (200, 60, 50)).max() < 0.5


def test_a_soft_matte_mixes_in_its_share() -> None:
    whole = transfer(OWN, MATTE, OTHER, OTHER_MATTE)
    half = transfer(OWN, MATTE / 2, OTHER, OTHER_MATTE)
    assert np.allclose(half, (OWN + whole) / 2, atol=1e-2)


def test_only_the_objects_own_pixels_count() -> None:
    own, other = OWN.copy(), OTHER.copy()
    own[MATTE == 0], other[OTHER_MATTE == 0] = 255, 0
    expected, out = (transfer(a, MATTE, b, OTHER_MATTE) for a, b in ((OWN, OTHER), (own, other)))
    assert np.array_equal(out[MATTE == 1], expected[MATTE == 1])


def test_what_leaves_the_gamut_is_cut_at_its_border() -> None:
    own = _noise(0, (230, 225, 220), 30)
    other = _noise(1, (250, 20, 20), 40).round().astype(np.uint8)
    everything = np.ones(own.shape[:2], np.float32)
    out = transfer(own, everything, other, everything)
    assert np.isfinite(out).all()
    assert out.min() >= 0
    assert out.max() <= 255


def test_a_photo_of_many_megapixels_is_given_the_same_colours_as_a_small_one() -> None:
    large = np.tile(OWN, (75, 67, 1))
    assert large.shape[0] * large.shape[1] > 12e6
    whole = np.ones(OWN.shape[:2], np.float32)
    out = transfer(large, np.ones(large.shape[:2], np.float32), OWN.round().astype(np.uint8), whole)
    assert np.abs(out - large).mean() < 0.5
