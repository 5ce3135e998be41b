"""Light in log intensity: what a photo lacks against a surface, and averages over a mask."""

from __future__ import annotations

import cv2
import numpy as np

FLOOR = 8.0
"""Added to intensities before the logarithm: in the dark, noise is no shadow."""


_TINT = 0.3
"""Tint that a shade may have, as a share of its depth: coloured light makes some. Set on rendered scenes."""
_TINT_ANYWAY = 0.05
"""Tint, in log intensity, that noise gives to any shade; what exceeds this and the share is a colour."""


def shade(loss: np.ndarray, tint: float = _TINT) -> tuple[np.ndarray, np.ndarray]:
    """How much light is lost, and whether alike in all channels, as in a shadow: a shadow is nearly grey.

    Args:
        loss: log intensity lost, float32 ``[..., 3]``; of :func:`contrast`.
        tint: share of the depth by which the channels may differ.

    Returns:
        The mean loss ``[...]``, and bool ``[...]``; true also where nothing is lost.
    """
    dark = loss.mean(-1)
    off = np.linalg.norm(loss - dark[..., None], axis=-1)
    return dark, off < tint * np.maximum(dark, 0) + _TINT_ANYWAY


def contrast(
    rgb: np.ndarray, surface: np.ndarray, where: np.ndarray | None = None, sigma: float = 0.0
) -> np.ndarray:
    """Log intensity that a photo lacks against what its surface would show; float32 ``[H, W, 3]``.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        surface: what would be there, likewise.
        where: if given, the result is averaged over these cells alone, with a Gaussian of ``sigma`` pixels.
        sigma: see ``where``.
    """
    loss = np.log(surface.astype(np.float32) + FLOOR) - np.log(rgb.astype(np.float32) + FLOOR)
    return loss if where is None else average(loss, where, sigma)


def average(values: np.ndarray, where: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian average of ``[H, W, 3]`` over the true cells of ``where`` alone."""
    weight = where.astype(np.float32)
    total = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma)
    return total / (cv2.GaussianBlur(weight, (0, 0), sigma)[..., None] + 1e-4)
