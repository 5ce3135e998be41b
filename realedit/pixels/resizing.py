"""Pictures and masks at another size."""

from __future__ import annotations

import cv2
import numpy as np


def at_size(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A photo at (height, width)."""
    if rgb.shape[:2] == size:
        return rgb
    smaller = size[0] < rgb.shape[0]
    return cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def scaled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resized to (width, height); as it is where it has that size already."""
    if image.shape[1::-1] == size:
        return image
    return cv2.resize(
        image, size, interpolation=cv2.INTER_LINEAR if size[0] > image.shape[1] else cv2.INTER_AREA
    )
