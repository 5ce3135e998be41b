r"""Finds the height of the horizon from the straight lines of a photo.

Most lines of rooms, tables and streets run in three directions at right angles, one of them upright (the
Manhattan world). A camera of focal length f that looks down by the pitch :math:`\theta` sees the lines of a
direction
:math:`d = (d_x, d_y, d_z)` run through one point, :math:`f\,(d_x, d_y) / d_z` from the photo's middle, and
the horizon
:math:`f \tan\theta` above the middle. Pitch, roll and yaw are those at which the lines' agreement is
greatest:

.. math:: S = \sum_i w_i \max_{k = 1, 2, 3} \exp\!\big(-\sin^2\!\alpha_{ik} / 2 \sigma^2\big), \qquad \sum_i
w_i = 1

with :math:`\alpha_{ik}` the angle between line i and the way from its middle to the k-th point, and
:math:`w_i` its share of all lengths. How much less the best agreement at another pitch is tells how sure that
is.

It is written here because OpenCV finds line segments and nothing more, and no library that is kept up makes a
horizon of them without a network.

Reference: Coughlan and Yuille 1999, *Manhattan World: Compass Direction from a Single Image by Bayesian
    Inference*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from realedit.pixels.resizing import scaled

_SIDE_PIXELS = 640
"""Longer side at which lines are looked for, in pixels: larger photos are made as small, because their grain
makes lines; smaller ones stay. Not measured."""
_LEAST_LENGTH_PIXELS, _FULL_LENGTH_PIXELS = 16.0, 160.0
"""Length of a line segment at that size in pixels: below the first it says nothing, above the second it
counts no more than at it. Not measured."""
_MOST_SEGMENTS, _LEAST_SEGMENTS = 400, 40
"""Number of segments: of more than the first the longest are taken, fewer than the second tell no horizon. 40
segments drawn at random told none in 12 draws, 20 told one in 2 of 12."""
_FOCAL_SIDES = 0.8
"""Focal length in longer sides of the photo, a telephone's: a larger one puts the horizon farther from the
middle, a smaller one nearer to it. 0.7 and 0.95 did no worse on 16 scenes of ReS."""
_SPREAD = np.radians(2.0)
"""Spread sigma of a line's direction in radians: a larger one lets more lines agree, a smaller one fewer. 1
and 3 degrees did no worse on 16 scenes of ReS."""
_PITCHES, _ROLLS, _YAWS = np.arange(-20.0, 72.0, 2.0), np.arange(-6.0, 7.0, 2.0), np.arange(0.0, 90.0, 3.0)
"""Pitches, rolls and yaws in degrees that are tried: beyond the first two a photo is none that was taken
upright, and a quarter turn gives the same directions again. Set by geometry."""
_FINER_PITCHES, _FINER_ROLLS = np.arange(-2.0, 2.1, 0.5), np.arange(-1.0, 1.1, 1.0)
"""What is tried about the best of them, in degrees: between the steps above. Set by geometry."""
_OTHER_PITCH = 8.0
"""Difference of two pitches in degrees: farther apart they are two answers, nearer they are one. Not
measured."""
_SURE_MARGIN = 0.06
"""How much more of the lines' length has to agree than at any other pitch: at or above it the horizon is
told, below it is not known. On 16 scenes of ReS 0.06 and 0.1 tell the same 22 of 32 photographs, 0 tells all
and misses by twice as much."""
_SURE_AGREEMENT = 0.3
"""Share of the lines' length that has to agree: at or above it the horizon is told, below it is not known.
Not measured."""


@dataclass(frozen=True)
class _Lines:
    """Line segments, lengths in focal lengths.

    Args:
        middles: (x, y) from the photo's middle, ``[N, 2]``.
        ways: unit directions, ``[N, 2]``.
        weights: their shares of the length of all, ``[N]``; they add up to 1.
    """

    middles: np.ndarray
    ways: np.ndarray
    weights: np.ndarray


def find_horizon(rgb: np.ndarray) -> float | None:
    """Finds the height of the horizon in the middle of a photo.

    Args:
        rgb: uint8 ``[H, W, 3]``.

    Returns:
        Its distance from the upper edge as a fraction of the height, negative above the photo; None where the
        lines do not tell.
    """
    height, width = rgb.shape[:2]
    lines = _lines(rgb)
    if lines is None:
        return None
    best = np.array([[_agreement(lines, p, r) for r in _ROLLS] for p in _PITCHES])
    at_pitch = best.max(1)
    pitch, roll = float(_PITCHES[at_pitch.argmax()]), float(_ROLLS[best.max(0).argmax()])
    others = at_pitch[np.abs(_PITCHES - pitch) > _OTHER_PITCH].max()
    if at_pitch.max() < _SURE_AGREEMENT or at_pitch.max() - others < _SURE_MARGIN:
        return None
    finer = [
        (_agreement(lines, pitch + float(p), roll + float(r)), pitch + float(p))
        for p in _FINER_PITCHES
        for r in _FINER_ROLLS
    ]
    focal = _FOCAL_SIDES * max(height, width) / height
    return float(0.5 - focal * np.tan(np.radians(max(finer)[1])))


def _lines(rgb: np.ndarray) -> _Lines | None:
    """Returns a photo's line segments; None where there are too few."""
    shrink = min(1.0, _SIDE_PIXELS / max(rgb.shape[:2]))
    size = (max(1, round(rgb.shape[1] * shrink)), max(1, round(rgb.shape[0] * shrink)))
    grey = cv2.cvtColor(scaled(rgb, size), cv2.COLOR_RGB2GRAY)
    found: Any = cv2.createLineSegmentDetector().detect(grey)[0]  # None where there are none
    ends = np.zeros((0, 4)) if found is None else np.asarray(found, np.float64).reshape(-1, 4)
    ways = ends[:, 2:] - ends[:, :2]
    lengths = np.hypot(*ways.T)
    long = lengths > _LEAST_LENGTH_PIXELS
    taken = np.flatnonzero(long)[np.argsort(-lengths[long])[:_MOST_SEGMENTS]]
    if len(taken) < _LEAST_SEGMENTS:
        return None
    focal = _FOCAL_SIDES * max(size)
    middles = ((ends[taken, :2] + ends[taken, 2:] + 1 - np.array(size)) / 2) / focal
    weights = np.minimum(lengths[taken], _FULL_LENGTH_PIXELS)
    return _Lines(middles, ways[taken] / lengths[taken, None], weights / weights.sum())


