"""Pictures and masks at another size."""

from __future__ import annotations

import cv2
import numpy as np


def at_size(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes a photo to (height, width): by areas when it shrinks, bicubically when it grows."""
    if rgb.shape[:2] == size:
        return rgb
    smaller = size[0] < rgb.shape[0]
    return cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def scaled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes a picture or mask to (width, height): by areas when it shrinks, bilinearly when it grows.

    Bilinear interpolation never leaves the range of the values, which masks and mattes need.
    """
    if image.shape[1::-1] == size:
        return image
    larger = size[0] > image.shape[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR if larger else cv2.INTER_AREA)
