"""The edit in pixels: the object's own at their new place, its hole roughly filled, its shadow taken along.

It is what the resampling is anchored in (design: an edit by attention alone loses an object's identity):
everything in it comes from the photo itself, at the photo's own resolution.

**Convention:** masks and mattes are ``[H, W]`` at the picture's size; the transform is in fractions of the
frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from guidance import Transform
from realedit.fill import fill
from realedit.locate import Location
from realedit.shadow import Shadow, find_shadow, grow

FILL_SIDE = 640
"""Longer side of the picture in which texture is copied into the hole; larger photos get it scaled up."""


@dataclass(frozen=True)
class Anchor:
    """The edit in pixels.

    Args:
        picture: float32 ``[H, W, 3]`` in 0..255; equal to the photo outside ``changed``.
        matte: the object's matte at its new place, float32 ``[H, W]`` in [0, 1].
        hole: what the object and its shadow used to cover, bool ``[H, W]``.
        shadow_before: bool ``[H, W]``.
        shadow_after: bool ``[H, W]``.
    """

    picture: np.ndarray
    matte: np.ndarray
    hole: np.ndarray
    shadow_before: np.ndarray
    shadow_after: np.ndarray

    @property
    def changed(self) -> np.ndarray:
        """Where the picture may differ from the photo, bool ``[H, W]``."""
        return self.hole | self.shadow_after | (self.matte > 0)


def build_anchor(
    rgb: np.ndarray,
    location: Location,
    transform: Transform,
    closed: np.ndarray | None = None,
    *,
    shadow: bool = True,
) -> Anchor:
    """Move the object's pixels, fill what it leaves and take its shadow along.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        location: the object.
        transform: where it goes.
        closed: bool ``[H, W]``, other objects: nothing is copied from them.
        shadow: whether to look for a shadow.
    """
    h, w = rgb.shape[:2]
    factor = min(1.0, FILL_SIDE / max(h, w))
    small = rgb if factor == 1 else cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    size = small.shape[1::-1]
    mask = _scaled(location.mask, size) > 0.5
    shut = None if closed is None else (_scaled(closed.astype(np.float32), size) > 0.5) & ~grow(mask, 2)
    found = find_shadow(small, mask, shut) if shadow else no_shadow(small)
    unit = max(size) / 256
    hole = grow(mask, 6 * unit) | grow(found.mask, 2 * unit)
    if shut is not None:  # a neighbour that the object touches stays whole
        hole &= ~shut | grow(mask, unit)
    solid = grow(mask, 1.5 * unit) | grow(found.mask, unit)
    filled = settle(small, fill(small, hole, shut), hole, solid)
    behind = _scaled_up(filled, rgb, hole)
    loss = _warp(_scaled(found.loss, (w, h)), transform)
    cast = Shadow(loss.max(-1) > 0.004, loss)
    weight = location.mask[..., None]
    moved = _warp(location.mask, transform)
    alpha = np.clip(moved, 0, 1)
    # beside an edge a bicubic kernel swings below 0 and above 1, in the pixels as in the matte
    share = np.divide(alpha, moved, out=np.zeros_like(moved), where=moved > 0)
    pixels = _warp(rgb.astype(np.float32) * weight, transform) * share[..., None]
    behind = np.where(cast.mask[..., None], cast.cast(behind), behind)
    picture = np.clip(behind * (1 - alpha[..., None]) + pixels, 0, 255)
    wide_hole = _scaled(hole.astype(np.float32), (w, h)) > 0
    shadow_before = _scaled(found.mask.astype(np.float32), (w, h)) > 0.5
    return Anchor(picture.astype(np.float32), alpha, wide_hole, shadow_before, cast.mask)


def settle(rgb: np.ndarray, filled: np.ndarray, hole: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Fit a hole's fill to the light about it and let it fade into the photo; uint8 ``[H, W, 3]``.

    The hole's margin beyond ``solid`` (bool ``[H, W]``, what must go) is photo that is known: what the fill
    misses there in low frequencies it is given everywhere, and across the margin it gives way to the photo.
    """
    margin = hole & ~solid
    if not margin.any():
        return filled
    sigma = max(hole.shape) / 40
    weight = margin.astype(np.float32)
    missed = (rgb.astype(np.float32) - filled) * weight[..., None]
    known = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
    low = cv2.GaussianBlur(missed, (0, 0), sigma) / (known + 1e-3)
    inward = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    outward = cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 5)
    share = (inward / np.maximum(inward + outward, 1e-6))[..., None] * hole[..., None]
    mixed = rgb * (1 - share) + (filled + low) * share
    return np.clip(mixed, 0, 255).round().astype(np.uint8)


def no_shadow(rgb: np.ndarray) -> Shadow:
    """The absence of one."""
    return Shadow(np.zeros(rgb.shape[:2], bool), np.zeros(rgb.shape, np.float32))


def _scaled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resized to (width, height); as it is where it has that size already."""
    if image.shape[1::-1] == size:
        return image
    return cv2.resize(
        image, size, interpolation=cv2.INTER_LINEAR if size[0] > image.shape[1] else cv2.INTER_AREA
    )


def _scaled_up(filled: np.ndarray, rgb: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """A small picture's hole in the full-size photo, float32."""
    if filled.shape == rgb.shape:
        return filled.astype(np.float32)
    size = rgb.shape[1::-1]
    gap = (_scaled(hole.astype(np.float32), size) > 0)[..., None]
    return np.where(gap, _scaled(filled.astype(np.float32), size), rgb.astype(np.float32))


def _warp(image: np.ndarray, transform: Transform) -> np.ndarray:
    """An image ``[H, W]`` or ``[H, W, 3]`` moved; 0 enters over the border. Shrinks without aliasing."""
    h, w = image.shape[:2]
    if transform.scale < 0.75:  # a bicubic kernel spans two pixels: band-limit first
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / transform.scale)
    (a, b, c), (d, e, f) = transform.matrix(w / h)
    # fractions to pixel centres: p = (u + 1/2) / size
    matrix = np.array(
        [
            [a, b * w / h, (a * 0.5 + b * w / h * 0.5 + c * w) - 0.5],
            [d * h / w, e, (d * h / w * 0.5 + e * 0.5 + f * h) - 0.5],
        ],
        np.float64,
    )
    return cv2.warpAffine(np.ascontiguousarray(image, np.float32), matrix, (w, h), flags=cv2.INTER_CUBIC)
