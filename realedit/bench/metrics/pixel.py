"""Pixel for pixel: PSNR and SSIM, by scikit-image."""

from __future__ import annotations

from typing import Any

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

CAP = 100.0
"""PSNR in dB, which has no upper bound: larger ones, and those of equal pictures, are cut to this, so that a
mean stays finite. Not measured."""


def psnr(picture: np.ndarray, reference: np.ndarray, region: np.ndarray | None = None) -> float:
    r"""Returns peak signal-to-noise ratio, :math:`10 \log_{10} (255^2 / \mathrm{MSE})` in dB; more is better.

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
    """Returns structural similarity (Wang et al. 2004), a mean over a region; up to 1, higher is better.

    The map is ``skimage.metrics.structural_similarity``'s, with the paper's Gaussian window of standard
    deviation 1.5; for the whole picture scikit-image's own mean is taken, which leaves the border out. A
    pixel of the map sees five pixels around it, so that a region's figure reaches over its edge.

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
