"""What is broad in a picture, carried on into its holes: Gaussian averages over what is known.

Reference: normalised convolution, Knutsson and Westin 1993.
"""

from __future__ import annotations

import cv2
import numpy as np


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
        share = cv2.GaussianBlur(weight, (0, 0), width)[..., None]
        mean = cv2.GaussianBlur(values * weight[..., None], (0, 0), width) / np.maximum(share, 1e-4)
        believed = 1.0 if width == widths[0] else np.minimum(2 * share, 1) ** 2
        out += (mean - out) * believed
    return out
