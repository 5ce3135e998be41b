r"""Measures whether a mask's outline lies on the photo's edges.

With n the outline's normal, L the photo in CIELAB and :math:`\Gamma_d` the line at the distance d from the
outline, inwards and outwards,

.. math:: c = \frac{D(0)}{\text{mean}_{d \ne 0} D(d)}, \quad
    D(d) = \text{mean}_{\Gamma_d} \lVert \partial_n L \rVert

A line drawn anywhere has c = 1: the photo changes no more across it than across those beside it. A mask that
was cut to the pixel has a c of 2 to 10.
"""

from __future__ import annotations

import cv2
import numpy as np

_SIDE = 192
"""Side in pixels of a square of the mask's area: larger masks are measured at this size, because their own
finest detail is not what an outline is drawn by; smaller ones as they are. Not measured."""
_MARGIN = 0.4
"""Room about the mask that is looked at, in sides of that square: more takes longer, less cuts the lines
beside the outline off. Set by the farthest of them."""
_BESIDE = (0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16)
"""Distances of the lines beside the outline, in sides of that square: nearer ones still lie on a soft edge,
farther ones in another thing. Not measured."""
_LEAST_BESIDE_PIXELS = 3.0
"""Distance of the nearest of them in pixels: about small things all lie farther out, so that the nearest is
this far and clear of the edge itself; about larger ones they lie as they are. Set by the blur's reach."""
_LINE = 0.01
"""Half the width of a line, in sides of that square, but at least a pixel: wider ones forgive an outline
that is off by more. Not measured."""
_BLUR_PIXELS, _NORMAL_PIXELS = 1.0, 2.0
"""Standard deviations in pixels of the Gaussians over the photo and over the distances that give the normal:
wider ones see fewer textures, narrower ones follow finer outlines. Not measured."""
_FRAME_PIXELS = 3
"""Width in pixels of the frame's border that is left out: the frame is no edge of the photo. Set by the
blur's reach."""
_LEAST_PIXELS = 10
"""Pixels of a line: with fewer, it is not counted. Not measured."""


def edge_contrast(rgb: np.ndarray, mask: np.ndarray) -> float:
    """Returns how much more the photo changes across a mask's outline than across lines beside it.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        mask: bool ``[H, W]``.

    Returns:
        c above, 0 or more; 1 where the photo is even or the mask has no outline in it.
    """
    if not mask.any() or mask.all():
        return 1.0
    image, inside = _window(rgb, mask)
    height, width = inside.shape
    solid = inside.astype(np.uint8)
    away = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5) - cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    away = (away + np.where(inside, 0.5, -0.5)).astype(np.float32)
    change = _across(image, away)
    counted = np.zeros((height, width), bool)
    counted[_FRAME_PIXELS : height - _FRAME_PIXELS, _FRAME_PIXELS : width - _FRAME_PIXELS] = True
    side = float(np.sqrt(inside.sum()))

    def along(distance: float) -> float | None:
        line = counted & (np.abs(away - distance * side) < max(1.0, _LINE * side))
        return float(change[line].mean()) if line.sum() >= _LEAST_PIXELS else None

    own = along(0)
    wider = max(1.0, _LEAST_BESIDE_PIXELS / (_BESIDE[0] * side))
    distances = [sign * far * wider for sign in (-1, 1) for far in _BESIDE]
    beside = [found for distance in distances if (found := along(distance)) is not None]
    if own is None or not beside or np.mean(beside) <= 0:
        return 1.0
    return own / float(np.mean(beside))


def _window(rgb: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns what is looked at of photo and mask, at the size at which it is measured."""
    side = np.sqrt(mask.sum())
    room = round(_MARGIN * side) + _FRAME_PIXELS
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    window = (
        slice(max(0, rows[0] - room), rows[-1] + 1 + room),
        slice(max(0, columns[0] - room), columns[-1] + 1 + room),
    )
    image, inside = rgb[window], mask[window]
    scale = _SIDE / side
    if scale >= 1:
        return image, inside
    size = max(8, round(inside.shape[1] * scale)), max(8, round(inside.shape[0] * scale))
    small = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), small > 0.5


def _across(image: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Returns how much the photo changes a pixel along the normal of lines of equal distance, ``[H, W]``."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), _BLUR_PIXELS)
    normal_x, normal_y = _gradient(cv2.GaussianBlur(away, (0, 0), _NORMAL_PIXELS))
    length = np.hypot(normal_x, normal_y) + 1e-6
    squares = np.zeros(away.shape, np.float32)
    for channel in range(3):
        change_x, change_y = _gradient(np.ascontiguousarray(lab[..., channel]))
        squares += ((change_x * normal_x + change_y * normal_y) / length) ** 2
    return np.sqrt(squares)


def _gradient(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the change a pixel to the right and down (Sobel), float32 ``[H, W]`` each."""
    return (
        cv2.Sobel(values, cv2.CV_32F, 1, 0, scale=1 / 8),
        cv2.Sobel(values, cv2.CV_32F, 0, 1, scale=1 / 8),
    )
