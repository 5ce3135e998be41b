"""What is broad in a picture, carried on into its holes: Gaussian averages over what is known.

Reference: normalised convolution, Knutsson and Westin 1993.
"""

from __future__ import annotations

import cv2
import numpy as np

_ENOUGH = 8.0
"""Sigma in pixels from which on a blurred picture may be made of fewer pixels."""


def broad(values: np.ndarray, known: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian average over what is known; farther from it, of ever wider Gaussians.

    Args:
        values: float32 ``[H, W, 3]``.
        known: bool ``[H, W]``.
        sigma: of the narrowest Gaussian, in pixels.

    Returns:
        float32 ``[H, W, 3]``.
    """
    weight = known.astype(np.float32)
    widths = [sigma]
    while widths[0] < max(known.shape) / 2:
        widths.insert(0, 2 * widths[0])
    out = np.zeros_like(values)
    for width in widths:
        share = _blurred(weight, width)[..., None]
        mean = _blurred(values * weight[..., None], width) / np.maximum(share, 1e-4)
        believed = 1.0 if width == widths[0] else np.minimum(2 * share, 1) ** 2
        out += (mean - out) * believed
    return out


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; a wide one in a smaller picture, which is faster and loses nothing that it keeps."""
    factor = int(sigma / _ENOUGH)
    if factor < 2:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    h, w = image.shape[:2]
    size = (-(-w // factor), -(-h // factor))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma * size[0] / w, sigmaY=sigma * size[1] / h)
    return cv2.resize(soft, (w, h), interpolation=cv2.INTER_LINEAR)
