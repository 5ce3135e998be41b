"""Measures whether an object looks as if it had been there: its seams, and its colour beside the ground.

Both compare with the truth, so that an edge or a contrast that belongs there costs nothing. They are simple
measures of our own, stated here and tested on closed forms.
"""

from __future__ import annotations

import cv2
import numpy as np
from skimage.color import rgb2gray, rgb2lab

_BAND_SIDES = 2 / 256
"""Half the width of the band about a border that a seam is looked for in, in longer sides: a wider one takes
in more of the surfaces, a narrower one misses soft seams. Not measured."""
_RING_SIDES = 8 / 256
"""Width of the rings inside and outside a border whose colours are compared, in longer sides: wider ones take
in more of the surroundings. Not measured."""


def seam(picture: np.ndarray, truth: np.ndarray, region: np.ndarray) -> float:
    r"""Measures edges along a region's border that the truth lacks, or the reverse; from 0, lower is better.

    :math:`\mathrm{mean}_{band} \lVert \nabla I - \nabla T \rVert_2` of the luma in [0, 1], forward
    differences, over a band two pixels (of 256) to either side of the border.

    Args:
        picture: uint8 ``[H, W, 3]``.
        truth: the same.
        region: bool ``[H, W]`` with a border inside the picture.
    """
    radius = max(1, round(max(region.shape) * _BAND_SIDES))
    band = _grown(region, radius) & _grown(~region, radius)
    difference = rgb2gray(picture) - rgb2gray(truth)
    down = np.diff(difference, axis=0, append=difference[-1:])
    right = np.diff(difference, axis=1, append=difference[:, -1:])
    return float(np.hypot(down, right)[band].mean())


def harmony(picture: np.ndarray, truth: np.ndarray, region: np.ndarray) -> float:
    r"""Measures how far off the object's colour is beside its surroundings': Delta E, lower is better.

    :math:`\lVert (\bar I_{in} - \bar I_{out}) - (\bar T_{in} - \bar T_{out}) \rVert_2` of mean Lab colours in
    rings inside and outside the object's border; 0 is as in the truth, about 2 is just noticeable.

    Args:
        picture: uint8 ``[H, W, 3]``.
        truth: the same.
        region: bool ``[H, W]``, the object; neither empty nor everything.
    """
    radius = max(1, round(max(region.shape) * _RING_SIDES))
    inside, outside = region & _grown(~region, radius), ~region & _grown(region, radius)

    def contrast(rgb: np.ndarray) -> np.ndarray:
        lab = rgb2lab(rgb)
        return lab[inside].mean(0) - lab[outside].mean(0)

    return float(np.linalg.norm(contrast(picture) - contrast(truth)))


def _grown(mask: np.ndarray, radius: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
