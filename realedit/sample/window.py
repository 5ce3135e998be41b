"""The window of a large photo in which the model works, at the size that it was trained on.

A photo of 12 megapixels shrunk to a model's native size has lost what the model would have to match. So the
model is shown a window about the edited region, in which a pixel of the photo is a pixel of the model's: the
"only masked" of inpainting tools. Outside the window nothing is computed and nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidance import Transform
from realedit.compose.anchor import Anchor
from realedit.sample.regions import Subject

_CONTEXT = 0.25
"""Width of the surroundings that the window holds on each side of the edited region, in sides of the region:
less leaves the model too little to go by, more makes large regions smaller. Not measured."""
_GRID = 8
"""Steps of the window's place and size, in parts of the model's side: finer ones fit the region better,
coarser ones let more edits of a photo share a window, and with it an inversion. Not measured."""
_LARGEST_ASPECT = 2.0
"""Longer over shorter side of a window at most: longer ones are unlike what SDXL was trained on (Podell et
al. 2023, arXiv 2307.01952, appendix I), shorter ones shrink long regions more."""
_WORTH = 1.5
"""Share of the photo's area over the model's, up to which the whole photo is worked on; above it a window.
Lower, photos that are seen whole at no great loss get windows; higher, they lose detail. Not measured."""


@dataclass(frozen=True)
class Window:
    """A part of a photo, in pixels.

    Args:
        y: its first row.
        x: its first column.
        height: rows.
        width: columns.
    """

    y: int
    x: int
    height: int
    width: int

    @property
    def rows(self) -> slice:
        """Its rows."""
        return slice(self.y, self.y + self.height)

    @property
    def columns(self) -> slice:
        """Its columns."""
        return slice(self.x, self.x + self.width)

    def of(self, image: np.ndarray) -> np.ndarray:
        """Returns the part of an array ``[H, W, ...]`` that lies in the window, a view."""
        return image[self.rows, self.columns]

    def laid(self, part: np.ndarray, over: np.ndarray) -> np.ndarray:
        """Returns a copy of an array ``[H, W, ...]`` with a part laid where the window is."""
        whole = over.copy()
        self.of(whole)[...] = part
        return whole

    def transform(self, to: Transform, shape: tuple[int, ...]) -> Transform:
        """Returns a transform of a photo of this shape ``(H, W, ...)``, in fractions of the window."""
        h, w = shape[:2]
        centre = to.centre
        if centre is not None:
            centre = ((centre[0] * w - self.x) / self.width, (centre[1] * h - self.y) / self.height)
        return replace(to, dx=to.dx * w / self.width, dy=to.dy * h / self.height, centre=centre)

    def anchor(self, anchor: Anchor) -> Anchor:
        """Returns the part of an edit in pixels that lies in the window."""
        return replace(
            anchor,
            picture=self.of(anchor.picture),
            mattes=tuple(self.of(matte) for matte in anchor.mattes),
            hole=self.of(anchor.hole),
            shadow_before=self.of(anchor.shadow_before),
            shadow_after=self.of(anchor.shadow_after),
        )

    def subject(self, subject: Subject, shape: tuple[int, ...]) -> Subject:
        """Returns a piece of the anchor of a photo of this shape ``(H, W, ...)``, as the window has it."""
        return replace(
            subject,
            transform=None if subject.transform is None else self.transform(subject.transform, shape),
            old=None if subject.old is None else self.of(subject.old),
            matte=self.of(subject.matte),
        )


def window_about(region: np.ndarray, side: int, multiple: int) -> Window | None:
    """Chooses the window in which a region of a photo is worked on.

    It is the model's own square where the region and its surroundings fit into that, else in the region's
    shape and as much larger as it takes; then the model sees it shrunk.

    Args:
        region: the pixels that may change, bool ``[H, W]``.
        side: side in pixels of the square whose area the model works at.
        multiple: the model's pixel sizes divide by this.

    Returns:
        The window, inside the photo; None where the photo is worked on whole.
    """
    h, w = region.shape
    if h * w <= _WORTH * side**2 or not region.any():
        return None
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    spans = [(int(ends[0]), int(ends[-1]) + 1) for ends in (rows, columns)]
    needs = [
        min(round((stop - start) * (1 + 2 * _CONTEXT)), limit)
        for (start, stop), limit in zip(spans, (h, w), strict=True)
    ]
    height, width = (side, side) if max(needs) <= side else _in_shape(needs[0], needs[1], side)
    size = [
        _within(length, limit, multiple, stop - start)
        for length, limit, (start, stop) in zip((height, width), (h, w), spans, strict=True)
    ]
    # what a narrow photo lacks in one direction is taken in the other
    for one, other, limit in ((0, 1, w), (1, 0, h)):
        if size[one] < (height, width)[one]:
            start, stop = spans[other]
            size[other] = _within(max(size[other], side**2 // size[one]), limit, multiple, stop - start)
    if size[0] * size[1] >= h * w / _WORTH:
        return None
    step = max(multiple, side // _GRID)
    y, x = (
        _start(start, stop, length, limit, step)
        for (start, stop), length, limit in zip(spans, size, (h, w), strict=True)
    )
    return Window(y, x, *size)


def _in_shape(height: int, width: int, side: int) -> tuple[int, int]:
    """Returns the smallest size that holds another and is no longer than models are used to."""
    height, width = max(height, side), max(width, side)
    shortest = round(max(height, width) / _LARGEST_ASPECT)
    step = max(1, side // _GRID)
    return -(-max(height, shortest) // step) * step, -(-max(width, shortest) // step) * step


def _within(length: int, limit: int, multiple: int, least: int) -> int:
    """Rounds a length up to a multiple that fits into a limit, down where none does.

    Where that is less than ``least``, it is the limit itself.
    """
    whole = -(-length // multiple) * multiple
    fits = whole if whole <= limit else limit // multiple * multiple
    return fits if fits >= max(least, 1) else limit


def _start(start: int, stop: int, length: int, limit: int, step: int) -> int:
    """Returns where a window of a length begins that is centred on a span, on a grid, and inside the photo.

    The span stays inside the window wherever that is long enough.
    """
    middle = round(((start + stop) / 2 - length / 2) / step) * step
    least, most = max(0, stop - length), min(start, limit - length)
    return min(max(middle, least, 0), max(most, least), limit - length)
