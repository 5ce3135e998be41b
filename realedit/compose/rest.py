r"""Finds what of an object its mask left beside it: soft edges, and parts that a rough mask missed.

About the mask a pixel of the photo is taken for a mixture of the object's colour and its surroundings',

.. math:: I = a\,O + (1 - a)\,B, \qquad a = \frac{(I - B) \cdot (O - B)}{\lVert O - B \rVert^2}

with O carried on outward from inside the mask and B inward from beyond its surroundings, both as averages.
Where a stands out from what the surroundings' own texture gives, the pixel shows the object. So a neighbour
that the object touches stays whole, and nothing of the object's outline is left as a ghost.

Reference: the two-colour line model of Levin, Lischinski and Weiss 2008, *A Closed-Form Solution to Natural
Image Matting*.
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.masks import connected, grow, shrink
from realedit.pixels.normalised_blur import normalised_blur

_INSIDE_UNITS = 1.5
"""Distance from the mask's edge in units from which a pixel surely shows the object; nearer the edge it may
be mixed. Not measured."""
_AVERAGE_UNITS = 1.5
"""Standard deviation in units of the averages of both colours: more of it takes in other parts and things,
less of it their texture. Not measured."""
_BEYOND_UNITS = 6
"""Added in units to twice the reach for the distance up to which surroundings are looked at: more takes in
what is farther away, less may see too little of them. Not measured."""
_LEAST_SHARE = 0.2
"""The object's share in a pixel: above it the pixel is taken into the hole, up to it the pixel stays. Set by
eye on 16 scenes of ReS."""
_DEVIATIONS = 2.0
"""The same in standard deviations of the surroundings along the line between the two colours: above it a
pixel may show the object, up to it is texture. Not measured."""
_LEAST_APART = 12.0
"""Distance in Lab of the two colours: below it nothing tells them apart and nothing would show, at or above
it their mixtures are looked for. Not measured."""


def rest_beside(
    rgb: np.ndarray, mask: np.ndarray, reach: float, unit: float, elsewhere: np.ndarray | None = None
) -> np.ndarray:
    """Finds the pixels beside a mask that show its object, bool ``[H, W]``.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        mask: the object, bool ``[H, W]``.
        reach: distance from the mask in pixels up to which they are looked for.
        unit: 1/256 of the longer side, in pixels.
        elsewhere: bool ``[H, W]``, what belongs to other things.
    """
    far = 2 * reach + _BEYOND_UNITS * unit
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    pad = int(far) + 2
    box = np.s_[max(0, y - pad) : y + h + pad, max(0, x - pad) : x + w + pad]
    out = np.zeros_like(mask)
    others = None if elsewhere is None else elsewhere[box]
    out[box] = _rest(rgb[box], mask[box], reach, far, unit, others)
    return out


def _rest(
    rgb: np.ndarray, mask: np.ndarray, reach: float, far: float, unit: float, elsewhere: np.ndarray | None
) -> np.ndarray:
    """Finds them in a window; the surroundings are what lies from ``reach`` to ``far`` from the mask."""
    near = grow(mask, reach) & ~mask
    beyond = grow(mask, far) & ~grow(mask, reach)
    if not near.any() or not beyond.any():
        return np.zeros_like(mask)
    inside = shrink(mask, _INSIDE_UNITS * unit)
    inside = inside if inside.any() else mask
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    sigma = _AVERAGE_UNITS * unit
    own = normalised_blur(lab, inside, sigma)
    others = normalised_blur(lab, beyond, sigma)
    apart = own - others
    length = np.linalg.norm(apart, axis=-1)
    along = apart / np.maximum(length, 1e-3)[..., None]
    strayed = ((lab - others) * along).sum(-1)
    texture = normalised_blur(np.repeat(strayed[..., None] ** 2, 3, axis=-1), beyond, 2 * sigma)[..., 0]
    least = np.maximum(_LEAST_SHARE * length, _DEVIATIONS * np.sqrt(texture))
    found = near & (strayed > least) & (length >= _LEAST_APART)
    if elsewhere is not None:
        found &= ~elsewhere
    return connected(found | mask, mask) & ~mask
