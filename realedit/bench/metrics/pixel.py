"""Pixel for pixel: PSNR and SSIM, by scikit-image."""

from __future__ import annotations

from typing import Any

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

CAP = 100.0
"""PSNR in dB of equal pictures, which has no upper bound: so that a mean stays finite."""


def psnr(picture: np.ndarray, reference: np.ndarray, region: np.ndarray | None = None) -> float:
    r"""Peak signal-to-noise ratio, :math:`10 \log_{10} (255^2 / \mathrm{MSE})` in dB; higher is better.

    Args:
        picture: uint8 ``[H, W, 3]``.
        reference: the same.
        region: bool ``[H, W]``, the pixels that count; all by default.

    Returns:
        From 0 to :data:`CAP`, at which it is cut.
    """
    if region is not None:
        picture, reference = picture[region], reference[region]
    if np.array_equal(picture, reference):  # scikit-image would divide by zero
        return CAP
    return min(CAP, float(peak_signal_noise_ratio(reference, picture, data_range=255)))


def ssim(picture: np.ndarray, reference: np.ndarray, region: np.ndarray | None = None) -> float:
    """Structural similarity (Wang et al. 2004), mean over a region of its map; up to 1, higher is better.

    With the paper's Gaussian window, standard deviation 1.5, by ``skimage.metrics.structural_similarity``,
    whose own mean (over all but the border) it is for the whole picture. A region's map reaches five pixels
    over its edge.

    Args:
        picture: uint8 ``[H, W, 3]``, at least 11 pixels a side.
        reference: the same.
        region: bool ``[H, W]``, the pixels that count; all by default.
    """
    # typed as if it could return a gradient too
    found: Any = structural_similarity(
        picture,
        reference,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        full=True,
    )
    mean, similarity = found
    return float(mean if region is None else similarity[region].mean())
