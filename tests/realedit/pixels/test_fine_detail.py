from __future__ import annotations

import cv2
import numpy as np
import pytest

from guidance import Transform
from realedit.compose.anchor import build_anchor
from realedit.compose.piece import Piece
from realedit.find.by_hand import from_mask
from realedit.pixels.fine_detail import with_detail

H, W = 800, 1200


def _photo(rgb: np.ndarray) -> np.ndarray:
    return rgb.clip(0, 255).round().astype(np.uint8)


def _removed(rgb: np.ndarray, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray]:
    """The photo after what lies there was taken away, and where that was."""
    mask = np.zeros(rgb.shape[:2], bool)
    mask[rows, columns] = True
    shown = rgb.copy()
    shown[mask] = (200, 30, 30)
    location = from_mask(shown, mask.astype(np.uint8) * 255)
    return build_anchor(shown, [Piece(location, None)], shadow=False).picture, mask


def _fine(grey: np.ndarray) -> np.ndarray:
    """What no copy of 640 pixels has."""
    return grey - cv2.GaussianBlur(grey, (0, 0), 1.5)


def test_the_grain_in_the_hole_is_as_strong_as_about_it() -> None:
    grain = np.random.default_rng(0).normal(0, 12, (H, W, 1))
    picture, mask = _removed(_photo(140 + grain + np.zeros(3)), slice(300, 460), slice(500, 680))
    fine = _fine(picture.mean(-1))
    # 0.2 where the small fill is only enlarged
    assert 0.75 < fine[mask].std() / fine[100:250].std() < 1.25


@pytest.mark.parametrize("slant", [0.0, 0.2])
def test_a_straight_edge_goes_through_sharp(slant: float) -> None:
    rows, columns = np.mgrid[:H, :W]
    line = 380 + slant * (columns - 590)
    rng = np.random.default_rng(1)
    truth = np.where((rows < line)[..., None], 190.0, 90.0) + rng.normal(0, 3, (H, W, 1)) + np.zeros(3)
    picture, mask = _removed(_photo(truth), slice(300, 460), slice(500, 680))
    off = np.abs(picture.mean(-1) - truth.mean(-1)) > 40
    # in every column but a few pixels from where it should be
    assert (off & mask)[:, 500:680].sum(0).mean() < 3
    slope = np.abs(np.diff(picture.mean(-1), axis=0))[300:459, 520:660].max(0)
    assert np.median(slope) > 30


@pytest.mark.parametrize("rows", [512, 7])
def test_where_the_fill_has_no_share_it_is_the_photo(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realedit.pixels.fine_detail._STRIP_ROWS", rows)
    rng = np.random.default_rng(2)
    rgb = rng.integers(0, 256, (120, 200, 3), np.uint8)
    small = cv2.resize(rgb, (100, 60), interpolation=cv2.INTER_AREA)
    share = np.zeros((60, 100), np.float32)
    share[20:30, 40:60] = 1
    steps = np.zeros((60, 100, 2), np.int32)
    steps[20:30, 40:60] = (15, -3)
    out = with_detail(rgb, small, small, steps, share=share)
    far = np.ones((120, 200), bool)
    far[38:62, 78:122] = False
    assert np.array_equal(out[far], rgb[far])
    # the detail of what it is drawn from, on the copy's own light
    wide = cv2.resize(small.astype(np.float32), (200, 120), interpolation=cv2.INTER_LINEAR)
    detail = rgb - wide
    expected = (wide[44:56, 84:116] + detail[74:86, 78:110]).clip(0, 255)
    np.testing.assert_allclose(out[44:56, 84:116], expected, atol=1e-3)


def test_it_is_moved_to_without_a_trace_of_the_small_copy() -> None:
    """The margin of a hole keeps the photo's own grain."""
    grain = np.random.default_rng(3).normal(0, 12, (H, W, 1))
    rgb = _photo(140 + grain + np.zeros(3))
    mask = np.zeros((H, W), bool)
    mask[300:460, 500:680] = True
    rgb[mask] = (200, 30, 30)
    location = from_mask(rgb, mask.astype(np.uint8) * 255)
    piece = Piece(location, Transform(dx=-0.3, centre=location.centroid))
    anchor = build_anchor(rgb, [piece], shadow=False)
    margin = anchor.hole & (cv2.dilate(mask.astype(np.uint8), np.ones((21, 21))) == 0)
    fine = _fine(anchor.picture.mean(-1))
    assert fine[margin].std() > 0.7 * fine[100:250].std()
