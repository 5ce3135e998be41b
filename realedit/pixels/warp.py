"""A picture moved, scaled and turned by one similarity."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

_NEEDS_BLUR = 0.75
"""Pictures scaled below this are blurred first: a bicubic kernel spans two pixels and would alias."""


def warped(image: np.ndarray, matrix: Sequence[Sequence[float]], scale: float) -> np.ndarray:
    """An image ``[H, W]`` or ``[H, W, 3]`` moved; 0 enters over the border. Shrinks without aliasing.

    Args:
        image: of any numeric type.
        matrix: 2 x 3, from (x, y) in [0, 1] of the frame to where they come to lie.
        scale: by which the matrix enlarges.

    Returns:
        float32, of the image's shape.
    """
    h, w = image.shape[:2]
    if scale < _NEEDS_BLUR:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
    (a, b, c), (d, e, f) = matrix
    # fractions to pixel centres: p = (u + 1/2) / size
    pixels = np.array(
        [
            [a, b * w / h, (a * 0.5 + b * w / h * 0.5 + c * w) - 0.5],
            [d * h / w, e, (d * h / w * 0.5 + e * 0.5 + f * h) - 0.5],
        ],
        np.float64,
    )
    return cv2.warpAffine(np.ascontiguousarray(image, np.float32), pixels, (w, h), flags=cv2.INTER_CUBIC)
