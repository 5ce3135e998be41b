"""The part of a photo about a small object, seen by itself, enlarged: there the object is as large as any.

**Convention:** a part is a square in pixels of the photo, x to the right and y down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from realedit.locate import LIKELY, Location

_WIDE = 2.5
"""Sides of the object's box in one of the part: what it stands beside helps to tell what it is."""
_LEAST = 0.25
"""Least side of a part, in the photo's shorter sides: what is enlarged more has no detail to show."""
_MOST = 0.5
"""Largest side, likewise: what is larger the photo itself shows well."""


@dataclass(frozen=True)
class Part:
    """A square part of a photo.

    Args:
        x: of its left side.
        y: of its upper side.
        side: its length.
    """

    x: int
    y: int
    side: int

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The part of a photo, or of a map of its size, ``[side, side, ...]``."""
        return np.ascontiguousarray(image[self.y : self.y + self.side, self.x : self.x + self.side])

    def cut_heat(self, heat: np.ndarray, photo: tuple[int, int], cells: tuple[int, int]) -> np.ndarray:
        """The part of a whole photo's heat, float32 ``[h, w]`` of ``cells``; ``photo`` is its (H, W)."""
        wide = cv2.resize(heat, photo[::-1], interpolation=cv2.INTER_CUBIC)
        return cv2.resize(self.cut(wide), cells[::-1], interpolation=cv2.INTER_AREA)

    def put_back(self, found: Location, photo: tuple[int, int]) -> Location:
        """What was found in the part, as a place in the photo of (H, W)."""
        mask = np.zeros(photo, np.float32)
        mask[self.y : self.y + self.side, self.x : self.x + self.side] = found.mask
        return replace(found, mask=mask, heat=self.put_back_heat(found.heat, photo))

    def put_back_heat(self, heat: np.ndarray, photo: tuple[int, int]) -> np.ndarray:
        """A part's heat ``[h, w]`` in one of the whole photo of (H, W), in cells of the same size."""
        cell = self.side / heat.shape[0]
        size = [max(1, round(side / cell)) for side in photo]
        matrix = np.array([[1, 0, self.x / cell], [0, 1, self.y / cell]], np.float32)
        return cv2.warpAffine(heat, matrix, tuple(size[::-1]), flags=cv2.INTER_LINEAR)


def part_about(heat: np.ndarray, photo: tuple[int, int]) -> Part | None:
    """The part to look at for what is hot; None where that is large.

    Args:
        heat: float32 ``[h, w]`` in [0, 1], of the whole photo.
        photo: its (H, W).
    """
    h, w = photo
    hot = cv2.resize(heat, (w, h), interpolation=cv2.INTER_CUBIC) > LIKELY
    left, top, width, height = cv2.boundingRect(hot.astype(np.uint8))
    side = round(max(_LEAST * min(h, w), _WIDE * max(width, height)))
    if side > _MOST * min(h, w):
        return None
    x, y = (round(start + length / 2 - side / 2) for start, length in ((left, width), (top, height)))
    return Part(min(max(x, 0), w - side), min(max(y, 0), h - side), side)
