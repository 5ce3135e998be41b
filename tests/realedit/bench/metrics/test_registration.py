"""An object found again by its pixels: known similarities of a known picture."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from guidance import Transform
from realedit.bench.metrics.registration import register, remains
from realedit.bench.regions import centroid, warp_image

SIDE = 160


def ground(seed: int) -> np.ndarray:
    """Soft noise, uint8 ``[H, W, 3]``."""
    noise = np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    return (120 + 20 * soft / soft.std()).clip(0, 255).astype(np.uint8)


def thing(textured: bool) -> tuple[np.ndarray, np.ndarray]:
    """A wedge, which looks different at every angle, plain or textured; and its mask."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.array([[40, 60], [84, 70], [62, 82], [52, 104]], np.int32)], 1)
    colours = np.full((SIDE, SIDE, 3), (190, 60, 50), np.uint8)
    return (ground(3) // 2 + colours // 2 if textured else colours), mask > 0


def laid(to: Transform, textured: bool) -> np.ndarray:
    """The wedge on its ground under a transform."""
    colours, mask = thing(textured)
    alpha = warp_image(mask.astype(np.float32), to).clip(0, 1)[..., None]
    moved = warp_image(colours.astype(np.float32), to)
    return (ground(0) * (1 - alpha) + moved * alpha).clip(0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("textured", [True, False])
@pytest.mark.parametrize(
    ("dx", "dy", "scale", "angle"),
    [
        (0.3, 0.1, 1.0, 0.0),
        (0.0, 0.0, 0.7, 0.0),
        (0.0, 0.0, 1.35, 0.0),
        (0.0, 0.0, 1.0, 40.0),
        (0, 0, 1, -65),
    ],
)
def test_a_known_similarity_is_found(
    dx: float, dy: float, scale: float, angle: float, textured: bool
) -> None:
    mask = thing(textured)[1]
    x, y = centroid(mask)
    photo = laid(Transform(), textured)
    picture = laid(Transform(dx, dy, scale, angle, centre=(x, y)), textured)
    likely = [(scale, angle), (math.sqrt(scale), angle / 2)]
    found = register(photo, mask, picture, likely)
    assert found.x == pytest.approx(x + dx, abs=0.005)
    assert found.y == pytest.approx(y + dy, abs=0.005)
    assert found.scale == pytest.approx(scale, rel=0.03)
    assert found.angle == pytest.approx(angle, abs=2)
    assert found.score > 0.7  # the rim stands on other ground


def test_what_was_asked_for_but_not_done_is_not_found() -> None:
    """The likely sizes and angles are where it looks first, not what it answers."""
    mask = thing(True)[1]
    photo = laid(Transform(), True)
    found = register(photo, mask, photo, [(1.4, 50.0), (1.2, 25.0)])
    assert (found.x, found.y) == pytest.approx(centroid(mask), abs=0.002)
    assert found.scale == pytest.approx(1, abs=0.01)
    assert found.angle == pytest.approx(0, abs=1)


def test_an_object_that_is_gone_matches_nowhere() -> None:
    mask = thing(True)[1]
    assert register(laid(Transform(), True), mask, ground(0)).score < 0.5
    assert remains(laid(Transform(), True), mask, ground(0)) < 0.5
    assert remains(laid(Transform(), True), mask, laid(Transform(), True)) == pytest.approx(1)


def test_a_large_object_of_a_large_picture_is_found_by_some_of_its_pixels() -> None:
    """cv2.remap takes no more than 32,767 places in a row."""
    colours, mask = thing(True)
    large = cv2.resize(laid(Transform(), True), None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    found = register(large, cv2.resize(mask.astype(np.uint8), None, fx=8, fy=8) > 0, large)
    assert (found.x, found.y) == pytest.approx(centroid(mask), abs=0.005)
    assert colours.shape[0] * 8 == large.shape[0]
