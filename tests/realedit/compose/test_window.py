"""Large photos are worked on in windows: the picture is the one of the whole."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from guidance import Transform
from realedit.compose.anchor import Anchor, build_anchor
from realedit.compose.hole import Fill
from realedit.compose.piece import Piece
from realedit.compose.window import Window, whole, window_of
from realedit.location import Location
from realedit.pixels.hole_filling import fill_with_steps
from realedit.pixels.pyramid import Completion

H, W = 500, 750


def _scene() -> tuple[np.ndarray, Location]:
    """A lit, grained table with a disc on it that casts a shadow to its right."""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    grain = np.random.default_rng(0).normal(0, 3, (H, W)).astype(np.float32)
    surface = 150 + 30 * x / W - 20 * y / H + cv2.GaussianBlur(grain, (0, 0), 1)
    shadow = cv2.GaussianBlur(
        cv2.ellipse(np.zeros((H, W), np.float32), (280, 287), (55, 15), 0, 0, 360, 1, -1), (0, 0), 6
    )
    rgb = np.stack([surface * (1 - 0.5 * shadow)] * 3, axis=-1)
    mask = cv2.circle(np.zeros((H, W), np.float32), (225, 250), 45, 1, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 1.2)
    rgb = rgb * (1 - mask[..., None]) + np.array([190, 60, 50], np.float32) * mask[..., None]
    return rgb.round().clip(0, 255).astype(np.uint8), Location("disc", mask, mask, 1.0, "mask")


@pytest.fixture(scope="module")
def fill() -> Fill:
    """Fills holes, each only once: the same hole is filled for the whole and for the window."""
    done: dict[bytes, Completion] = {}

    def once(rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None) -> Completion:
        key = hashlib.sha256(rgb.tobytes() + hole.tobytes()).digest()
        if key not in done:
            done[key] = fill_with_steps(rgb, hole, forbidden)
        return done[key]

    return once


def _anchor(transform: Transform | None, fill: Fill) -> Anchor:
    rgb, location = _scene()
    return build_anchor(rgb, [Piece(location, transform)], fill=fill)


@pytest.mark.parametrize(
    ("transform", "most"),
    [
        (None, 0.0),
        (Transform(0.3, 0.1, centre=(0.3, 0.5)), 0.0),
        # places are rounded to 1/32 of a pixel from another corner
        (Transform(0.3, 0.1, 1.3, 20.0, centre=(0.3, 0.5)), 3.0),
    ],
    ids=["away", "moved", "turned"],
)
def test_a_window_gives_the_picture_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, fill: Fill, transform: Transform | None, most: float
) -> None:
    monkeypatch.setattr("realedit.compose.hole.FILL_SIDE", 300)  # as a large photo's small copy
    expected = _anchor(transform, fill)
    monkeypatch.setattr("realedit.compose.window._WHOLE_PIXELS", 0)
    found = _anchor(transform, fill)
    off = np.abs(found.picture - expected.picture)
    assert off.max() <= most
    assert (off > 0.5).mean() <= (0.002 if most else 0)
    np.testing.assert_array_equal(found.hole, expected.hole)
    np.testing.assert_array_equal(found.shadow_before, expected.shadow_before)
    assert (found.shadow_after != expected.shadow_after).mean() <= (1e-4 if most else 0)
    np.testing.assert_allclose(found.matte, expected.matte, atol=0.05 if most else 0)
    # the object, or its shadow, did something
    assert expected.changed.mean() > 0.01


def test_a_window_holds_the_mask_at_the_frames_size(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.zeros((50, 60), bool)
    mask[10:20, 30:40] = True
    assert window_of(mask, (500, 600)) == whole((500, 600))
    monkeypatch.setattr("realedit.compose.window._WHOLE_PIXELS", 0)
    assert window_of(mask, (500, 600)) == Window(slice(100, 200), slice(300, 400))
    assert window_of(mask, (500, 600), margin=2) == Window(slice(80, 220), slice(280, 420))
    assert window_of(mask, (525, 600), margin=30) == Window(slice(0, 525), slice(0, 600))
    assert window_of(np.zeros((5, 5), bool), (500, 600)).size == (0, 0)
    assert Window(slice(1, 5), slice(2, 9)).size == (7, 4)
    assert Window(slice(1, 5), slice(2, 9)).corner == (2, 1)
