"""Other things beside an object, in pictures whose things are known."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.find.neighbours import neighbours

SIDE, PLACE = 256, 8
TABLE, OWN, OTHER = (150, 110, 80), (200, 30, 30), (40, 80, 160)


def _box(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[top:bottom, left:right] = True
    return mask


def _seen(own: np.ndarray, other: np.ndarray, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """A picture of two things on a table, and where a recogniser sees some thing: coarse and too wide."""
    noise = np.random.default_rng(0).normal(0, 3, (SIDE, SIDE, 3))
    rgb = np.where(own[..., None], OWN, np.where(other[..., None], OTHER, TABLE)) + noise
    wide = cv2.dilate((own | other).astype(np.uint8), np.ones((17, 17), np.uint8)).astype(np.float32)
    thing = cv2.resize(wide, (SIDE // PLACE, SIDE // PLACE), interpolation=cv2.INTER_AREA)
    picture = rgb.clip(0, 255).astype(np.uint8)
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC), thing


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_another_thing_is_found_to_its_edge_and_the_objects_own_surroundings_are_not() -> None:
    own, other = _box(100, 60, 180, 110), _box(110, 160, 170, 220)
    found = neighbours(*_seen(own, other), own)
    assert found.dtype == bool
    assert _iou(found, other) > 0.9
    assert not found[_box(84, 44, 196, 126)].any()


def test_a_thing_that_the_object_touches_is_found_up_to_it() -> None:
    own, other = _box(100, 60, 180, 110), _box(120, 110, 170, 190)
    found = neighbours(*_seen(own, other), own)
    assert _iou(found, other) > 0.85
    assert found[130:160, 112:118].mean() > 0.9
    assert not (found & own).any()


def test_alone_an_object_has_no_neighbours() -> None:
    own = _box(100, 60, 180, 110)
    assert not neighbours(*_seen(own, np.zeros_like(own)), own).any()


def test_a_large_photo_is_read_as_a_small_one() -> None:
    own, other = _box(100, 60, 180, 110), _box(110, 160, 170, 220)
    rgb, thing = _seen(own, other, 3 * SIDE)
    large = [
        cv2.resize(m.astype(np.uint8), (3 * SIDE, 3 * SIDE), interpolation=cv2.INTER_NEAREST) > 0
        for m in (own, other)
    ]
    assert _iou(neighbours(rgb, thing, large[0]), large[1]) > 0.9


def test_the_objects_shadow_is_no_thing_even_where_it_is_seen_as_one() -> None:
    own, shade, other = _box(100, 60, 180, 110), _box(140, 110, 180, 160), _box(110, 190, 170, 240)
    rgb, thing = _seen(own, shade | other)
    noise = np.random.default_rng(1).normal(0, 3, (SIDE, SIDE, 3))
    dark = (np.array(TABLE) * 0.6 + noise).clip(0, 255).astype(np.uint8)
    found = neighbours(np.where(shade[..., None], dark, rgb), thing, own)
    assert not (found & shade).any()
    assert _iou(found, other) > 0.85
