"""Carries an umbra on to places beside it that look the same, where the surface's light was not told.

Near another thing, that thing's colour runs into the surface that is carried on under the object (a black
box beside an apple), and the shadow there seems to lack no light: a dark blot would stay when the rest goes.
Where the photo goes on as in the umbra, the surface does too.
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.compose.surroundings import LOOK_UNITS, Surroundings, slope_of, without_specks
from realedit.pixels.light import FLOOR, average
from realedit.pixels.masks import connected, grow

UMBRA_EDGE = 0.35
"""Share of the shadow's own depth at which the umbra ends: with more light lost a pixel belongs to it, with
less it is penumbra. Set on 30 rendered cases; on 50 others 0.5 was worse (ST-LPIPS 0.0077 instead of
0.0074)."""
_BLUR_UNITS = 8
"""Standard deviation in units of the blur by which an umbra's colour and loss are carried on beside it: more
of it takes them from farther away, less of it follows its last pixels. Not measured."""
_TINT = 0.12
"""Difference in log intensity of a channel from all three, against the umbra's own colour: at or above it a
place is of another colour and no part of it, below it the surface goes on. Not measured."""
_DARKER = 0.6
"""Log intensity by which a place may be darker than the umbra beside it: at or above it is another thing,
below it the shadow becomes deeper. Not measured."""
_SLOPE = 0.3
"""Slope of log intensity a unit: at or above it another thing begins, below it the surface goes on. Not
measured."""
_REACH_UNITS = 12
"""Distance in units from the umbra up to which it is carried on so; farther out it is not. Not measured."""


def grown(
    rgb: np.ndarray, seen: Surroundings, umbra: np.ndarray, reach: np.ndarray
) -> tuple[Surroundings, np.ndarray]:
    """Adds to an umbra what beside it looks the same.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        seen: what is seen beside the object.
        umbra: bool ``[H, W]``.
        reach: where a shadow is looked for, bool ``[H, W]``.

    Returns:
        What is seen, with the light that is lost there too; and the umbra.
    """
    unit = seen.unit
    near = umbra & seen.beside
    if not near.any():
        return seen, umbra
    light = np.log(rgb.astype(np.float32) + FLOOR)
    soft: np.ndarray = cv2.GaussianBlur(light, (0, 0), LOOK_UNITS * unit)
    width = _BLUR_UNITS * unit
    here = average(light, near, width)
    depth = average(seen.loss, near, width)
    off: np.ndarray = soft - here
    darker = -off.mean(-1)
    # no lighter than the umbra's own edge, and no other colour or thing
    alike = (darker > (UMBRA_EDGE - 1) * depth.mean(-1)) & (darker < _DARKER)
    alike &= np.abs(off + darker[..., None]).max(-1) < _TINT
    alike &= (slope_of(rgb, unit) < _SLOPE) & grow(near, _REACH_UNITS * unit)
    alike &= seen.beside & reach
    more = connected(without_specks(alike | near, unit), near) & ~umbra
    if not more.any():
        return seen, umbra
    loss = np.where(more[..., None], np.maximum(seen.loss, depth - (light - here)), seen.loss)
    dark = np.where(more, np.maximum(seen.dark, (depth - off).mean(-1)), seen.dark)
    return seen._replace(loss=loss, dark=dark, grey=seen.grey | more), umbra | more
