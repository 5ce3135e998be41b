r"""An object's reflection in what it stands on: light below its foot, which goes where the object goes.

A polished surface adds a mirror image of the object, upside down from its foot, to its own light: beside the
object the photo is :math:`I = B + L`, with B what the surface would show (its smooth continuation) and L the
light of the mirror image. Whether a photo shows a reflection is for the user to say: in texture a faint one
cannot be told from none. Its place follows from where the object touches the surface; of two ways to reckon
that, the one whose mirror image has the gradients seen there is taken.

Reference: the additive model of reflections is that of Levin & Weiss 2007, *User Assisted Separation of
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


@dataclass(frozen=True)
class Reflection:
    """A reflection: where it lies (bool ``[H, W]``), the light it adds (float32 ``[H, W, 3]``, of 255)."""

    mask: np.ndarray
    light: np.ndarray

    def cast(self, rgb: np.ndarray) -> np.ndarray:
        """Add the reflection's light to a picture; float32 ``[H, W, 3]`` in 0..255."""
        return np.clip(rgb.astype(np.float32) + self.light, 0, 255)

    def taken_from(self, rgb: np.ndarray) -> np.ndarray:
        """A picture without the reflection's light; uint8 ``[H, W, 3]``."""
        return np.clip(rgb.astype(np.float32) - self.light, 0, 255).round().astype(np.uint8)


def no_reflection(rgb: np.ndarray) -> Reflection:
    """The absence of one."""
    return Reflection(np.zeros(rgb.shape[:2], bool), np.zeros(rgb.shape, np.float32))


def find_reflection(rgb: np.ndarray, mask: np.ndarray, forbidden: np.ndarray | None = None) -> Reflection:
    """The reflection below the object in ``mask``, of which the user says that it is there.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        mask: the object, bool ``[H, W]``.
        forbidden: bool ``[H, W]``, other objects: what lies on them is no reflection of this one.

    Returns:
        An empty one where there is no room for it below the object.
    """
    unit = unit_of(mask.shape)
    free = ~mask if forbidden is None else ~mask & ~forbidden
    if not mask.any():
        return no_reflection(rgb)
    seen = _gradients(rgb.astype(np.float32), unit)
    # a thing with upright walls is mirrored at the foot of each, a round one at the point that it rests on
    rests = np.full(mask.shape[1], np.flatnonzero(mask.any(1))[-1])
    lowest = np.where(mask.any(0), mask.shape[0] - 1 - np.argmax(mask[::-1], axis=0), rests)
    mirrored = [_mirrored(rgb, mask, foot, unit) for foot in (lowest, rests)]
    apart = free & ~grow(mask, 3 * unit)  # the object's own edge is nearer than any in its mirror image
    _, place = max(mirrored, key=lambda one: _alike(seen, _gradients(one[0], unit), one[1] & apart))
    if not (place & apart).any():
        return no_reflection(rgb)
    wide = grow(place, 2 * unit) & free
    taken = grow(place, 4 * unit)
    surface = smooth_fill(rgb, taken | ~free).astype(np.float32)
    beside = grow(place, 16 * unit) & ~taken & free
    if beside.any():  # far from what is known, as at the frame's border, the continuation can overshoot
        surface = surface.clip(*np.percentile(rgb[beside], (1, 99), axis=0))
    light = rgb - surface
    edge = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), unit)[..., None]
    return Reflection(wide, (average(light, wide, 1.5 * unit) * edge).astype(np.float32))


def _mirrored(
    rgb: np.ndarray, mask: np.ndarray, foot: np.ndarray, unit: float
) -> tuple[np.ndarray, np.ndarray]:
    """The object upside down below each column's foot, over 0 as its surroundings, and where that is."""
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    source = 2 * foot[None] + 1 - rows
    inside = (source >= 0) & (source < rows)
    source = np.where(inside, source, 0)
    place = mask[source, columns] & inside & ~mask
    beside = grow(mask, 8 * unit) & ~grow(mask, 2 * unit)
    around = np.median(rgb[beside], axis=0) if beside.any() else 0.0
    image = rgb[source, columns].astype(np.float32) - around
    return np.where(place[..., None], image, 0).astype(np.float32), place


def _gradients(picture: np.ndarray, unit: float) -> np.ndarray:
    """Horizontal and vertical differences of a softened picture, float32 ``[H, W, 6]``."""
    soft = cv2.GaussianBlur(picture, (0, 0), unit)
    return np.concatenate([cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)], axis=-1)


def _alike(one: np.ndarray, other: np.ndarray, where: np.ndarray) -> float:
    """Correlation of two pictures' gradients over some pixels."""
    a, b = one[where].ravel(), other[where].ravel()
    return float(a @ b) / (float(np.linalg.norm(a) * np.linalg.norm(b)) + 1e-6)
