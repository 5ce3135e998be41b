"""Gives one object the colours of another: Reinhard et al. 2001, *Color Transfer between Images*."""

from __future__ import annotations

import cv2
import numpy as np

_MOST_SPREAD = 2.0
"""Factor on a channel's spread: larger ones are cut to it, and smaller than its inverse raised to that, since
beyond them noise and JPEG blocks show. Set by eye."""


def transfer(
    picture: np.ndarray, matte: np.ndarray, other: np.ndarray, other_matte: np.ndarray
) -> np.ndarray:
    r"""Brings an object's mean and spread in each channel of CIE Lab to another object's.

    .. math:: x' = \frac{\sigma'}{\sigma} (x - \mu) + \mu'

    Args:
        picture: float32 ``[H, W, 3]`` in 0..255.
        matte: the object, float32 ``[H, W]`` in [0, 1]; the rest stays as it is.
        other: the other object's photo, uint8 ``[H', W', 3]``.
        other_matte: the other object, float32 ``[H', W']``.

    Returns:
        float32 ``[H, W, 3]`` in 0..255.
    """
    lab, there = lab_of(picture), lab_of(other)
    mean, spread = _moments(lab, matte)
    other_mean, other_spread = _moments(there, other_matte)
    factor = (other_spread / np.maximum(spread, 1e-3)).clip(1 / _MOST_SPREAD, _MOST_SPREAD)
    moved = ((lab - mean) * factor + other_mean).astype(np.float32)
    moved[..., 0] = moved[..., 0].clip(0, 100)
    rgb = cv2.cvtColor(moved, cv2.COLOR_Lab2RGB).clip(0, 1) * 255
    weight = matte[..., None]
    return (picture * (1 - weight) + rgb * weight).astype(np.float32)


def lab_of(picture: np.ndarray) -> np.ndarray:
    """Returns a picture ``[H, W, 3]`` in 0..255 in CIELAB, float32 ``[H, W, 3]``."""
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)


def _moments(lab: np.ndarray, matte: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns each channel's weighted mean and standard deviation."""
    # in double: over millions of pixels single precision loses what each adds
    weight = matte[..., None] / matte.sum(dtype=np.float64)
    mean = (lab * weight).sum((0, 1))
    return mean, np.sqrt((np.square(lab - mean) * weight).sum((0, 1)))
