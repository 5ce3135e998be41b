from __future__ import annotations

import cv2
import numpy as np
import pytest

from realedit.compose.shadow import find_shadow
from realedit.pixels.masks import grow

SIDE = 256


def _disc(x: float, y: float, rx: float, ry: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return ((columns - x) / rx) ** 2 + ((rows - y) / ry) ** 2 < 1


def _surface() -> np.ndarray:
    grain = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(SIDE, SIDE)), (0, 0), 1.2)
    return np.array((190.0, 180.0, 170.0)) * np.exp(0.04 * grain / grain.std())[..., None]


CUP = _disc(110, 120, 28, 34)


def _photo(rgb: np.ndarray) -> np.ndarray:
    rgb[CUP] = (200, 30, 30)
    return rgb.clip(0, 255).round().astype(np.uint8)


def test_a_made_shadow_of_known_depth_is_found() -> None:
    shade = _disc(135, 146, 38, 13)
    loss = 0.6 * cv2.GaussianBlur(shade.astype(float), (0, 0), 2)
    found = find_shadow(_photo(_surface() * np.exp(-loss)[..., None]), CUP)
    apart = ~grow(CUP, 2)
    true, seen = loss[apart] > 0.3, found.mask[apart]
    assert (true & seen).sum() > 0.7 * (true | seen).sum()
    assert found.loss[_disc(150, 148, 12, 6) & apart].mean() == pytest.approx(0.6, rel=0.2)
    assert not found.unsure


@pytest.mark.parametrize("grey", [25, 70])
def test_a_dark_neighbour_that_touches_the_object_is_no_shadow(grey: int) -> None:
    rgb = _surface()
    rgb[130:150, 134:215] = grey  # a table's leg, grey as a shadow, from the foot to far beyond
    found = find_shadow(_photo(rgb), CUP)
    assert not found.mask.any()
    assert not found.loss.any()


def test_a_dark_neighbour_with_something_on_it_is_no_shadow() -> None:
    rgb = _surface()
    rgb[_disc(138, 150, 26, 14)] = 60
    rgb[_disc(140, 150, 12, 6)] = 190  # a label
    assert not find_shadow(_photo(rgb), CUP).mask.any()


def test_beside_a_shadow_a_dark_neighbour_stays() -> None:
    shade = _disc(120, 152, 26, 9)
    rgb = _surface() * np.exp(-0.5 * cv2.GaussianBlur(shade.astype(float), (0, 0), 1.5))[..., None]
    leg = np.zeros((SIDE, SIDE), bool)
    leg[20:130, 60:78] = True
    rgb[leg] = 40
    found = find_shadow(_photo(rgb), CUP)
    assert (found.mask & shade).sum() > 0.4 * (shade & ~CUP).sum()
    assert found.seen[leg].mean() < 0.02
