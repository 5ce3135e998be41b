r"""Finds an object's reflection in the surface below it, as light that goes along with the object.

A polished surface adds a mirror image of the object, upside down from its foot, to its own light: below the
object the photo is :math:`I = B + L`, with B the surface without the reflection (continued smoothly from
around it) and L the light of the mirror image. The user says whether there is a reflection, since a faint one
in texture cannot be seen from pixels. Its place follows from where the object touches the surface; of two
guesses at that, the one is taken whose mirror image correlates best with the gradients seen there.

Reference: Levin & Weiss 2007, for the additive model of reflections: *User Assisted Separation of
Reflections from a Single Image Using a Sparsity Prior*.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realedit.pixels.hole_filling import smooth_fill
from realedit.pixels.light import average
from realedit.pixels.masks import grow
from realedit.pixels.unit import unit_of

_APART_UNITS = 3
"""Distance from the object in units: gradients farther out are compared with the mirror image's, nearer ones
may be the object's own edge and are not. Not measured."""
_PLACE_UNITS = 2
"""Distance from the mirror image in units up to which light counts as the reflection's; farther out it is the
surface's. Not measured."""
_SURFACE_UNITS = 4
"""Distance from the mirror image in units: the surface is continued from farther out, nothing nearer is taken
for it. Not measured."""
_BESIDE_UNITS = 16
"""Distance from the mirror image in units up to which the surface's own range of colours is taken; farther
out other surfaces may begin. Not measured."""
_RANGE_PERCENTILES = (1, 99)
"""Percentiles of those colours that the continued surface is clipped to: wider ones let it overshoot,
narrower ones flatten it. Not measured."""
_LIGHT_BLUR_UNITS = 1.5
"""Standard deviation in units of the blur of the reflection's light: more of it blurs the mirror image, less
of it takes texture along. Not measured."""
_AROUND_UNITS = (2, 8)
"""Distances from the object in units between which its surroundings' colour is taken: nearer is its own edge,
farther another surface. Not measured."""


@dataclass(frozen=True)
class Reflection:
    """A reflection.

    Args:
        mask: where it lies, bool ``[H, W]``.
        light: the light that it adds, float32 ``[H, W, 3]`` in grey levels of 255.
    """

    mask: np.ndarray
    light: np.ndarray

    def cast(self, rgb: np.ndarray) -> np.ndarray:
        """Adds the reflection's light to a picture; float32 ``[H, W, 3]`` in 0..255."""
        return np.clip(rgb.astype(np.float32) + self.light, 0, 255)

    def taken_from(self, rgb: np.ndarray) -> np.ndarray:
        """Takes the reflection's light from a picture; uint8 ``[H, W, 3]``."""
        return np.clip(rgb.astype(np.float32) - self.light, 0, 255).round().astype(np.uint8)


def no_reflection(rgb: np.ndarray) -> Reflection:
    """Returns a reflection that adds nothing, for a picture ``[H, W, 3]``."""
    return Reflection(np.zeros(rgb.shape[:2], bool), np.zeros(rgb.shape, np.float32))


def find_reflection(rgb: np.ndarray, mask: np.ndarray, forbidden: np.ndarray | None = None) -> Reflection:
    """Finds the reflection below the object in ``mask``; the user has said that there is one.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        mask: the object, bool ``[H, W]``.
        forbidden: bool ``[H, W]``, other objects: the reflection does not lie on them.

    Returns:
        One that adds nothing if there is no room for it below the object.
    """
    unit = unit_of(mask.shape)
    free = ~mask if forbidden is None else ~mask & ~forbidden
    if not mask.any():
        return no_reflection(rgb)
    seen = _gradients(rgb.astype(np.float32), unit)
    # upright walls are mirrored at the foot of each column, a round thing at the point that it rests on
    rests = np.full(mask.shape[1], np.flatnonzero(mask.any(1))[-1])
    lowest = np.where(mask.any(0), mask.shape[0] - 1 - np.argmax(mask[::-1], axis=0), rests)
    mirrored = [_mirrored(rgb, mask, foot, unit) for foot in (lowest, rests)]
    apart = free & ~grow(mask, _APART_UNITS * unit)
    _, place = max(mirrored, key=lambda one: _alike(seen, _gradients(one[0], unit), one[1] & apart))
    if not (place & apart).any():
        return no_reflection(rgb)
    wide = grow(place, _PLACE_UNITS * unit) & free
    taken = grow(place, _SURFACE_UNITS * unit)
    surface = smooth_fill(rgb, taken | ~free).astype(np.float32)
    beside = grow(place, _BESIDE_UNITS * unit) & ~taken & free
    if beside.any():  # far from known pixels, as at the frame's border, the continuation can overshoot
        surface = surface.clip(*np.percentile(rgb[beside], _RANGE_PERCENTILES, axis=0))
    light = rgb - surface
    edge = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), unit)[..., None]
    return Reflection(wide, (average(light, wide, _LIGHT_BLUR_UNITS * unit) * edge).astype(np.float32))


def _mirrored(
    rgb: np.ndarray, mask: np.ndarray, foot: np.ndarray, unit: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mirrors the object below each column's foot, its surroundings' colour taken off; also returns where."""
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    source = 2 * foot[None] + 1 - rows
    inside = (source >= 0) & (source < rows)
    source = np.where(inside, source, 0)
    place = mask[source, columns] & inside & ~mask
    near, far = _AROUND_UNITS
    beside = grow(mask, far * unit) & ~grow(mask, near * unit)
    around = np.median(rgb[beside], axis=0) if beside.any() else 0.0
    image = rgb[source, columns].astype(np.float32) - around
    return np.where(place[..., None], image, 0).astype(np.float32), place


def _gradients(picture: np.ndarray, unit: float) -> np.ndarray:
    """Returns horizontal and vertical differences of a softened picture, float32 ``[H, W, 6]``."""
    soft = cv2.GaussianBlur(picture, (0, 0), unit)
    return np.concatenate([cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)], axis=-1)


def _alike(one: np.ndarray, other: np.ndarray, where: np.ndarray) -> float:
    """Returns the correlation of two pictures' gradients over some pixels."""
    a, b = one[where].ravel(), other[where].ravel()
    return float(a @ b) / (float(np.linalg.norm(a) * np.linalg.norm(b)) + 1e-6)
