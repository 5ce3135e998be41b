"""Completion by shifted copies, against pictures whose hidden part is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from realedit.pixels.copy_choice import choose_copies
from realedit.pixels.hole_filling import fill_with_steps
from realedit.pixels.offset_candidates import offset_candidates
from realedit.pixels.shifted_copies import complete_by_copies

SIDE = 160


def _hole() -> np.ndarray:
    hole = np.zeros((SIDE, SIDE), bool)
    hole[56:104, 60:100] = True
    return hole


def _grain(seed: int) -> np.ndarray:
    return gaussian_filter(np.random.default_rng(seed).normal(0, 12, (SIDE, SIDE)), 1)


def _room() -> np.ndarray:
    """A light wall, a dark skirting board and a brown floor, each with its own grain."""
    rows = np.arange(SIDE)
    colour = np.full((SIDE, 3), (205.0, 205.0, 200.0))
    colour[rows >= 76] = (60, 55, 50)
    colour[rows >= 84] = (150, 105, 70)
    return (colour[:, None] + _grain(0)[..., None]).clip(0, 255).round().astype(np.uint8)


def _covered(rgb: np.ndarray, hole: np.ndarray) -> np.ndarray:
    return np.where(hole[..., None], np.asarray([220, 20, 20], np.uint8), rgb)


def _rmse(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(((one.astype(float) - other) ** 2).mean()))


def test_lines_go_through_and_stay_sharp() -> None:
    truth, hole = _room(), _hole()
    completion = complete_by_copies(_covered(truth, hole), hole)
    assert completion is not None
    filled = completion.picture
    assert np.array_equal(filled[~hole], truth[~hole])
    assert _rmse(filled[hole], truth[hole]) < 14  # the grain itself differs by 8
    for row in (75, 83):  # the board's edges, in each of the hole's columns
        truth_step = truth[row + 1, 60:100].astype(float) - truth[row, 60:100]
        step = filled[row + 1, 60:100].astype(float) - filled[row, 60:100]
        assert abs(step.mean() - truth_step.mean()) < 0.15 * abs(truth_step.mean())


def test_what_is_copied_keeps_its_grain() -> None:
    truth, hole = _room(), _hole()
    completion = complete_by_copies(_covered(truth, hole), hole)
    assert completion is not None
    wall = np.s_[58:72, 62:98]
    assert completion.picture[wall].std(axis=(0, 1)).mean() > 0.8 * truth[wall].std(axis=(0, 1)).mean()


def test_each_pixel_is_what_its_step_says_but_for_the_light() -> None:
    truth, hole = _room(), _hole()
    completion = complete_by_copies(_covered(truth, hole), hole)
    assert completion is not None
    rows, columns = np.nonzero(hole)
    steps = completion.steps[hole]
    assert not completion.steps[~hole].any()
    copied = truth[rows + steps[:, 0], columns + steps[:, 1]].astype(float)
    assert not hole[rows + steps[:, 0], columns + steps[:, 1]].any()
    assert np.median(np.abs(copied - completion.picture[hole])) < 3


def test_what_is_closed_is_not_copied() -> None:
    hole = _hole()
    rgb = _covered(_room(), hole)
    forbidden = np.zeros_like(hole)
    forbidden[:, 120:150] = True
    rgb[forbidden] = (20, 200, 20)
    completion = complete_by_copies(rgb, hole, forbidden)
    assert completion is not None
    rows, columns = np.nonzero(hole)
    steps = completion.steps[hole]
    assert not forbidden[rows + steps[:, 0], columns + steps[:, 1]].any()


def test_with_nothing_to_copy_there_is_no_answer() -> None:
    everything = np.ones((SIDE, SIDE), bool)
    assert complete_by_copies(_room(), everything) is None
    assert complete_by_copies(_room(), ~everything) is None


def test_a_room_is_copied_and_a_plain_wall_is_not() -> None:
    hole = _hole()
    assert fill_with_steps(_covered(_room(), hole), hole).doubt > 0
    wall = np.repeat((200 + _grain(1)).round().astype(np.uint8)[..., None], 3, axis=2)
    assert fill_with_steps(_covered(wall, hole), hole).doubt == 0


def test_doubt_grows_with_what_cannot_be_continued() -> None:
    hole = _hole()
    room = _room()
    clutter = room.copy()  # the hole's four sides show different things
    clutter[:, 100:] = room[:, 100:][::-1]
    sure, unsure = (complete_by_copies(_covered(rgb, hole), hole) for rgb in (room, clutter))
    assert sure is not None
    assert unsure is not None
    assert unsure.doubt > 2 * sure.doubt


def test_the_steps_of_a_pattern_are_its_periods() -> None:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    tile = np.random.default_rng(3).uniform(0, 100, (24, 20))
    lab = np.repeat(tile[rows % 24, columns % 20][..., None], 3, axis=2).astype(np.float32)
    hole = _hole()
    steps = offset_candidates(lab, hole, ~hole)
    exact = [step for step in steps if step[0] % 24 == 0 and step[1] % 20 == 0]
    assert len(exact) >= 4
    assert (steps[0] % (24, 20) == 0).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_no_choice_of_one_pixel_alone_is_better(seed: int) -> None:
    """Two copies that are right in one half each: the seam lies between the halves."""
    lab = np.zeros((40, 120, 3), np.float32)
    lab[..., 0] = np.random.default_rng(seed).uniform(0, 60, (40, 120))
    hole = np.zeros((40, 120), bool)
    hole[10:30, 50:70] = True
    truth = lab.copy()
    lab[10:30, 15:25] = truth[10:30, 50:60]  # the left half, 35 to the left
    lab[:10, 15:25], lab[30:, 15:25] = truth[:10, 50:60], truth[30:, 50:60]
    lab[:, 95:105] = truth[:, 60:70]  # the right half, 35 to the right
    lab[:, 10:15], lab[:, 105:110] = truth[:, 45:50], truth[:, 70:75]
    lab[hole] = 0
    chosen = choose_copies(lab, hole, ~hole, np.array([[0, -35], [0, 35]], np.int32))
    assert (chosen[10:30, 50:57] == (0, -35)).all(-1).mean() > 0.9
    assert (chosen[10:30, 63:70] == (0, 35)).all(-1).mean() > 0.9
