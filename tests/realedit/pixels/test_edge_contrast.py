"""Whether an outline lies on the photo's edges: in pictures where that is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realedit.pixels.edge_contrast import edge_contrast
from realedit.pixels.masks import grow, shrink

H, W = 200, 300


def _disc(r: float = 50, h: int = H, w: int = W) -> np.ndarray:
    rows, columns = np.mgrid[:h, :w] + 0.5
    return np.hypot(columns - w / 2, rows - h / 2) < r


def _photo(mask: np.ndarray, noise: float = 8) -> np.ndarray:
    rgb = np.where(mask[..., None], (190, 90, 60), (90, 110, 130)).astype(float)
    return (rgb + np.random.default_rng(0).normal(0, noise, rgb.shape)).clip(0, 255).astype(np.uint8)


def test_an_outline_on_the_edge_stands_out_and_one_beside_it_does_not() -> None:
    mask = _disc()
    rgb = _photo(mask)
    exact = edge_contrast(rgb, mask)
    assert exact > 5
    assert edge_contrast(rgb, grow(mask, 8)) < 1
    assert edge_contrast(rgb, shrink(mask, 8)) < 1
    assert edge_contrast(rgb, np.roll(mask, 6, 1)) < exact / 2


def test_in_noise_every_outline_is_alike() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (H, W, 3), np.uint8)
    assert edge_contrast(rgb, _disc()) == pytest.approx(1, abs=0.1)


def test_it_is_the_same_at_every_size() -> None:
    large = _disc(400, 1600, 2400)
    rgb = _photo(large, noise=0)
    rgb = cv2.GaussianBlur(rgb, (0, 0), 6)
    small = cv2.resize(rgb, (1200, 800), interpolation=cv2.INTER_AREA)
    half = cv2.resize(large.astype(np.uint8), (1200, 800), interpolation=cv2.INTER_AREA) > 0
    assert edge_contrast(rgb, large) == pytest.approx(edge_contrast(small, half), rel=0.15)


@pytest.mark.parametrize("mask", [np.zeros((H, W), bool), np.ones((H, W), bool), _disc()])
def test_where_nothing_is_told_apart_it_is_one(mask: np.ndarray) -> None:
    assert edge_contrast(np.full((H, W, 3), 90, np.uint8), mask) == 1


def test_the_frame_is_no_edge() -> None:
    mask = np.zeros((H, W), bool)
    mask[:, :150] = True
    assert edge_contrast(_photo(mask), mask) > 4
    mask[:] = False
    mask[60:140, 0:3] = True
    assert edge_contrast(_photo(_disc()), mask) >= 0
