"""The horizon of drawn rooms whose camera is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realedit.pixels.horizon import find_horizon

H, W = 600, 800
FOCAL = 0.8 * W
GREY = np.uint8(128)


def _room(pitch: float, yaw: float, roll: float = 0.0) -> np.ndarray:
    """A tiled floor with upright posts, seen from 1.5 above it by a camera that looks down by the pitch."""
    p, y, r = np.radians([pitch, yaw, roll])
    turn_yaw = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    turn_pitch = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    turn_roll = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    turn = turn_roll @ turn_pitch @ turn_yaw
    rng = np.random.default_rng(0)
    image = np.full((H, W), 150, np.uint8)

    def line(one: tuple[float, float, float], other: tuple[float, float, float], colour: int) -> None:
        ends = turn @ np.array([one, other]).T + 0.0
        if (ends[2] < 0.3).any():
            near, far = (0, 1) if ends[2, 0] < ends[2, 1] else (1, 0)
            if ends[2, far] < 0.3:
                return
            share = (0.3 - ends[2, near]) / (ends[2, far] - ends[2, near])
            ends[:, near] += share * (ends[:, far] - ends[:, near])
        x, v = FOCAL * ends[:2] / ends[2] + np.array([[W / 2], [H / 2]])
        if np.abs([*x, *v]).max() < 1e5:
            points = [(round(float(a)), round(float(b))) for a, b in zip(x, v, strict=True)]
            cv2.line(image, points[0], points[1], (colour,), 2, cv2.LINE_AA)

    for k in range(-8, 9):
        line((0.8 * k, 1.5, 0.2), (0.8 * k, 1.5, 9), 60)
        line((-6, 1.5, 0.8 * (k + 9)), (6, 1.5, 0.8 * (k + 9)), 60)
        line((0.8 * k, 1.5, 5), (0.8 * k, 0.4, 5), 230)
    noisy = image[..., None] + rng.normal(0, 2, (H, W, 3))
    return cv2.GaussianBlur(noisy.clip(0, 255).astype(np.uint8), (0, 0), 0.7)


@pytest.mark.parametrize(
    ("pitch", "yaw", "roll"), [(5, 20, 0), (15, 35, 0), (30, 25, 0), (-4, 30, 0), (15, 20, 3)]
)
def test_the_horizon_of_a_room_is_found(pitch: float, yaw: float, roll: float) -> None:
    true = 0.5 - FOCAL * np.tan(np.radians(pitch)) / H
    assert find_horizon(_room(pitch, yaw, roll)) == pytest.approx(true, abs=0.04)


def test_the_photos_size_does_not_matter() -> None:
    room = _room(15, 35)
    large = cv2.resize(room, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert find_horizon(large) == pytest.approx(find_horizon(room), abs=0.03)


@pytest.mark.parametrize("kind", ["flat", "noise", "one line", "circles", "tiny"])
def test_where_no_lines_tell_there_is_none(kind: str) -> None:
    image = np.full((H, W, 3), GREY)
    if kind == "noise":
        image = np.random.default_rng(0).integers(0, 256, (H, W, 3)).astype(np.uint8)
    if kind == "one line":
        cv2.line(image, (10, 500), (790, 480), (20, 20, 20), 3)
    if kind == "circles":
        for k in range(12):
            cv2.circle(image, (60 + 60 * k, 100 + 130 * (k % 4)), 25 + 5 * k, (10 * k, 200, 90), -1)
    assert find_horizon(image[:8, :8] if kind == "tiny" else image) is None
