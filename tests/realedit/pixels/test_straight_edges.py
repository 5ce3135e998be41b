"""Tests of straight edges through a hole, on made surfaces whose edges are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realedit.pixels.hole_filling import fill
from realedit.pixels.straight_edges import straight_edges

ROWS, COLUMNS = np.mgrid[:160, :220].astype(np.float32)
DARK, LIGHT, OTHER = (90, 60, 45), (205, 200, 190), (60, 110, 160)


def parted(slope: float, at: float, above: tuple[int, int, int] = LIGHT) -> np.ndarray:
    """Two surfaces that meet at the line y = at + slope (x - 110), softly, with a little grain; uint8."""
    share = (ROWS - at - slope * (COLUMNS - 110) + 0.5).clip(0, 1)[..., None]
    rgb = (1 - share) * np.array(above) + share * np.array(DARK)
    return (rgb + np.random.default_rng(0).normal(0, 2, rgb.shape)).clip(0, 255).astype(np.uint8)


def lab_of(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)


@pytest.fixture
def hole() -> np.ndarray:
    return np.hypot((COLUMNS - 110) / 40, (ROWS - 80) / 45) < 1


@pytest.mark.parametrize("slope", [0.0, 0.3, -0.6])
def test_an_edge_goes_on_where_it_is(hole: np.ndarray, slope: float) -> None:
    truth = parted(slope, 84)
    seen = np.where(hole[..., None], np.uint8(255), truth)
    guide = straight_edges(lab_of(seen), hole, ~hole)
    assert guide is not None
    assert len(guide.edges) == 1
    y0, x0, y1, x1 = guide.edges[0]
    for y, x in ((y0, x0), (y1, x1), ((y0 + y1) / 2, (x0 + x1) / 2)):
        assert abs(y - 84 - slope * (x - 110)) < 2
    sure = guide.trust > 0.4
    away = np.abs(ROWS - 84 - slope * (COLUMNS - 110)) > 2
    assert (sure & away).sum() > 200
    assert np.linalg.norm(guide.lab - lab_of(truth), axis=-1)[sure & away].mean() < 5
    assert guide.trust[~hole].max() == 0


def test_edges_of_other_colours_or_off_the_line_are_not_joined(hole: np.ndarray) -> None:
    left = COLUMNS < 110
    for other in (parted(0, 84, OTHER), parted(0, 96), parted(0.4, 84)):
        seen = np.where(left[..., None], parted(0, 84), other)
        guide = straight_edges(lab_of(seen), hole, ~hole)
        assert guide is None


def test_a_surface_without_edges_has_no_guide(hole: np.ndarray) -> None:
    assert straight_edges(lab_of(parted(0, 400)), hole, ~hole) is None


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_a_filled_hole_shows_the_edge(hole: np.ndarray, slope: float) -> None:
    truth = parted(slope, 84)
    filled = fill(np.where(hole[..., None], np.uint8(255), truth), hole)
    away = hole & (np.abs(ROWS - 84 - slope * (COLUMNS - 110)) > 3)
    assert np.abs(filled[away].astype(float) - truth[away]).max(-1).mean() < 6
