from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio as psnr

from realedit.pixels.hole_filling import fill, rough_fill, smooth_fill

Filler = Callable[[np.ndarray, np.ndarray], np.ndarray]

SIDE = 128


def _hole(x: int = 48, y: int = 52, w: int = 28, h: int = 24) -> np.ndarray:
    hole = np.zeros((SIDE, SIDE), bool)
    hole[y : y + h, x : x + w] = True
    return hole


def _grain(rgb: np.ndarray, sigma: float = 2.0) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, sigma, rgb.shape)
    return (rgb + noise).clip(0, 255).round().astype(np.uint8)


def _flat() -> np.ndarray:
    return _grain(np.full((SIDE, SIDE, 3), (150, 110, 80), float))


def _stripes(period: int = 16) -> np.ndarray:
    wave = 40 * np.sin(2 * np.pi * np.arange(SIDE) / period)
    return _grain(np.full((SIDE, SIDE, 3), (150, 110, 80), float) + wave[None, :, None])


def _scene(texture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The texture with a saturated object in the hole, which the fill must not see."""
    scene = texture.copy()
    scene[hole] = (220, 20, 20)
    return scene


@pytest.mark.parametrize(("texture", "floor"), [(_flat(), 35.0), (_stripes(), 28.0)], ids=["flat", "stripes"])
def test_a_texture_goes_on_inside_the_hole(texture: np.ndarray, floor: float) -> None:
    hole = _hole()
    filled = fill(_scene(texture, hole), hole)
    assert psnr(texture[hole], filled[hole], data_range=255) > floor


@pytest.mark.parametrize("filler", [fill, rough_fill, smooth_fill])
def test_nothing_changes_outside_the_hole(filler: Filler) -> None:
    hole = _hole()
    scene = _scene(_stripes(), hole)
    before = scene.copy()
    filled = filler(scene, hole)
    assert filled.dtype == np.uint8
    assert np.array_equal(filled[~hole], scene[~hole])
    assert np.array_equal(scene, before)


@pytest.mark.parametrize("filler", [fill, rough_fill, smooth_fill])
def test_without_a_hole_it_is_the_picture(filler: Filler) -> None:
    texture = _stripes()
    filled = filler(texture, np.zeros((SIDE, SIDE), bool))
    assert np.array_equal(filled, texture)
    assert filled is not texture


def test_it_is_the_same_every_time() -> None:
    hole = _hole()
    scene = _scene(_stripes(), hole)
    assert np.array_equal(fill(scene, hole), fill(scene, hole))


def test_closed_areas_are_never_copied_from() -> None:
    """Blue lies right beside the hole, where a search for patches would gladly look."""
    hole, forbidden = _hole(), _hole(x=76, w=20)
    scene = _scene(_flat(), hole)
    scene[forbidden] = (20, 40, 230)
    filled = fill(scene, hole, forbidden)[hole].astype(int)
    assert (filled[:, 2] - filled[:, 0]).max() < 0
    assert np.abs(filled - (150, 110, 80)).max() < 40


def test_an_unnamed_object_away_from_the_rim_is_not_copied_either() -> None:
    hole = _hole()
    scene = _scene(_flat(), hole)
    scene[54:74, 100:118] = (20, 40, 230)
    filled = fill(scene, hole)[hole].astype(int)
    assert (filled[:, 2] - filled[:, 0]).max() < 0


def test_a_hole_that_leaves_little_is_filled_with_the_little_there_is() -> None:
    hole = np.zeros((SIDE, SIDE), bool)
    hole[4:-4, 4:-4] = True
    filled = fill(_scene(_flat(), hole), hole)
    assert np.abs(filled[hole].astype(int) - (150, 110, 80)).mean() < 10


@pytest.mark.parametrize("place", [(0, 0), (SIDE - 28, SIDE - 24), (0, 50)])
def test_a_hole_at_the_border_is_filled(place: tuple[int, int]) -> None:
    hole = _hole(*place)
    texture = _flat()
    filled = fill(_scene(texture, hole), hole)
    assert psnr(texture[hole], filled[hole], data_range=255) > 35


def test_a_smooth_fill_carries_a_gradient_on() -> None:
    ramp = np.linspace(60, 200, SIDE)[None, :, None] * np.ones((SIDE, 1, 3))
    hole = _hole()
    filled = smooth_fill(_scene(_grain(ramp), hole), hole)
    assert np.abs(filled[hole] - ramp[hole]).mean() < 8


def test_a_rough_fill_of_a_large_picture_has_its_surfaces_light_and_not_its_neighbours() -> None:
    side, ramp = 400, np.linspace(80, 180, 400)[None, :, None] * np.ones((400, 1, 3))
    hole, forbidden = np.zeros((2, side, side), bool)
    hole[120:260, 130:270] = True
    forbidden[60:120, 150:250] = True
    scene = _grain(ramp).round().clip(0, 255).astype(np.uint8)
    scene[forbidden] = (10, 90, 70)
    scene[hole] = 0
    filled = rough_fill(scene, hole, forbidden)
    assert np.abs(filled[hole] - ramp[hole]).mean() < 8
