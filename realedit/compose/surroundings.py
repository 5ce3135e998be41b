"""What is seen beside an object: how much light the surface lacks there, and where its foot is."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from realedit.pixels.hole_filling import rough_fill
from realedit.pixels.light import FLOOR, contrast, shade
from realedit.pixels.masks import disk, grow
from realedit.pixels.resizing import scaled
from realedit.pixels.unit import unit_of

_REACH = 0.6
"""Distance from the object, in square roots of its area, up to which a shadow is looked for; farther out all
that is dark is another thing. Not measured."""
_LEAST_REACH_UNITS, _MOST_REACH_UNITS = 6, 60
"""Bounds of that distance in units: smaller ones are raised to the first, larger ones cut to the second. Not
measured."""
_SIDEWAYS = 1.5
"""Factor on that distance to the left and right: higher finds longer shadows of a low light, and more that is
none; at 1 all directions are alike. Not measured."""
_MEDIAN_TO_DEVIATION = 1.48
"""Standard deviation over the median of the absolute values, of a normal distribution: no more and no less.
Set by that distribution."""
_SLOPE_BLUR_UNITS = 0.5
"""Standard deviation in units of the blur before the slope is measured: more of it hides thin edges, less of
it takes texture for edges. Not measured."""
_FOOT_SHARE = 0.3
"""Lowest share of an object's height that counts as its foot: a shadow has to begin near it, not near what is
above. Set on 30 rendered cases, of one to three values tried."""
LOOK_UNITS = 1.5
"""Standard deviation in units of the blur before darkness is judged: more of it hides thin shadows, less of
it takes texture for shadow. Not measured."""
_SPECK_UNITS = 1
"""Radius in units of specks that are taken out of umbra and penumbra: larger parts stay. Not measured."""


class Surroundings(NamedTuple):
    """What is seen beside an object.

    Args:
        beside: the pixels that are looked at, bool ``[H, W]``.
        loss: S, float32 ``[H, W, 3]``.
        dark: S averaged over the channels and a small neighbourhood, float32 ``[H, W]``.
        grey: the pixels of ``beside`` where all channels lose alike, bool ``[H, W]``.
        texture: standard deviation of ``dark`` on the surface outside shadows.
        unit: 1/256 of the longer side, in pixels.
    """

    beside: np.ndarray
    loss: np.ndarray
    dark: np.ndarray
    grey: np.ndarray
    texture: float
    unit: float


def look_beside(
    rgb: np.ndarray, mask: np.ndarray, forbidden: np.ndarray | None, *, diagonally: bool = False
) -> Surroundings | None:
    """Measures how much light the surface about an object lacks; None if no surface is free about it.

    ``diagonally`` looks as far there as up, down and sideways.
    """
    unit = unit_of(mask.shape)
    least, most = _LEAST_REACH_UNITS * unit, _MOST_REACH_UNITS * unit
    reach = float(np.clip(_REACH * np.sqrt(mask.sum()), least, most))
    sideways = np.ones((1, 2 * int(_SIDEWAYS * reach) + 1), np.uint8)
    band = grow(mask, reach) | (cv2.dilate(mask.astype(np.uint8), sideways) > 0)
    if diagonally:
        band |= _ellipse_about(mask, reach)
    beside = band & ~grow(mask, unit)
    if forbidden is not None:
        beside &= ~forbidden
    if not beside.any():
        return None
    surface = rough_fill(rgb, band, forbidden)
    smooth = contrast(rgb, surface, beside, LOOK_UNITS * unit)
    dark, grey = shade(smooth)
    grey &= beside
    # pixels lighter than the surface are in no shadow: they show the texture alone
    lighter = -dark[beside & (dark < 0)]
    texture = _MEDIAN_TO_DEVIATION * float(np.median(lighter)) if lighter.size else 0.0
    return Surroundings(beside, contrast(rgb, surface), dark, grey, texture, unit)


def _ellipse_about(mask: np.ndarray, reach: float) -> np.ndarray:
    """Grows a mask by an ellipse: by ``reach`` up and down, by more sideways; bool ``[H, W]``."""
    size = (max(1, round(mask.shape[1] / _SIDEWAYS)), mask.shape[0])
    grown = grow(scaled(mask.astype(np.float32), size) > 0, reach)
    return scaled(grown.astype(np.float32), mask.shape[::-1]) > 0


def without_specks(dark: np.ndarray, unit: float) -> np.ndarray:
    """Takes what is small out of a mask, bool ``[H, W]``."""
    return cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, disk(_SPECK_UNITS * unit)) > 0


def slope_of(rgb: np.ndarray, unit: float) -> np.ndarray:
    """Returns the slope of a photo's log intensity for each unit of length, float32 ``[H, W]``."""
    light: np.ndarray = np.log(rgb.astype(np.float32) + FLOOR).mean(-1)
    soft: np.ndarray = cv2.GaussianBlur(light, (0, 0), _SLOPE_BLUR_UNITS * unit)
    across: np.ndarray = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=1 / 8)
    down: np.ndarray = cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.hypot(across, down) * unit


def near_foot(mask: np.ndarray, radius: float) -> np.ndarray:
    """Returns the pixels within a radius of the object's foot, bool ``[H, W]``."""
    rows = np.flatnonzero(mask.any(1))
    lower = mask.copy()
    lower[: round(rows[-1] - _FOOT_SHARE * (rows[-1] - rows[0]))] = False
    return grow(lower, radius)
