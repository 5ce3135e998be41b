"""Completion by patches, against pictures whose hidden part is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter
from skimage import data
from skimage.transform import rotate

from realedit.pixels.patch_completion import complete_by_patches

SIDE = 96


def _hole(rows: slice, columns: slice) -> np.ndarray:
    hole = np.zeros((SIDE, SIDE), bool)
    hole[rows, columns] = True
    return hole


MIDDLE = _hole(slice(36, 60), slice(36, 60))


def _completed(rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None) -> np.ndarray:
    completion = complete_by_patches(rgb, hole, forbidden)
    assert completion is not None
    filled = completion.picture
    assert filled.dtype == np.uint8
    assert np.array_equal(filled[~hole], rgb[~hole])
    return filled


def _rmse(filled: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    return float(np.sqrt(((filled.astype(float) - truth)[hole] ** 2).mean()))


def _grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("angle", [0, 90])
def test_stripes_go_on_in_phase(angle: int) -> None:
    across = np.where(np.arange(SIDE) // 6 % 2, 200, 60)
    truth = _grey(np.rot90(np.broadcast_to(across, (SIDE, SIDE)), angle // 90))
    assert (
        _rmse(_completed(np.where(MIDDLE[..., None], 255, truth).astype(np.uint8), MIDDLE), truth, MIDDLE) < 8
    )


def _wood(degrees: int, seed: int, side: int = 160) -> np.ndarray:
    """Noise whose lines are 40 pixels long and a pixel or two wide."""
    lines = gaussian_filter(np.random.default_rng(seed).normal(0, 1, (3 * side, 3 * side)), (1.5, 40))
    turned = rotate(lines / lines.std(), degrees, order=1)
    return _grey(120 + 40 * turned[side : 2 * side, side : 2 * side])


def test_the_lines_of_a_grain_meet_from_both_sides() -> None:
    missed = []
    for degrees in (0, 25, 90):
        for seed in range(2):
            truth = _wood(degrees, seed)
            hole = np.zeros(truth.shape[:2], bool)
            hole[56:104, 56:104] = True
            flat = np.full_like(truth, round(truth[~hole].mean()))
            missed.append(_rmse(_completed(truth, hole), truth, hole) / _rmse(flat, truth, hole))
    # 0.32; 0.44 where patches may be drawn from anywhere
    assert np.mean(missed) < 0.38


def test_lines_that_do_not_meet_fade_into_each_other() -> None:
    """Two boards whose joint is hidden: nothing says where it is, and any place would be a step."""
    for seed in range(3):
        truth = _wood(0, seed)
        truth[:, 80:] = _wood(0, seed + 10)[:, 80:]
        hole = np.zeros(truth.shape[:2], bool)
        hole[:, 60:100] = True
        filled = _completed(truth, hole)[..., 0].astype(float)
        # 78 to 137 where patches only vote for values
        assert np.abs(np.diff(filled[:, 59:101])).max() < 50
        assert filled[:, 65:95].std() > 0.8 * filled[:, :60].std()


def test_an_edge_between_two_surfaces_goes_straight_through() -> None:
    rng = np.random.default_rng(1)
    wall, table = rng.normal(180, 6, (48, SIDE)), rng.normal(90, 6, (48, SIDE))
    truth = _grey(np.vstack([wall, table]))
    filled = _completed(truth, MIDDLE).mean(-1)
    inside = filled[36:60, 36:60]
    assert np.abs(inside[:10].mean(0) - 180).max() < 15
    assert np.abs(inside[-10:].mean(0) - 90).max() < 15
    # and its grain is that of the surfaces, not their mean
    assert 3 < inside[:10].std(1).mean() < 9


def test_the_light_goes_on_where_no_patch_has_it() -> None:
    """From left to right it brightens; the hole lies where nothing else is as bright, but on its rim."""
    rng = np.random.default_rng(2)
    light = np.linspace(40, 220, SIDE)[None] + np.zeros((SIDE, 1))
    truth = _grey(light + rng.normal(0, 3, light.shape))
    hole = _hole(slice(8, 88), slice(56, 80))
    filled = _completed(truth, hole)
    assert np.abs((filled.astype(float) - truth).mean(-1)[8:88, 56:80].mean(0)).max() < 12


def test_grain_is_copied_and_not_smoothed_away() -> None:
    grass = np.ascontiguousarray(np.repeat(data.grass()[200 : 200 + SIDE, 200 : 200 + SIDE, None], 3, 2))
    filled = _completed(grass, MIDDLE)
    spread = grass[MIDDLE].astype(float).std()
    assert 0.75 * spread < filled[MIDDLE].astype(float).std() < 1.25 * spread


def test_a_regular_texture_is_met_better_than_by_its_mean() -> None:
    missed = []
    for part in (data.brick()[::3, ::3], data.brick()[::2, ::2], data.brick()[100::3, 100::3]):
        brick = np.ascontiguousarray(np.repeat(part[:SIDE, :SIDE, None], 3, 2))
        mean = np.full_like(brick, round(brick[~MIDDLE].mean()))
        missed.append(_rmse(_completed(brick, MIDDLE), brick, MIDDLE) / _rmse(mean, brick, MIDDLE))
    assert np.mean(missed) < 0.9


def test_what_is_closed_is_neither_copied_nor_followed() -> None:
    rgb = np.full((SIDE, SIDE, 3), (200, 180, 150), np.uint8)
    rgb[36:60, 60:70] = (20, 20, 220)
    forbidden = _hole(slice(36, 60), slice(60, 70))
    assert np.abs(_completed(rgb, MIDDLE, forbidden)[MIDDLE].astype(int) - (200, 180, 150)).max() <= 2


def test_with_nothing_to_copy_from_there_is_no_answer() -> None:
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    assert complete_by_patches(rgb, np.ones((SIDE, SIDE), bool)) is None
    assert complete_by_patches(rgb, MIDDLE, ~MIDDLE) is None


def test_without_a_hole_it_is_a_copy() -> None:
    rgb = data.astronaut()[:SIDE, :SIDE]
    same = complete_by_patches(rgb, np.zeros((SIDE, SIDE), bool))
    assert same is not None
    assert same.picture is not rgb
    assert np.array_equal(same.picture, rgb)
    assert not same.steps.any()


def test_one_thing_is_not_repeated_all_over() -> None:
    """The most often copied place of a hole in grain; 2.0 and 2.3 where repeating costs nothing."""
    often = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        truth = _grey(150 + gaussian_filter(rng.normal(0, 30, (SIDE, SIDE)), 1.0))
        hole = _hole(slice(30, 66), slice(30, 66))
        completion = complete_by_patches(truth, hole)
        assert completion is not None
        rows, columns = np.nonzero(hole)
        steps = completion.steps[hole]
        drawn = np.zeros((SIDE, SIDE))
        np.add.at(drawn, (rows + steps[:, 0], columns + steps[:, 1]), 1)
        often.append(uniform_filter(drawn, 7).max())
    assert max(often) < 1.95
