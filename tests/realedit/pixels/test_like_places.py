"""Tests of realedit.pixels.like_places: surfaces are told apart, and nothing unknown is drawn from."""

from __future__ import annotations

import numpy as np

from realedit.pixels.like_places import steps_to_like_places


def two_surfaces(height: int, width: int, border: int) -> np.ndarray:
    """Red above blue, with grain."""
    rgb = np.zeros((height, width, 3), int)
    rgb[:border], rgb[border:] = (200, 60, 40), (30, 80, 190)
    grain = np.random.default_rng(0).integers(-3, 4, rgb.shape)
    return (rgb + grain).clip(0, 255).astype(np.uint8)


def test_detail_comes_from_the_same_surface_outside_the_hole() -> None:
    rgb = two_surfaces(121, 163, 60)
    hole = np.zeros((121, 163), bool)
    hole[30:91, 60:111] = True
    forbidden = np.zeros_like(hole)
    forbidden[:, 120:] = True
    steps = steps_to_like_places(rgb, hole, forbidden)
    at = np.argwhere(hole)
    to = at + steps[hole]
    assert (to >= 0).all()
    assert (to < hole.shape).all()
    assert not (hole | forbidden)[tuple(to.T)].any()
    assert ((to[:, 0] < 60) == (at[:, 0] < 60)).mean() > 0.98
    assert (steps[~hole] == 0).all()


def test_an_edge_is_drawn_from_the_edge() -> None:
    rgb = two_surfaces(120, 160, 61)
    hole = np.zeros((120, 160), bool)
    hole[30:90, 60:110] = True
    steps = steps_to_like_places(rgb, hole)
    assert np.abs(steps[58:63, 62:108, 0]).max() <= 2


def test_a_hole_at_the_frame_has_steps_everywhere_and_one_without_sources_none() -> None:
    rgb = two_surfaces(50, 61, 25)
    hole = np.zeros((50, 61), bool)
    hole[30:, 40:] = True
    assert (steps_to_like_places(rgb, hole)[hole] != 0).any(-1).all()
    assert (steps_to_like_places(rgb, np.ones_like(hole)) == 0).all()
    assert (steps_to_like_places(rgb, np.zeros_like(hole)) == 0).all()


def test_what_the_photo_shows_nowhere_draws_no_detail() -> None:
    rgb = two_surfaces(120, 160, 60)
    hole = np.zeros((120, 160), bool)
    hole[30:90, 60:110] = True
    rgb[hole] = (40, 200, 60)
    inner = np.zeros_like(hole)
    inner[40:80, 70:100] = True
    assert (steps_to_like_places(rgb, hole)[inner] == 0).all()
