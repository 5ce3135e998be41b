"""A picture with a hole at several sizes, from coarse to fine, and the same with the hole filled."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from realedit.pixels.normalised_blur import normalised_blur

REACH_PIXELS = 3
"""Distance from a patch's centre to its sides, in pixels: larger patches copy larger structures and find
fewer sources, smaller ones repeat less and join worse. Not measured."""
SIDE = 2 * REACH_PIXELS + 1
"""A patch's side in pixels, which follows from its reach: see there for larger and smaller ones."""
_BASE_SIGMA_SIDES = 0.15
"""Standard deviation in longer sides of the blur that makes B: larger ones copy more of the light with the
texture, smaller ones carry texture on as light. Set on 30 rendered cases; 0.05 was no better."""
_COARSEST_DEPTH_PIXELS = 2.5
"""Depth in pixels of the hole in the coarsest picture: a deeper hole is halved once more, a shallower one is
begun with. Set on 30 rendered cases."""
_LEAST_PATCHES_A_SIDE = 6
"""Patches on a picture's shorter side: a picture that has more may be halved, one that has fewer is the
coarsest. Not measured."""
_HALF_HOLE = 0.5
"""Share of a halved picture's pixel that is known: below it the pixel belongs to the hole, at or above it is
known. Not measured."""
_HALF_FORBIDDEN = 0.25
"""Share of a halved picture's pixel that is forbidden: above it the pixel is forbidden, up to it may be
copied. Not measured."""


class Scene(NamedTuple):
    """What is to be completed at one size of the picture.

    Args:
        lab: the picture in CIELAB, float32 ``[H, W, 3]``.
        base: its B, likewise.
        hole: bool ``[H, W]``.
        forbidden: bool ``[H, W]``, nothing is copied from here; never in the hole.
    """

    lab: np.ndarray
    base: np.ndarray
    hole: np.ndarray
    forbidden: np.ndarray


class Completion(NamedTuple):
    """A filled hole, and where each of its pixels comes from.

    Args:
        picture: uint8 ``[H, W, 3]``, equal to the photo outside the hole.
        steps: from each of the hole's pixels to the centre of the patch that its own is drawn from, (row,
            column) in pixels, int32 ``[H, W, 2]``; 0 outside the hole.
        cost: what drawing each of the hole's pixels' patches from there costs, or how far from each other
            what is joined there was, squared; in Lab, float32 ``[H, W]``; 0 outside the hole.
        doubt: how much what was joined differed, for each pixel of the hole's outline, in Lab; 0 for patches,
            infinite where too little could be copied and the hole was filled smoothly.
    """

    picture: np.ndarray
    steps: np.ndarray
    cost: np.ndarray
    doubt: float = 0.0


def coarse_to_fine(rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None) -> list[Scene]:
    """Halves the picture until the hole is shallow or the picture small; returns none without a hole."""
    if not hole.any():
        return []
    forbidden = np.zeros_like(hole) if forbidden is None else forbidden & ~hole
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    base = normalised_blur(lab, ~(hole | forbidden), _BASE_SIGMA_SIDES * max(hole.shape))
    scenes = [Scene(lab, base, hole, forbidden)]
    least = _LEAST_PATCHES_A_SIDE * SIDE
    while inward(scenes[0].hole).max() > _COARSEST_DEPTH_PIXELS and min(scenes[0].hole.shape) >= least:
        scenes.insert(0, _halved(scenes[0]))
    return scenes


def _halved(scene: Scene) -> Scene:
    h, w = scene.hole.shape
    size = ((w + 1) // 2, (h + 1) // 2)

    def shrunk(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)

    known = ~scene.hole
    share = shrunk(known)
    lab = shrunk(scene.lab * known[..., None]) / np.maximum(share, 1e-6)[..., None]
    return Scene(lab, shrunk(scene.base), share < _HALF_HOLE, shrunk(scene.forbidden) > _HALF_FORBIDDEN)


def inward(hole: np.ndarray) -> np.ndarray:
    """Returns each hole pixel's distance to the known ones, in pixels; the frame's border is not one."""
    return cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)


def completed(
    rgb: np.ndarray, hole: np.ndarray, lab: np.ndarray, steps: np.ndarray, cost: np.ndarray
) -> Completion:
    """Lays a filled picture in CIELAB into the hole."""
    filled = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_Lab2RGB).clip(0, 1) * 255
    return Completion(np.where(hole[..., None], filled.round().astype(np.uint8), rgb), steps, cost)
