"""Moves, scales and turns a picture by one similarity."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

_LEAST_SHARP_SCALE = 0.75
"""Scale below which a picture is blurred before it is warped; at or above it the picture stays sharp. A
bicubic kernel spans four source pixels at any scale, so that smaller scales would alias. Set by eye."""
_BLUR_PIXELS = 0.4
"""Standard deviation of that blur in pixels of the warped picture: more of it is softer, less of it aliases.
Set by eye."""


def band_limited(image: np.ndarray, scale: float) -> np.ndarray:
    """Blurs an image ``[H, W]`` or ``[H, W, C]`` if it would alias when it is scaled by ``scale``."""
    if scale >= _LEAST_SHARP_SCALE:
        return image
    return cv2.GaussianBlur(image, (0, 0), _BLUR_PIXELS / scale)


def warped(
    image: np.ndarray,
    matrix: Sequence[Sequence[float]],
    scale: float,
    *,
    frame: tuple[int, int] | None = None,
    corner: tuple[int, int] = (0, 0),
    target: tuple[int, int, int, int] | None = None,
) -> np.ndarray:
    """Warps an image ``[H, W]`` or ``[H, W, 3]`` bicubically, without aliasing; 0 enters over the border.

    **Convention:** the matrix maps (x, y) in [0, 1] of the frame, (0, 0) being the frame's upper left corner
    and not a pixel's centre, from the image to the result.

    Args:
        image: of any numeric type.
        matrix: 2 x 3.
        scale: the factor by which the matrix enlarges.
        frame: height and width of the frame, of which the image may be a part, all beside it being 0.
        corner: x and y of the image's upper left pixel in the frame.
        target: x, y, width and height of the part of the frame that is returned; all of it by default.

    Returns:
        float32, of the frame's or the part's size.
    """
    h, w = frame or image.shape[:2]
    left, top, wide, high = target or (0, 0, w, h)
    (a, b, c), (d, e, f) = matrix
    # fractions to pixel centres: p = (u + 1/2) / size
    pixels = np.array(
        [
            [a, b * w / h, (a * 0.5 + b * w / h * 0.5 + c * w) - 0.5],
            [d * h / w, e, (d * h / w * 0.5 + e * 0.5 + f * h) - 0.5],
        ],
        np.float64,
    )
    if corner != (0, 0) or (left, top) != (0, 0):
        pixels[:, 2] += pixels[:, :2] @ np.array(corner, np.float64) - (left, top)
    source = np.ascontiguousarray(band_limited(image, scale), np.float32)
    return cv2.warpAffine(source, pixels, (wide, high), flags=cv2.INTER_CUBIC)
