"""An object's main colour: paint in light and shade belongs to it, grey parts and other paints do not."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from realedit.pixels.main_colour import main_colour


def _striped(*colours: tuple[int, int, int], shares: tuple[float, ...]) -> tuple[np.ndarray, list[slice]]:
    """A picture of 120 rows in bands of some colours, with grain, as CIELAB; and the bands' inner rows."""
    edges = np.rint(np.cumsum([0, *shares]) * 120).astype(int)
    picture = np.zeros((120, 160, 3), np.float32)
    for colour, (top, bottom) in zip(colours, pairwise(edges), strict=True):
        picture[top:bottom] = colour
    picture += np.random.default_rng(0).normal(0, 2, picture.shape)
    lab = cv2.cvtColor(picture.clip(0, 255).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return lab, [slice(a + 5, b - 5) for a, b in pairwise(edges)]


WHOLE = np.ones((120, 160), np.float32)


@pytest.mark.parametrize("shade", [1.0, 0.4])
def test_of_a_painted_thing_the_paint_belongs_in_light_and_shade_and_what_is_grey_does_not(
    shade: float,
) -> None:
    red = (200, 40, 40)
    dark = (round(200 * shade), round(40 * shade), round(40 * shade))
    lab, (lit, shaded, white, black) = _striped(
        red, dark, (225, 225, 220), (30, 30, 32), shares=(0.3, 0.3, 0.2, 0.2)
    )
    part = main_colour(lab, WHOLE, 1.0)
    assert part[lit].min() > 0.95
    assert part[shaded].min() > 0.95
    assert part[white].max() < 0.05
    assert part[black].mean() < 0.05


def test_a_small_stripe_of_another_paint_stays() -> None:
    lab, (blue, yellow) = _striped((40, 60, 190), (230, 200, 30), shares=(0.7, 0.3))
    part = main_colour(lab, WHOLE, 1.0)
    assert part[blue].min() > 0.95
    assert part[yellow].max() == 0


def test_neighbouring_hues_are_one_colour() -> None:
    """An apple is red on one side and yellowish on the other."""
    lab, (red, yellow) = _striped((190, 60, 60), (200, 120, 70), shares=(0.6, 0.4))
    part = main_colour(lab, WHOLE, 1.0)
    assert min(part[red].min(), part[yellow].min()) > 0.95


def test_of_a_white_thing_the_white_belongs_and_its_stripes_do_not() -> None:
    lab, (white, red) = _striped((230, 230, 228), (200, 40, 40), shares=(0.85, 0.15))
    part = main_colour(lab, WHOLE, 1.0)
    assert part[white].min() > 0.95
    assert part[red].max() < 0.05


def test_what_is_around_the_object_does_not_count() -> None:
    lab, (blue, yellow) = _striped((40, 60, 190), (230, 200, 30), shares=(0.7, 0.3))
    matte = np.zeros_like(WHOLE)
    matte[yellow] = 1
    part = main_colour(lab, matte, 1.0)
    assert part[yellow].min() > 0.95
    assert part[blue].max() == 0


def test_without_an_object_all_belongs() -> None:
    lab, _ = _striped((40, 60, 190), shares=(1.0,))
    assert (main_colour(lab, np.zeros_like(WHOLE), 1.0) == 1).all()
