r"""Finds an object's own colours at its soft edge, free of the background that shines through there.

A photo is :math:`I = \alpha F + (1 - \alpha) B`. With F and B smooth over a neighbourhood,

.. math:: \hat F = \frac{G * (I \alpha)}{G * \alpha}, \quad
    \hat B = \frac{G * (I (1 - \alpha))}{G * (1 - \alpha)}, \quad
    F = \hat F + \alpha\,(I - \alpha \hat F - (1 - \alpha) \hat B)

with a box blur G: first a wide one, then, from that F and B, a narrow one.

It is written here because it is as good as ``pymatting.estimate_foreground_ml`` at a fortieth of the time: on
made scenes of three softnesses, hard mask told, its mean error in the cut-out is 13.5, 5.0 and 14.4 of 255;
pymatting's is 14.6, 4.9 and 15.1, and 25.4, 18.1 and 19.4 with the photo's own colours.

Reference: Forte 2021, *Approximate Fast Foreground Colour Estimation*.
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.unit import unit_of

_LEAST_SIDE_PIXELS = 768
"""Longer side of a photo in pixels: at or above it edges are cleaned; below it an edge is a pixel wide, no
matte knows its shares, and cleaning costs the object more than it takes of the background. Set on 40 rendered
cases of 256 pixels, where it is worse (ST-LPIPS on the object 0.0532 instead of 0.0499)."""
_WIDE_UNITS, _NARROW_UNITS = 8.0, 1.0
"""Reach of the two blurs in units: larger ones find colours for wider edges, smaller ones keep to colours
that are near. Not measured."""
_WINDOW_REACHES = 2
"""Margin about the object that is looked at, in reaches of the wide blur: more of it takes longer, less of it
cuts the blurs off. Not measured."""


def foreground(rgb: np.ndarray, alpha: np.ndarray, *, least_side: int = _LEAST_SIDE_PIXELS) -> np.ndarray:
    """Estimates an object's colours.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        alpha: its matte, float32 ``[H, W]`` in [0, 1].
        least_side: longer side of a photo in pixels; in smaller ones the colours stay the photo's own.

    Returns:
        F, float32 ``[H, W, 3]`` in 0..255; the photo's own where ``alpha`` is 0 or 1, and in small photos.
    """
    out = rgb.astype(np.float32)
    edge = (alpha > 0) & (alpha < 1)
    if not edge.any() or max(alpha.shape) < least_side:
        return out
    unit = unit_of(alpha.shape)
    pad = round(_WINDOW_REACHES * _WIDE_UNITS * unit)
    x, y, w, h = cv2.boundingRect((alpha > 0).astype(np.uint8))
    window = slice(max(0, y - pad), y + h + pad), slice(max(0, x - pad), x + w + pad)
    image, share = out[window], alpha[window][..., None].astype(np.float32)
    own, other = image, image
    for reach in (_WIDE_UNITS, _NARROW_UNITS):
        side = 2 * max(1, round(reach * unit)) + 1
        here = _mean(own, share, side)
        there = _mean(other, 1 - share, side)
        own = here + share * (image - share * here - (1 - share) * there)
        other = there
    out[window] = np.where(edge[window][..., None], own.clip(0, 255), image)
    return out


def _mean(values: np.ndarray, weight: np.ndarray, side: int) -> np.ndarray:
    """Returns the weighted average over a square."""
    total = cv2.blur(values * weight, (side, side))
    return total / (cv2.blur(weight, (side, side))[..., None] + 1e-4)
