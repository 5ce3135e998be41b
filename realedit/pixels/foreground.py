r"""An object's own colours at its soft edge, free of the background that shines through there.

A photo is :math:`I = \alpha F + (1 - \alpha) B`. With F and B smooth over a neighbourhood,

.. math:: \hat F = \frac{G * (I \alpha)}{G * \alpha}, \quad
    \hat B = \frac{G * (I (1 - \alpha))}{G * (1 - \alpha)}, \quad
    F = \hat F + \alpha\,(I - \alpha \hat F - (1 - \alpha) \hat B)

with a box blur G, once with a wide one and once, from that F and B, with a narrow one.

Reference: Forte 2021, *Approximate Fast Foreground Colour Estimation*. Told a hard mask, on made scenes of
three softnesses, its mean error in the cut-out is 13.5, 5.0 and 14.4 of 255; 14.6, 4.9 and 15.1 with
``pymatting.estimate_foreground_ml``, which takes forty times as long; 25.4, 18.1 and 19.4 with
the photo's own colours.
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.unit import unit_of

_LARGE = 768
"""Longer side in pixels from which on an edge is cleaned: in smaller photos it is a pixel wide and no matte
knows its shares, and cleaning costs more of the object than it takes of the background (ST-LPIPS on the
object, 40 rendered cases of 256 pixels: 0.0499 without it, 0.0532 with it)."""
_WIDE, _NARROW = 8.0, 1.0
"""Reach of the two blurs, in pixels of a picture of 256: the first finds colours for a whole soft edge, the
second keeps those that are near."""


def foreground(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """F, float32 ``[H, W, 3]`` in 0..255; the photo's own where ``alpha`` is 0 or 1, or in small photos.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        alpha: float32 ``[H, W]`` in [0, 1].
    """
    out = rgb.astype(np.float32)
    edge = (alpha > 0) & (alpha < 1)
    if not edge.any() or max(alpha.shape) < _LARGE:
        return out
    unit = unit_of(alpha.shape)
    pad = round(2 * _WIDE * unit)
    x, y, w, h = cv2.boundingRect((alpha > 0).astype(np.uint8))
    window = slice(max(0, y - pad), y + h + pad), slice(max(0, x - pad), x + w + pad)
    image, share = out[window], alpha[window][..., None].astype(np.float32)
    own, other = image, image
    for reach in (_WIDE, _NARROW):
        side = 2 * max(1, round(reach * unit)) + 1
        here = _mean(own, share, side)
        there = _mean(other, 1 - share, side)
        own = here + share * (image - share * here - (1 - share) * there)
        other = there
    out[window] = np.where(edge[window][..., None], own.clip(0, 255), image)
    return out


def _mean(values: np.ndarray, weight: np.ndarray, side: int) -> np.ndarray:
    """Weighted average over a square."""
    total = cv2.blur(values * weight, (side, side))
    return total / (cv2.blur(weight, (side, side))[..., None] + 1e-4)
