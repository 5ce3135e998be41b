"""Light as log intensity: how much a photo lacks against a surface, and averages over a mask.

A shadow multiplies intensity by a factor, so in logs it subtracts the same from a bright and a dark texture.
"""

from __future__ import annotations

import cv2
import numpy as np

FLOOR = 8.0
"""Added to intensities (0..255) before the logarithm: more of it hides shadows in dark places, less of it
takes the noise there for shadow. Not measured."""
_TINT = 0.3
"""Tint of a shade as a share of its depth: below it the loss is light lost, at or above it another colour.
Coloured light tints a shadow a little. Set on rendered scenes."""
_NOISE_TINT = 0.05
"""Tint in log intensity that is always allowed on top of that share: less of it takes noise for colour, more
of it takes a faint colour for shade. Not measured."""


def shade(loss: np.ndarray, tint: float = _TINT) -> tuple[np.ndarray, np.ndarray]:
    r"""Tells how much light is lost, and whether all channels lose alike, as in a shadow.

    .. math:: d = \frac{1}{3} \sum_c S_c, \quad \lVert S - d \rVert < t \max(d, 0) + 0.05

    Args:
        loss: log intensity lost S, float32 ``[..., 3]``, as :func:`contrast` returns it.
        tint: t, the share of the depth d by which the channels may differ.

    Returns:
        d ``[...]``, and whether the inequality holds, bool ``[...]``; it holds also where nothing is lost.
    """
    dark = loss.mean(-1)
    off = np.linalg.norm(loss - dark[..., None], axis=-1)
    return dark, off < tint * np.maximum(dark, 0) + _NOISE_TINT


def contrast(
    rgb: np.ndarray, surface: np.ndarray, where: np.ndarray | None = None, sigma: float = 0.0
) -> np.ndarray:
    """Returns the log intensity that a photo lacks against its surface, float32 ``[H, W, 3]``.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        surface: what the photo would show in full light, likewise.
        where: bool ``[H, W]``; if given, the result is averaged over these pixels alone.
        sigma: standard deviation in pixels of the Gaussian that averages.
    """
    loss = np.log(surface.astype(np.float32) + FLOOR) - np.log(rgb.astype(np.float32) + FLOOR)
    return loss if where is None else average(loss, where, sigma)


def average(values: np.ndarray, where: np.ndarray, sigma: float) -> np.ndarray:
    """Returns the Gaussian average of ``[H, W, 3]`` over the true pixels of ``where`` alone."""
    weight = where.astype(np.float32)
    total = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma)
    return total / (cv2.GaussianBlur(weight, (0, 0), sigma)[..., None] + 1e-4)
