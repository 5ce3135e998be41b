"""Where an object is in a photo: its matte, its box, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from realedit.errors import UnsureError

if TYPE_CHECKING:
    import numpy as np


Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in fractions of the frame."""
Point = tuple[float, float]
"""(x, y) in fractions of the frame."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
"""The box of the whole frame. Set by definition."""
_HALF = 0.5
"""Matte in [0, 1]: above it a pixel is the object's, below it is not. Set by definition."""


@dataclass(frozen=True)
class Location:
    """An object in a photo.

    Args:
        word: the object's words, or None if the user gave a region alone.
        mask: matte, float32 ``[H, W]`` in [0, 1] at the photo's size.
        heat: float32 ``[h, w]`` in [0, 1]: how much the model attended to each place; the given region if
            there is no word.
        score: how sure the model is, in [0, 1]: the attention's peak; 1 if the user gave the region.
        source: "word", "mask", "box" or "point".
        warning: what the user should know of how it was found; None if there is nothing.
        confidence: how likely it is what is meant, in [0, 1]: of what is found by word the probability that
            its IoU with the object is 0.5 or more, of a point or box the IoU that the cut-out
            network expects; 1 if the user gave the mask.
    """

    word: str | None
    mask: np.ndarray
    heat: np.ndarray
    score: float
    source: str
    warning: str | None = None
    confidence: float = 1.0

    @property
    def hard(self) -> np.ndarray:
        """The mask as bool ``[H, W]``."""
        return self.mask > _HALF

    @property
    def centroid(self) -> tuple[float, float]:
        """(x, y) of the mask's centre of mass, in [0, 1]."""
        import numpy as np

        h, w = self.mask.shape
        total = float(self.mask.sum())
        x = float(self.mask.sum(0) @ (np.arange(w, dtype=np.float64) + 0.5)) / total / w
        y = float(self.mask.sum(1) @ (np.arange(h, dtype=np.float64) + 0.5)) / total / h
        return x, y

    @property
    def box(self) -> Box:
        """(x0, y0, x1, y1) of the hard mask, in [0, 1]; all 0 if the mask is empty."""
        return _bounds(self.hard) or (0.0, 0.0, 0.0, 0.0)

    def assured(self, least: float) -> Location:
        """Returns the location itself, if its confidence is ``least`` in [0, 1] or more.

        Raises:
            UnsureError: it is not.
        """
        if self.confidence >= least:
            return self
        name = f"'{self.word}'" if self.word else "the object"
        raise UnsureError(
            f"it is not sure enough that what was found is {name}: confidence {self.confidence:.2f}, at "
            f"least {least:g} is asked for",
            "show it with --point, --box or --mask, or ask for less with --min-confidence",
        )


def box_of(mask: np.ndarray) -> Box | None:
    """Returns the box of the pixels that a mask ``[H, W]`` covers by half or more; None if there are none."""
    return _bounds(mask >= _HALF)


def shift_to_the_spot(one: Box, other: Box) -> tuple[float, float]:
    """Returns (dx, dy) from the middle of a box's lower side to that of another."""
    return (other[0] + other[2] - one[0] - one[2]) / 2, other[3] - one[3]


def _bounds(mask: np.ndarray) -> Box | None:
    """Returns the box of a bool mask ``[H, W]``; None if it is empty."""
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