def _agreement(lines: _Lines, pitch: float, roll: float) -> float:
    """Returns the greatest S of all yaws; angles in degrees."""
    t, r, yaws = np.radians(pitch), np.radians(roll), np.radians(_YAWS)
    down = np.array([[0.0, np.cos(t), np.sin(t)]])
    one = np.stack([np.cos(yaws), -np.sin(t) * np.sin(yaws), np.cos(t) * np.sin(yaws)], 1)
    other = np.stack([-np.sin(yaws), -np.sin(t) * np.cos(yaws), np.cos(t) * np.cos(yaws)], 1)
    turn = np.array([[np.cos(r), np.sin(r), 0], [-np.sin(r), np.cos(r), 0], [0, 0, 1]])
    each = [_near(lines, directions @ turn) for directions in (down, one, other)]
    agreed = np.maximum(np.maximum(each[0], each[1]), each[2])
    return float((agreed @ lines.weights).max())


def _near(lines: _Lines, directions: np.ndarray) -> np.ndarray:
    """Returns how well lines agree with directions ``[K, 3]``, ``[K, N]`` in [0, 1]."""
    x = directions[:, :1] - lines.middles[:, 0] * directions[:, 2:]
    y = directions[:, 1:2] - lines.middles[:, 1] * directions[:, 2:]
    across = x * lines.ways[:, 1] - y * lines.ways[:, 0]
    return np.exp(-(across**2) / (x * x + y * y + 1e-9) / (2 * _SPREAD**2))
