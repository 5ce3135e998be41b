r"""Estimates which way a texture runs, also where it is hidden: a table's wood behind a mug.

The structure tensor :math:`T = G_\sigma * \nabla L \, \nabla L^T` says how lightness L changes on average
with a step d: :math:`E[(L(x + d) - L(x))^2] \approx d^T T d`. It changes most along the eigenvector n of the
larger eigenvalue: n is across the grain, and :math:`\lambda_1 - \lambda_2` says how much more L changes
across the grain than along it.

Reference: Bigün and Granlund 1987, *Optimal Orientation Detection of Linear Symmetry*.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from realedit.pixels.normalised_blur import normalised_blur

_MOST_SLOPE_MEDIANS = 3.0
"""Gradients are clipped at this multiple of their median: higher, and one strong edge turns the whole
estimate; lower, and the grain's own lines count less. Set on 30 rendered cases, of two to four values
tried."""


class TextureDirection(NamedTuple):
    r"""A texture's direction at each pixel.

    Args:
        across: unit vectors (row, column) across the grain, float32 ``[H, W, 2]``.
        strength: :math:`\lambda_1 - \lambda_2` >= 0, per square pixel, float32 ``[H, W]``; 0 without grain.
    """

    across: np.ndarray
    strength: np.ndarray


def texture_direction(lightness: np.ndarray, known: np.ndarray, sigma: float) -> TextureDirection:
    """Estimates the direction where the texture is known and carries it on into the rest.

    Args:
        lightness: float32 ``[H, W]``.
        known: bool ``[H, W]``.
        sigma: standard deviation of the Gaussian that averages, in pixels.
    """
    down, right = np.gradient(lightness)
    # gradients at the border of the known pixels mix in unknown ones
    inner = cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    # an edge between two surfaces is one line among many and may not outweigh them
    steep = np.hypot(down, right)
    most = _MOST_SLOPE_MEDIANS * float(np.median(steep[inner])) if inner.any() else 0.0
    gentle = np.minimum(1, most / np.maximum(steep, 1e-6))
    down, right = down * gentle, right * gentle
    squares = np.stack([down * down, down * right, right * right], axis=-1).astype(np.float32)
    tensor = normalised_blur(squares, inner, sigma)
    difference, mixed = tensor[..., 0] - tensor[..., 2], 2 * tensor[..., 1]
    angle = np.arctan2(mixed, difference) / 2
    across = np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32)
    return TextureDirection(across, np.hypot(difference, mixed).astype(np.float32))
