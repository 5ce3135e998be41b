r"""Finds the narrow darkening under the foot of an object that stands on something.

Where no shadow is found beside an object (:mod:`realedit.compose.shadow`), as in the even light of a room,
the surface still lacks light in a narrow strip under its lower edge, and without that strip it floats at its
new place. The strip's loss of light is measured once the object's place is filled: S = log of the filling
minus log of the photo, averaged along the edge, since the filling's texture is not the photo's.
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.compose.shadow import Shadow, no_shadow
from realedit.compose.surroundings import near_foot
from realedit.pixels.light import average, contrast, shade
from realedit.pixels.masks import grow
from realedit.pixels.unit import unit_of

_STRIP_UNITS = 3
"""Height of the strip under the object in units: a higher one takes in what stands behind, a lower one loses
the shadow's fading. Not measured."""
_LEAST_LOSS, _MOST_LOSS = 0.06, 0.7
"""Loss of log intensity in the strip: below the first it is the texture's, above the second it is cut to
that, since what is blacker is another thing. Not measured."""
_LEAST_SHARE = 0.6
"""Share of the strip that has to be darker and grey: below it what is dark there is another thing, at
or above it is. Not measured."""
_BLUR_UNITS = 2
"""Standard deviation in units of the blur along the strip: more of it takes out more texture, less of it
keeps more of the shadow's own change. Not measured."""
_EDGE_UNITS = 1
"""Standard deviation in units of the strip's soft edge: more of it is softer, less of it harder. Not
measured."""


def find_contact(rgb: np.ndarray, filled: np.ndarray, mask: np.ndarray) -> Shadow:
    """Finds an object's contact shadow; one that takes no light if there is none.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        filled: the photo without the object, likewise.
        mask: the object, bool ``[H, W]``.
    """
    none = no_shadow(rgb)
    unit = unit_of(mask.shape)
    if not mask.any():
        return none
    height = max(1, round(_STRIP_UNITS * unit))
    under = np.zeros_like(mask)
    for below in range(1, height + 1):
        under[below:] |= mask[:-below]
    strip = under & near_foot(mask, height) & ~grow(mask, unit / 2)
    if not strip.any():
        return none
    loss = average(contrast(rgb, filled), strip, _BLUR_UNITS * unit)
    dark, grey = shade(loss)
    seen = strip & grey & (dark > _LEAST_LOSS)
    if seen.sum() < _LEAST_SHARE * strip.sum():
        return none
    depth = average(loss.clip(0, _MOST_LOSS), seen, _BLUR_UNITS * unit)
    reach = seen | (mask & grow(seen, _STRIP_UNITS * unit))
    soft = cv2.GaussianBlur(reach.astype(np.float32), (0, 0), _EDGE_UNITS * unit)
    layer = (depth.mean(-1) * soft)[..., None].repeat(3, axis=-1).astype(np.float32)
    return Shadow(none.mask, layer, none.seen)
