r"""The shadow that an object casts: found in the photo, as a layer of light that goes where the object goes.

A shadow leaves what it falls on in place and takes light from it, so the photo is modelled as
:math:`I = B\, e^{-S}` beside the object, with B what the surface would look like (its smooth continuation
from outside a band around the object) and S >= 0 the lost light per channel, in log intensity. S is believed
where it is dark against the band, nearly grey (light is lost alike in all channels) and touches the object's
lower part.

Reference: the multiplicative illumination model is Land & McCann's (1971), *Lightness and Retinex Theory*.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realedit.fill import smooth_fill

_REACH = 0.6
"""How far a shadow is looked for around the object, in square roots of its area (1.5 times as far to the
sides)."""
_FAINTEST = 0.08
"""Least loss of log intensity that counts as a shadow."""
_EDGE = 0.35
"""Share of the shadow's own depth at which it ends."""
_FLOOR = 8.0
"""Added to intensities before the logarithm: in the dark, noise is no shadow."""


@dataclass(frozen=True)
class Shadow:
    """A shadow: where it lies (bool ``[H, W]``), the light it takes (float32 ``[H, W, 3]`` >= 0, in logs)."""

    mask: np.ndarray
    loss: np.ndarray

    def cast(self, rgb: np.ndarray) -> np.ndarray:
        """Take the shadow's light from a picture; float32 ``[H, W, 3]`` in 0..255."""
        return (rgb.astype(np.float32) + _FLOOR) * np.exp(-self.loss) - _FLOOR


def disk(radius: float) -> np.ndarray:
    """A round structuring element."""
    side = 2 * max(0, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def grow(mask: np.ndarray, radius: float) -> np.ndarray:
    """A bool mask dilated by a disk.

    By distances: the time of OpenCV's dilation goes with the disk's area, minutes in a phone's photo.
    """
    return _distance(mask) <= max(0, round(radius))


def shrink(mask: np.ndarray, radius: float) -> np.ndarray:
    """A bool mask eroded by a disk; the frame's border is no edge of it."""
    return _distance(~mask) > max(0, round(radius))


def _distance(mask: np.ndarray) -> np.ndarray:
    """To the mask's nearest pixel, in pixels, float32 ``[H, W]``; infinite where it has none."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def find_shadow(rgb: np.ndarray, mask: np.ndarray, closed: np.ndarray | None = None) -> Shadow:
    """The shadow of the object in ``mask``; an empty one where none can be told.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        mask: the object, bool ``[H, W]``.
        closed: bool ``[H, W]``, other objects: no shadow of this one is looked for on them.
    """
    empty = Shadow(np.zeros(mask.shape, bool), np.zeros(rgb.shape, np.float32))
    unit = max(mask.shape) / 256  # the radii below were set on 256 px pictures
    reach = float(np.clip(_REACH * np.sqrt(mask.sum()), 6 * unit, 60 * unit))
    rim = grow(mask, unit)
    sideways = np.ones((1, 2 * int(1.5 * reach) + 1), np.uint8)
    band = grow(mask, reach) | (cv2.dilate(mask.astype(np.uint8), sideways) > 0)
    beside = band & ~rim if closed is None else band & ~rim & ~closed
    if not beside.any():
        return empty
    surface = smooth_fill(rgb, band)
    loss = contrast(rgb, surface)
    smooth = contrast(rgb, surface, beside, 1.5 * unit)
    dark = smooth.mean(-1)
    tint = np.linalg.norm(smooth - dark[..., None], axis=-1)
    grey = beside & (tint < 0.3 * np.maximum(dark, 0) + 0.05)
    touching = _below(mask, 5 * unit) & beside
    seed = touching & grey & (dark > _FAINTEST)
    if seed.sum() < 8 * unit**2:
        return empty
    threshold = max(_FAINTEST, _EDGE * float(np.percentile(dark[seed], 70)))
    found = _connected(grey & (dark > threshold), touching)
    found = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, disk(2 * unit))
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, disk(unit)) > 0
    found |= grow(found, 3 * unit) & rim
    found &= ~mask
    if found.sum() < 8 * unit**2:
        return empty
    return Shadow(found, _layer(loss, found, mask, beside, unit))


def _layer(
    loss: np.ndarray, found: np.ndarray, mask: np.ndarray, beside: np.ndarray, unit: float
) -> np.ndarray:
    """The light lost: the surface's texture averaged out of it, carried on under the object, softened."""
    core = shrink(found, unit)
    core = core & beside if (core & beside).any() else found & beside
    depth = np.median(loss[core], axis=0).clip(0)
    under = mask & grow(found, 3 * unit)
    edge = cv2.GaussianBlur((found | under).astype(np.float32), (0, 0), unit)
    # a soft shadow fades: its own slope, free of the surface's texture, but never deeper than its core
    fading = average(loss, found & beside, 3 * unit).clip(0)
    share = np.where(under[..., None], 1.0, np.minimum(fading / np.maximum(depth, 1e-3), 1.0))
    share = cv2.GaussianBlur(share.astype(np.float32), (0, 0), unit)
    return (edge[..., None] * share * depth).astype(np.float32)


def contrast(
    rgb: np.ndarray, surface: np.ndarray, where: np.ndarray | None = None, sigma: float = 0.0
) -> np.ndarray:
    """Log intensity that a photo lacks against what its surface would show; float32 ``[H, W, 3]``.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        surface: what would be there, likewise.
        where: if given, the result is averaged over these cells alone, with a Gaussian of ``sigma`` pixels.
        sigma: see ``where``.
    """
    loss = np.log(surface.astype(np.float32) + _FLOOR) - np.log(rgb.astype(np.float32) + _FLOOR)
    return loss if where is None else average(loss, where, sigma)


def average(values: np.ndarray, where: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian average of ``[H, W, 3]`` over the true cells of ``where`` alone."""
    weight = where.astype(np.float32)
    total = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma)
    return total / (cv2.GaussianBlur(weight, (0, 0), sigma)[..., None] + 1e-4)


def _below(mask: np.ndarray, radius: float) -> np.ndarray:
    """The surroundings of the object's lower half, where it stands on something."""
    rows = np.flatnonzero(mask.any(1))
    lower = mask.copy()
    lower[: (rows[0] + rows[-1]) // 2] = False
    return grow(lower, radius)


def _connected(candidates: np.ndarray, touching: np.ndarray) -> np.ndarray:
    """The connected parts of ``candidates`` that reach into ``touching``."""
    _, labels = cv2.connectedComponents(candidates.astype(np.uint8))
    kept = np.unique(labels[touching & candidates])
    return np.isin(labels, kept[kept > 0])
