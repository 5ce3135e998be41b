"""Where an object is in a photo: its matte, its box, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in fractions of the frame."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Location:
    """An object in a photo.

    Args:
        word: the object's words, or None where the user gave a region alone.
        mask: matte, float32 ``[H, W]`` in [0, 1] at the photo's size.
        heat: float32 ``[h, w]`` in [0, 1]: what the model attended to; the given region where there is no
            word.
        score: how sure the model is, in [0, 1]: the attention's peak; 1 where the user gave the region.
        source: "word", "mask", "box" or "point".
    """

    word: str | None
    mask: np.ndarray
    heat: np.ndarray
    score: float
    source: str

    @property
    def hard(self) -> np.ndarray:
        """The mask as bool ``[H, W]``."""
        return self.mask > 0.5

    @property
    def centroid(self) -> tuple[float, float]:
        """(x, y) of the mask's centre of mass, in [0, 1]."""
        import numpy as np

        h, w = self.mask.shape
        total = float(self.mask.sum())
        x = float(self.mask.sum(0) @ (np.arange(w) + 0.5)) / total / w
        y = float(self.mask.sum(1) @ (np.arange(h) + 0.5)) / total / h
        return x, y

    @property
    def box(self) -> Box:
        """(x0, y0, x1, y1) of the hard mask, in [0, 1]; all 0 where nothing is in it."""
        return _bounds(self.hard) or (0.0, 0.0, 0.0, 0.0)


def box_of(mask: np.ndarray) -> Box | None:
    """The box of what a mask ``[H, W]`` in [0, 1] covers by half or more; None where that is nothing."""
    return _bounds(mask >= 0.5)


def shift_to_the_spot(one: Box, other: Box) -> tuple[float, float]:
    """(dx, dy) from where a box stands to where another does: the middle of its foot."""
    return (other[0] + other[2] - one[0] - one[2]) / 2, other[3] - one[3]


def _bounds(mask: np.ndarray) -> Box | None:
    """The box of a bool mask ``[H, W]``; None where nothing is in it."""
    import numpy as np

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    height, width = mask.shape
    return (
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1) / width),
        float((rows[-1] + 1) / height),
    )
