"""What a person, or a word's heat, says about where a thing is.

**Convention:** positions are (x, y) in [0, 1] of the photo's width and height, x right, y down. A window is
(left, top, right, bottom) in the same units.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realedit.errors import UsageError

Point = tuple[float, float]
Box = tuple[float, float, float, float]
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
"""The window that is the whole photo."""

CHANNELS = 12
"""Of `Hint.maps`: points near and far, for and against; box and its middle; mask; heat; which are given."""
_NEAR = 1.5
"""Deviation of a point's spot, in cells of the maps."""
_FAR = 0.15
"""Distance, in longer sides of the window, at which a point's wide spot has fallen to 1 / e."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Where a thing is, by any of these and all that are given together.

    Args:
        positive: Points on the thing.
        negative: Points that are not on it.
        box: About the thing, (left, top, right, bottom).
        mask: A rough mask, float or bool ``[h, w]`` over the whole photo at any resolution, 1 on the thing.
        heat: How likely each place belongs to it, float ``[h, w]`` like ``mask``; its maximum counts as 1.
    """

    positive: tuple[Point, ...] = ()
    negative: tuple[Point, ...] = ()
    box: Box | None = None
    mask: np.ndarray | None = None
    heat: np.ndarray | None = None

    def checked(self) -> Hint:
        """Returns the hint itself.

        Raises:
            UsageError: Nothing says where the thing is, or a point or box is not in the photo.
        """
        if not self.positive and self.box is None and self.mask is None and self.heat is None:
            raise UsageError("nothing says where the thing is", "give a point on it, a box, a mask or a heat")
        for x, y in (*self.positive, *self.negative):
            if not (0 <= x <= 1 and 0 <= y <= 1):
                raise UsageError(f"the point ({x:g}, {y:g}) is not in the photo", "x and y are in 0..1")
        if self.box is not None:
            left, top, right, bottom = self.box
            if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
                raise UsageError(
                    f"the box ({left:g}, {top:g}, {right:g}, {bottom:g}) is none of the photo",
                    "0 <= left < right <= 1 and 0 <= top < bottom <= 1",
                )
        return self

    def within(self, window: Box) -> Hint:
        """Returns the hint in the window's own coordinates; points outside it are dropped, a box is cut.

        Masks and heats are cropped and keep their resolution.
        """
        left, top, right, bottom = window
        width, height = right - left, bottom - top

        def inside(points: tuple[Point, ...]) -> tuple[Point, ...]:
            moved = (((x - left) / width, (y - top) / height) for x, y in points)
            return tuple((x, y) for x, y in moved if 0 <= x <= 1 and 0 <= y <= 1)

        box = None
        if self.box is not None:
            x0, x1 = (min(max((x - left) / width, 0.0), 1.0) for x in self.box[::2])
            y0, y1 = (min(max((y - top) / height, 0.0), 1.0) for y in self.box[1::2])
            box = (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
        return Hint(
            inside(self.positive),
            inside(self.negative),
            box,
            _cropped(self.mask, window),
            _cropped(self.heat, window),
        )

    def maps(self, height: int, width: int) -> np.ndarray:
        """Returns what the network reads, float32 ``[CHANNELS, height, width]``, all in [0, 1]."""
        maps = np.zeros((CHANNELS, height, width), np.float32)
        ys, xs = np.mgrid[:height, :width].astype(np.float32)
        for first, points in ((0, self.positive), (2, self.negative)):
            if points:
                squares = [(xs + 0.5 - x * width) ** 2 + (ys + 0.5 - y * height) ** 2 for x, y in points]
                square = np.min(squares, axis=0)
                maps[first] = np.exp(-square / (2 * _NEAR**2))
                maps[first + 1] = np.exp(-np.sqrt(square) / (_FAR * max(height, width)))
        if self.box is not None:
            left, top, right, bottom = self.box
            across = np.abs(((xs + 0.5) / width - left) / (right - left) * 2 - 1)
            along = np.abs(((ys + 0.5) / height - top) / (bottom - top) * 2 - 1)
            farther = np.maximum(across, along)
            # A soft edge of one cell, so that a box narrower than a cell is still seen.
            cells = (1 - across) * (right - left) * width / 2, (1 - along) * (bottom - top) * height / 2
            maps[4] = np.clip(np.minimum(*cells) + 0.5, 0, 1)
            maps[5] = np.clip(1 - farther, 0, 1)
        for channel, values in ((6, self.mask), (7, self.heat)):
            if values is not None:
                maps[channel] = resized(values.astype(np.float32), height, width)
        if self.heat is not None:
            maps[7] /= max(float(maps[7].max()), 1e-6)
        given = (bool(self.positive), self.box is not None, self.mask is not None, self.heat is not None)
        maps[8:] = np.array(given, np.float32)[:, None, None]
        return np.clip(maps, 0, 1)


def resized(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns ``[height, width]`` of ``[h, w]``: averaged where it shrinks, bilinear where it grows."""
    shrinks = values.shape[0] > height or values.shape[1] > width
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _cropped(values: np.ndarray | None, window: Box) -> np.ndarray | None:
    """Returns the window of a map; at least one cell of it."""
    if values is None:
        return None
    height, width = values.shape
    left, right = (round(x * width) for x in window[::2])
    top, bottom = (round(y * height) for y in window[1::2])
    left, top = min(left, width - 1), min(top, height - 1)
    return values[top : max(bottom, top + 1), left : max(right, left + 1)]
