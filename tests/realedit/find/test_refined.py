"""Which masks are brought to the photo's edges: of a disc whose true mask is known, fine and coarse ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realedit.cutout.cutout import Answer
from realedit.find.refined import refined

SIDE, RADIUS = 240, 70


def disc() -> np.ndarray:
    ys, xs = np.mgrid[:SIDE, :SIDE]
    return (ys - 120) ** 2 + (xs - 120) ** 2 <= RADIUS**2


def photo() -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 3, (SIDE, SIDE, 3))
    return np.clip(np.where(disc()[..., None], 190, 60) + noise, 0, 255).astype(np.uint8)


def polygon(corners: int) -> np.ndarray:
    """A polygon in the disc."""
    angles = np.arange(corners) * 2 * np.pi / corners
    at = 120 + RADIUS * np.stack([np.cos(angles), np.sin(angles)], 1)
    return cv2.fillPoly(np.zeros((SIDE, SIDE), np.uint8), [at.round().astype(np.int32)], 1) > 0


def the_disc(_mask: np.ndarray) -> Answer:
    return Answer(disc().astype(np.float32), 0.9)


@pytest.mark.parametrize("corners", [6, 7, 8])
def test_a_polygon_of_few_corners_gives_way_to_the_edge(corners: int) -> None:
    found = refined(photo(), polygon(corners).astype(np.float32), the_disc)
    assert found.changed
    assert found.note is not None
    assert np.array_equal(found.alpha > 0.5, disc())


def test_a_mask_that_is_drawn_finely_stays_and_nothing_is_asked() -> None:
    def never(_mask: np.ndarray) -> Answer:
        raise AssertionError

    for fine in (disc(), polygon(40)):
        found = refined(photo(), fine.astype(np.float32), never)
        assert not found.changed
        assert np.array_equal(found.alpha > 0.5, fine)


def test_a_thing_with_straight_edges_keeps_its_own_mask() -> None:
    board = np.zeros((SIDE, SIDE), bool)
    board[60:180, 50:200] = True
    rgb = np.where(board[..., None], 190, 60).astype(np.uint8).repeat(3, 2)
    rounder = cv2.dilate(board.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    assert not refined(rgb, board.astype(np.float32), lambda _: Answer(rounder, 0.9)).changed


def test_what_the_user_asks_for_goes_before_all() -> None:
    given = polygon(5).astype(np.float32)
    assert not refined(photo(), given, the_disc, wanted=False).changed
    assert refined(photo(), disc().astype(np.float32), the_disc, wanted=True).changed
