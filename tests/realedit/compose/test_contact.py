"""The contact shadow under an object, against light that was taken from a known surface."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realedit.compose.contact import find_contact

SIDE = 256


def _surface() -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 2, (SIDE, SIDE, 3))
    return (np.asarray((180.0, 150.0, 120.0)) + noise).clip(0, 255).round().astype(np.uint8)


def _box() -> np.ndarray:
    box = np.zeros((SIDE, SIDE), bool)
    box[80:140, 90:160] = True
    return box


def _under(loss: np.ndarray) -> np.ndarray:
    """The surface with a box on it, and ``loss`` [3] of light in a strip of three pixels under the box."""
    strip = np.zeros((SIDE, SIDE))
    strip[140:143, 90:160] = 1
    light = np.exp(-cv2.GaussianBlur(strip, (0, 0), 0.7)[..., None] * loss)
    rgb = _surface() * light
    rgb[_box()] = (200, 30, 30)
    return rgb.clip(0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("loss", [0.2, 0.5])
def test_the_light_lost_under_an_object_goes_along(loss: float) -> None:
    found = find_contact(_under(np.full(3, loss)), _surface(), _box())
    assert found.loss[140:142, 100:150].mean() == pytest.approx(loss, rel=0.35)
    assert not found.loss[:130].any()
    assert found.loss[150:].max() == 0
    assert not found.seen.any()
    assert not found.mask.any()


def test_on_a_lit_surface_there_is_none() -> None:
    assert not find_contact(_under(np.zeros(3)), _surface(), _box()).loss.any()


def test_another_colour_under_an_object_is_no_shadow() -> None:
    assert not find_contact(_under(np.array([0.7, 0.1, 0.1])), _surface(), _box()).loss.any()


def test_of_no_object_there_is_none() -> None:
    assert not find_contact(_surface(), _surface(), np.zeros((SIDE, SIDE), bool)).loss.any()
