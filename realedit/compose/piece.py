"""The data of an edit in pixels: a piece that is taken up and put down, and what it casts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidance import Transform
from realedit.compose.reflection import Reflection
from realedit.compose.shadow import Shadow
from realedit.location import Location
from realedit.pixels.resizing import scaled
from realedit.pixels.warp import warped

SEEN = 0.004
"""Smallest loss of log intensity that counts as shadow; set by eye: less cannot be seen."""


@dataclass(frozen=True)
class Piece:
    """An object that an edit takes up, and where it puts it down.

    Args:
        location: the object, in the photo or in ``source``.
        transform: from where it is to where it goes; None where it goes away.
        source: uint8 ``[H, W, 3]`` at the photo's size that its pixels come from, where that is another
            picture: then nothing is taken up from the photo.
        casts: whether its shadow is looked for; a reshaped object's own pixels end at its outline.
    """

    location: Location
    transform: Transform | None
    source: np.ndarray | None = None
    casts: bool = True


@dataclass(frozen=True)
class Cast:
    """What a piece does to what it stands on, at the size at which holes are filled."""

    shadow: Shadow
    reflection: Reflection

    @property
    def mask(self) -> np.ndarray:
        """Where either is, bool ``[H, W]``."""
        return self.shadow.mask | self.reflection.mask

    def moved(self, transform: Transform, size: tuple[int, int]) -> Cast:
        """The same where the piece goes, at a size (width, height)."""
        loss = carried(scaled(self.shadow.loss, size), transform)
        light = carried(scaled(self.reflection.light, size), transform)
        seen = np.zeros_like(loss)  # nothing of it is in the photo there
        return Cast(Shadow(loss.max(-1) > SEEN, loss, seen), Reflection(np.abs(light).max(-1) > 0.5, light))

    def lifted(self, rgb: np.ndarray) -> np.ndarray:
        """A picture of any size, float32 ``[H, W, 3]`` in 0..255, without the shadow's darkness."""
        seen = scaled(self.shadow.seen, rgb.shape[1::-1])
        some = seen.max(-1, keepdims=True) > SEEN
        return np.where(some, replace(self.shadow, seen=seen).lift(rgb), rgb)

    def upon(self, behind: np.ndarray) -> np.ndarray:
        """A picture with it, float32 ``[H, W, 3]`` in 0..255; the same where it is not."""
        dark = np.where(self.shadow.mask[..., None], self.shadow.cast(behind), behind)
        return np.where(self.reflection.mask[..., None], self.reflection.cast(dark), dark)


def carried(image: np.ndarray, transform: Transform) -> np.ndarray:
    """An image ``[H, W]`` or ``[H, W, 3]`` where a transform carries it, float32; 0 enters at the border."""
    height, width = image.shape[:2]
    return warped(image, transform.matrix(width / height), transform.scale)
