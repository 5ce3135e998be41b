from __future__ import annotations

import cv2
import numpy as np
import pytest

from realedit.compose.refit import pasted, reshaped
from realedit.location import Location

COLOUR = (210, 40, 30)
GREY = 128


def _ellipse(h: int, w: int, x: float, y: float, a: float, b: float) -> np.ndarray:
    rows, columns = np.mgrid[:h, :w] + 0.5
    return ((columns - x) / a) ** 2 + ((rows - y) / b) ** 2 < 1


def _scene(h: int, w: int, x: float, y: float, r: float) -> tuple[np.ndarray, Location]:
    """A red disc on grey."""
    disc = _ellipse(h, w, x, y, r, r)
    rgb = np.full((h, w, 3), GREY, np.uint8)
    rgb[disc] = COLOUR
    mask = cv2.GaussianBlur(disc.astype(np.float32), (3, 3), 0)
    return rgb, Location(None, mask, mask, 1.0, "mask")


def _centroid(weight: np.ndarray) -> tuple[float, float]:
    """(x, y) in pixels."""
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    return (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()


@pytest.mark.parametrize("size", [(160, 240), (300, 200)])
@pytest.mark.parametrize(("at", "scale"), [((0.5, 0.5), 1.0), ((0.313, 0.642), 0.5), ((0.6, 0.4), 1.7)])
def test_the_centroid_lands_where_it_is_wanted(
    size: tuple[int, int], at: tuple[float, float], scale: float
) -> None:
    rgb, found = _scene(120, 180, 70, 50, 18)
    laid, matte = pasted(rgb, found, size, at=at, scale=scale)
    assert laid.shape == (*size, 3)
    assert laid.dtype == np.uint8
    assert matte.shape == size
    wanted = at[0] * size[1], at[1] * size[0]
    redness = laid[..., 0].astype(float) - laid[..., 1]
    for weight in (matte, redness.clip(0)):
        assert _centroid(weight) == pytest.approx(wanted, abs=0.5)
    assert np.abs(laid[matte > 0.999].astype(float) - COLOUR).max() < 12


@pytest.mark.parametrize("scale", [0.3, 0.6, 1.0, 1.6])
def test_the_area_is_the_square_of_the_scale_in_shares_of_the_longer_sides(scale: float) -> None:
    rgb, found = _scene(120, 180, 70, 50, 18)
    _, matte = pasted(rgb, found, (400, 360), at=(0.5, 0.5), scale=scale)
    share, own = matte.sum() / 400**2, found.mask.sum() / 180**2
    assert share == pytest.approx(scale**2 * own, rel=0.03)
    assert 0 <= matte.min() <= matte.max() <= 1


def test_at_its_own_place_and_size_a_photo_is_as_it_was() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    mask = _ellipse(60, 90, 40, 30, 12, 9).astype(np.float32)
    found = Location(None, mask, mask, 1.0, "mask")
    laid, matte = pasted(rgb, found, (60, 90), at=found.centroid, scale=1.0)
    assert np.array_equal(laid, rgb)
    assert np.array_equal(matte, mask)


def test_beyond_the_other_photo_its_edge_goes_on_and_its_matte_does_not() -> None:
    rgb, found = _scene(40, 40, 8, 20, 12)  # cut by the left side
    laid, matte = pasted(rgb, found, (200, 200), at=(0.5, 0.5), scale=0.4)
    assert (laid[:20] == GREY).all()
    assert (laid[:, 180:] == GREY).all()
    x, y = _centroid(matte)
    assert (matte[:, : int(x - 0.4 * 200 / 40 * 12)] == 0).all()
    assert (laid[int(y), :60] == laid[int(y), 0]).all()


def _striped(upright: bool) -> tuple[np.ndarray, np.ndarray]:
    """A disc of radius 40 about (60, 60) in four stripes, 0, 80, 160 and 240 in red.

    Beside the stripes' borders a bicubic kernel swings by a tenth of the step at most.
    """
    disc = _ellipse(120, 120, 60, 60, 40, 40)
    index = np.clip((np.arange(120) - 20) // 20, 0, 3)
    stripes = np.broadcast_to(index[None, :] if upright else index[:, None], (120, 120))
    rgb = np.full((120, 120, 3), GREY, np.uint8)
    rgb[..., 0] = 80 * stripes
    rgb[~disc] = GREY
    return rgb, disc.astype(np.float32)


def test_rows_go_to_rows() -> None:
    """A disc in four bands, each a quarter of its height, keeps quarters in an outline twice as high."""
    rgb, disc = _striped(upright=False)
    goal = np.zeros((120, 120), np.float32)
    goal[10:110, 30:50] = 1
    out = reshaped(rgb, disc, goal)
    assert out.shape == rgb.shape
    for band in range(4):
        middle = out[10 + 25 * band + 4 : 10 + 25 * (band + 1) - 4, 31:49]
        assert np.abs(middle[..., 0].astype(float) - 80 * band).max() < 10
        assert (middle[..., 1:] == GREY).all()


def test_columns_go_to_columns_row_by_row() -> None:
    """The disc's stripes are straight; in a rectangle each row shows what its own chord crosses."""
    rgb, disc = _striped(upright=True)
    goal = np.zeros((120, 120), np.float32)
    goal[20:100, 10:110] = 1
    out = reshaped(rgb, disc, goal)[..., 0].astype(float)
    # the chord through the centre crosses all four alike, a hundred columns hold them
    for band in range(4):
        assert np.abs(out[58:62, 10 + 25 * band + 3 : 10 + 25 * (band + 1) - 3] - 80 * band).max() < 10
    # near the top a chord of half length 20 lies inside the two stripes in the middle: 1 and 2
    row = 20 + round(40 - np.sqrt(40**2 - 20**2)) + 1
    assert np.abs(out[row, 15:55] - 80).max() < 10
    assert np.abs(out[row, 65:105] - 160).max() < 10


def test_the_disc_fills_an_ellipse_to_its_border() -> None:
    rgb, disc = _striped(upright=True)
    goal = _ellipse(120, 120, 70, 65, 45, 20)
    out = reshaped(rgb, disc, goal.astype(np.float32))[..., 0].astype(float)
    # an ellipse is a disc stretched: stripes stay straight, at the same shares of the width
    columns = np.arange(120) + 0.5
    share = (columns - 25) / 90
    for band in range(4):
        inside = (share > band / 4 + 0.04) & (share < (band + 1) / 4 - 0.04)
        inner = goal & (_ellipse(120, 120, 70, 65, 41, 17)) & inside[None, :]
        assert inner.sum() > 100
        assert np.abs(out[inner] - 80 * band).mean() < 4


def test_into_its_own_outline_an_object_is_as_it_was() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    mask = _ellipse(90, 120, 55, 40, 30, 25)
    out = reshaped(rgb, mask.astype(np.float32), mask.astype(np.float32))
    assert np.array_equal(out[mask], rgb[mask])


def test_the_surroundings_do_not_come_in() -> None:
    rgb, disc = _striped(upright=False)
    rgb[disc == 0] = (0, 255, 0)
    goal = np.zeros((120, 120), np.float32)
    goal[5:115, 5:115] = 1
    out = reshaped(rgb, disc, goal)
    green = (out[..., 1] > 200) & (goal > 0)
    # only where the first and the last row of pixels are mixed with what is above and below
    assert green.mean() < 0.02
