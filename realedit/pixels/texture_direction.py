r"""Which way a texture runs, also where it is hidden: a table's wood behind a mug.

The structure tensor :math:`T = G_\sigma * \nabla L \, \nabla L^T` says how lightness L changes on average
with a step d: :math:`E[(L(x + d) - L(x))^2] \approx d^T T d`. Along the eigenvector n of the larger
eigenvalue it changes most: n is across the grain, and :math:`\lambda_1 - \lambda_2` by how much more than
along it.

Reference: Bigün and Granlund 1987, *Optimal Orientation Detection of Linear Symmetry*.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from realedit.pixels.normalised_blur import broad

_USUAL = 3.0
"""Slope, in medians of all, that a steeper one counts as."""


class Grain(NamedTuple):
    r"""A texture's grain at each place.

    Args:
        across: unit vectors (row, column) across it, float32 ``[H, W, 2]``.
        strength: :math:`\lambda_1 - \lambda_2` >= 0, per square pixel, float32 ``[H, W]``; 0 without grain.
    """

    across: np.ndarray
    strength: np.ndarray


def grain_of(lightness: np.ndarray, known: np.ndarray, sigma: float) -> Grain:
    """The grain where it is known, carried on into the rest.

    Args:
        lightness: float32 ``[H, W]``.
        known: bool ``[H, W]``.
        sigma: of the Gaussian that averages, in pixels.
    """
    down, right = np.gradient(lightness)
    # a gradient at the border of what is known is not
    inner = cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    # an edge between two surfaces is one line of many
    steep = np.hypot(down, right)
    usual = _USUAL * float(np.median(steep[inner])) if inner.any() else 0.0
    gentle = np.minimum(1, usual / np.maximum(steep, 1e-6))
    down, right = down * gentle, right * gentle
    squares = np.stack([down * down, down * right, right * right], axis=-1).astype(np.float32)
    tensor = broad(squares, inner, sigma)
    difference, mixed = tensor[..., 0] - tensor[..., 2], 2 * tensor[..., 1]
    angle = np.arctan2(mixed, difference) / 2
    across = np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32)
    return Grain(across, np.hypot(difference, mixed).astype(np.float32))
