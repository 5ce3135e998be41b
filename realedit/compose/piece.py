"""The data of an edit in pixels: a piece that is taken up and put down, its shadow and its reflection."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidance import Transform
from realedit.compose.foot import feet
from realedit.compose.reflection import Reflection
from realedit.compose.shadow import Shadow
from realedit.compose.window import Window, whole, window_of
from realedit.location import Location
from realedit.pixels.resizing import scaled
from realedit.pixels.warp import warped

LEAST_SEEN_LOSS = 0.004
"""Smallest loss of log intensity that counts as shadow: pixels that lose more are darkened or lightened with
it, all others stay. Set by eye: less cannot be seen."""
_REACH_PIXELS = 3
"""Pixels of the small picture about what is carried there: more is looked at than the kernels of both sizes
reach, with fewer their edge could be cut off. Not measured."""
_LEAST_SEEN_LIGHT = 0.5
"""Smallest light of a reflection, in grey levels of 255: pixels with more change with it, all others stay.
Set by rounding: less changes no 8-bit value."""


@dataclass(frozen=True)
class Piece:
    """An object that an edit takes up, and the place where it puts the object down.

    Args:
        location: the object, in the photo or in ``source``.
        transform: from its old place to its new one; None if it goes away.
        source: uint8 ``[H, W, 3]`` at the photo's size, the picture that its pixels come from if that is not
            the photo; nothing is taken up from the photo then.
        stays: whether it also stays where it was, so that a second one is put down; nothing is taken up then.
        casts: whether its shadow and reflection are looked for; not those of a reshaped object, whose pixels
            mean nothing outside its outline.
    """

    location: Location
    transform: Transform | None
    source: np.ndarray | None = None
    casts: bool = True
    stays: bool = False

    @property
    def taken(self) -> bool:
        """Whether it is taken up from the photo and leaves a hole there."""
        return self.source is None and not self.stays


@dataclass(frozen=True)
class Cast:
    """The shadow and the reflection of a piece, at the size at which holes are filled."""

    shadow: Shadow
    reflection: Reflection

    @property
    def mask(self) -> np.ndarray:
        """Where there is shadow or reflection, bool ``[H, W]``."""
        return self.shadow.mask | self.reflection.mask

    def moved(
        self,
        location: Location,
        transform: Transform,
        size: tuple[int, int],
        window: Window | None = None,
    ) -> Cast:
        """Carries both along with the piece.

        Args:
            location: the piece.
            transform: where it goes.
            size: (width, height) of the frame.
            window: the part of the frame that is returned; all of it by default.
        """
        part = window or whole(size[::-1])
        loss = carried(scaled(self.shadow.loss, size), _way_of_shadow(location, transform), part)
        light = carried(scaled(self.reflection.light, size), _way_of_reflection(location, transform), part)
        seen = np.zeros_like(loss)  # the photo shows nothing of it at the new place
        shadow = Shadow(loss.max(-1) > LEAST_SEEN_LOSS, loss, seen)
        return Cast(shadow, Reflection(np.abs(light).max(-1) > _LEAST_SEEN_LIGHT, light))

    def reach(self, location: Location, transform: Transform, shape: tuple[int, ...]) -> Window:
        """Returns the window of a frame (height, width) in which :meth:`moved` leaves something."""
        loss = carried(self.shadow.loss, _way_of_shadow(location, transform))
        light = carried(self.reflection.light, _way_of_reflection(location, transform))
        some = (loss.max(-1) > LEAST_SEEN_LOSS / 2) | (np.abs(light).max(-1) > _LEAST_SEEN_LIGHT / 2)
        return window_of(some, shape, _REACH_PIXELS)

    def lift_off(self, rgb: np.ndarray) -> None:
        """Lifts the shadow off a picture of any size in place; float32 ``[H, W, 3]`` in 0..255."""
        seen = scaled(self.shadow.seen, rgb.shape[1::-1])
        window = window_of(seen.max(-1) > LEAST_SEEN_LOSS, rgb.shape).at
        own, seen = rgb[window], seen[window]
        some = seen.max(-1, keepdims=True) > LEAST_SEEN_LOSS
        own[:] = np.where(some, replace(self.shadow, seen=seen).lift(own), own)

    def upon(self, behind: np.ndarray) -> np.ndarray:
        """Lays shadow and reflection onto a picture, float32 ``[H, W, 3]`` in 0..255; the rest stays."""
        dark = np.where(self.shadow.mask[..., None], self.shadow.cast(behind), behind)
        return np.where(self.reflection.mask[..., None], self.reflection.cast(dark), dark)


def _way_of_shadow(location: Location, transform: Transform) -> Transform:
    """Returns where the shadow goes: with the piece, but a mirrored one's is shifted with its foot alone.

    The light keeps coming from where it came, so that such a shadow is neither mirrored nor turned; its
    outline remains that of the object as it stood.
    """
    if not transform.mirrored:
        return transform
    (x0, y0), (x1, y1) = _feet(location, transform)
    return Transform(x1 - x0, y1 - y0, transform.scale, centre=(x0, y0))


def _way_of_reflection(location: Location, transform: Transform) -> Transform:
    """Returns where the reflection goes: with the piece; a mirrored one's stays upside down from its foot."""
    if not transform.mirrored:
        return transform
    (_, y0), (_, y1) = _feet(location, transform)
    x, y = location.centroid
    dy = 2 * (y1 - y0) - transform.dy  # as far below the new foot as the object's centroid is above it
    return replace(transform, dy=dy, angle=-transform.angle, centre=(x, 2 * y0 - y))


def _feet(location: Location, transform: Transform) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns (x, y) of the middle of what a piece stands on, before and after it is carried."""
    height, width = location.mask.shape
    return feet(location, np.array(transform.matrix(width / height)))


def carried(
    image: np.ndarray,
    transform: Transform,
    window: Window | None = None,
    *,
    source: Window | None = None,
    frame: tuple[int, ...] | None = None,
) -> np.ndarray:
    """Carries an image ``[H, W]`` or ``[H, W, 3]`` by a transform, float32; 0 enters at the border.

    Args:
        image: the frame, or its part in ``source``, all beside which is 0.
        transform: where it goes.
        window: the part of the frame that is returned; all of it by default.
        source: where the image lies in the frame.
        frame: height and width of the frame, if the image is a part of it.
    """
    height, width = (frame or image.shape)[:2]
    return warped(
        image,
        transform.matrix(width / height),
        transform.scale,
        frame=(height, width),
        corner=(0, 0) if source is None else source.corner,
        target=None if window is None else (*window.corner, *window.size),
    )
