from __future__ import annotations

import numpy as np
import pytest

from realedit.pixels.masks import grow
from realedit.pixels.matting import grabcut, matte


def _disc(h: int, w: int, x: float, y: float, r: float) -> np.ndarray:
    rows, columns = np.mgrid[:h, :w]
    return np.hypot(columns - x, rows - y) < r


def _photo(disc: np.ndarray) -> np.ndarray:
    rgb = np.where(disc[..., None], (200, 40, 40), (120, 140, 110)).astype(float)
    return (rgb + np.random.default_rng(0).normal(0, 4, rgb.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [160, 600])
def test_grabcut_finds_the_border_that_the_guess_misses(side: int) -> None:
    disc = _disc(side, side, 0.5 * side, 0.45 * side, 0.2 * side)
    guess = _disc(side, side, 0.47 * side, 0.43 * side, 0.16 * side)
    found = grabcut(
        _photo(disc), _disc(side, side, 0.5 * side, 0.45 * side, 5), guess, grow(guess, 0.12 * side)
    )
    assert (found & disc).sum() / (found | disc).sum() > 0.95 > (guess & disc).sum() / (guess | disc).sum()


def test_grabcut_keeps_the_guess_where_colours_tell_nothing() -> None:
    whole = np.ones((64, 64), bool)
    assert np.array_equal(grabcut(np.full((64, 64, 3), 90, np.uint8), whole, whole, whole), whole)


def test_grabcut_is_the_same_every_time() -> None:
    disc = _disc(96, 96, 48, 48, 20)
    guess = _disc(96, 96, 46, 46, 17)
    first, second = (grabcut(_photo(disc), disc & False, guess, grow(guess, 10)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("side", [256, 1600])
def test_a_matte_is_soft_only_about_the_border(side: int) -> None:
    disc = _disc(side, side, 0.5 * side, 0.5 * side, 0.25 * side)
    alpha = matte(_photo(disc), disc)
    reach = 2 * max(1, round(side / 512))
    assert alpha.dtype == np.float32
    assert 0 <= alpha.min()
    assert alpha.max() <= 1
    assert (alpha[~grow(disc, reach)] == 0).all()
    assert alpha[~grow(~disc, reach)] == pytest.approx(1, abs=1e-5)
    assert ((alpha > 0.05) & (alpha < 0.95)).any()
    assert ((alpha > 0.5) ^ disc).sum() < 0.02 * disc.sum()
