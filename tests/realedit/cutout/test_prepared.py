"""Quick answers are near what the cut-out network says in the end, and are quick."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from realedit.cutout.cutout import CutOut
from realedit.cutout.hints import Hint
from realedit.cutout.prepared import PreparedPhoto
from realedit.errors import UsageError
from realedit.photo import load_photo
from realedit.pixels.resizing import scaled

PHOTOS = Path(__file__).parents[3] / "examples" / "photos"


@pytest.fixture(scope="module")
def cutout() -> CutOut:
    return CutOut.load()


@pytest.fixture(scope="module")
def dahlia() -> np.ndarray:
    return load_photo(PHOTOS / "dahlia.jpg").rgb


@pytest.fixture(scope="module")
def prepared(cutout: CutOut, dahlia: np.ndarray) -> PreparedPhoto:
    return PreparedPhoto(cutout, dahlia)


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_the_thing_under_the_point_is_what_a_full_look_cuts_out(
    cutout: CutOut, dahlia: np.ndarray, prepared: PreparedPhoto
) -> None:
    point = (0.48, 0.52)
    quick = prepared.answer([point]).alpha
    full = cutout.answers(dahlia, Hint((point,)))[0].alpha
    assert max(quick.shape) <= 768
    assert iou(quick > 0.5, scaled(full, quick.shape[1::-1]) > 0.5) > 0.95


def test_a_point_off_the_thing_takes_its_place_away(prepared: PreparedPhoto) -> None:
    apart = prepared.answer([(0.48, 0.52)], [(0.1, 0.4)]).alpha
    h, w = apart.shape
    assert apart[round(0.52 * h), round(0.48 * w)] > 0.5
    assert apart[round(0.4 * h), round(0.1 * w)] < 0.5


def test_the_same_place_has_the_same_answer(prepared: PreparedPhoto) -> None:
    one, other = (prepared.answer([(0.3, 0.6)]) for _ in range(2))
    assert (one.alpha == other.alpha).all()
    assert one.agreement == other.agreement


def test_an_answer_comes_within_half_a_second(prepared: PreparedPhoto) -> None:
    prepared.answer([(0.5, 0.5)])
    took: list[float] = []
    for x in (0.2, 0.4, 0.6, 0.8):
        began = time.perf_counter()
        prepared.answer([(x, 0.5)])
        took.append(time.perf_counter() - began)
    # the least: other tests run beside this one
    assert min(took) < 0.5


def test_a_place_outside_the_photo_is_refused(prepared: PreparedPhoto) -> None:
    with pytest.raises(UsageError):
        prepared.answer([(1.2, 0.5)])
    with pytest.raises(UsageError):
        prepared.answer([])


def test_torch_keeps_no_gradients(prepared: PreparedPhoto) -> None:
    assert torch.is_grad_enabled()
    prepared.answer([(0.5, 0.5)])
    assert torch.is_grad_enabled()
