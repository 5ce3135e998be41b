"""The part of a large photo that a step works on, so that its memory does not grow with the photo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_WHOLE_PIXELS = 16_000_000
"""Pixels of a photo: above it, steps work on the part that they change, up to it on the whole. A part takes
less memory; but turning and scaling round the places of pixels to 1/32, counted from the part's corner, so
that some pixels' last bits differ. Set above what was measured so far; not measured itself."""


@dataclass(frozen=True)
class Window:
    """A rectangle of a frame.

    Attributes:
        rows: of the frame.
        columns: likewise.
    """

    rows: slice
    columns: slice

    @property
    def at(self) -> tuple[slice, slice]:
        """What an array ``[H, W, ...]`` is indexed by."""
        return self.rows, self.columns

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in OpenCV's order."""
        return self.columns.stop - self.columns.start, self.rows.stop - self.rows.start

    @property
    def corner(self) -> tuple[int, int]:
        """Column and row of its upper left pixel."""
        return self.columns.start, self.rows.start


def whole(shape: tuple[int, ...]) -> Window:
    """Returns the window that is all of a frame (height, width)."""
    return Window(slice(0, shape[0]), slice(0, shape[1]))


def window_of(mask: np.ndarray, shape: tuple[int, ...], margin: int = 0) -> Window:
    """Returns the window to work in so that a mask is inside: the whole of a frame that is not large.

    Args:
        mask: bool ``[h, w]``, at the frame's size or a smaller one.
        shape: the frame's (height, width).
        margin: pixels of the mask that are added on each side.
    """
    if shape[0] * shape[1] <= _WHOLE_PIXELS:
        return whole(shape)
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    if not w:
        return Window(slice(0, 0), slice(0, 0))
    sides: list[slice] = []
    for begin, extent, small, side in ((y, h, mask.shape[0], shape[0]), (x, w, mask.shape[1], shape[1])):
        ratio = side / small
        first, last = int((begin - margin) * ratio), -int(-(begin + extent + margin) * ratio // 1)
        sides.append(slice(max(0, first), min(side, last)))
    return Window(sides[0], sides[1])
