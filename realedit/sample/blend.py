"""Lays the edit over the photo: the anchor's pixels, and the model's change of them."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.compose.anchor import Anchor
from realedit.pixels.masks import grow
from realedit.pixels.rounding import as_bytes
from realedit.pixels.unit import unit_of
from realedit.sample.regions import SEAM_UNITS
from realedit.sample.resample import Resampled
from realedit.settings import FullSettings

_SEAM_BLUR_UNITS = 1.5
"""Sigma of the blur that fades the model's change out towards the edge of the seam, in units; a larger one
makes the change weaker near the edge, a smaller one lets the edge show. Not measured."""


def blend(
    rgb: np.ndarray, anchor: Anchor, resampled: Resampled | None, settings: FullSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Lays the edit over a photo.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        anchor: the edit in pixels.
        resampled: the model's change of it; None for the anchor alone.
        settings: the knobs.

    Returns:
        The edited picture, uint8 ``[H, W, 3]``, and its alpha over the photo, float32 ``[H, W]``: 1 where the
        edit may have changed a pixel, 0 elsewhere.
    """
    h, w = rgb.shape[:2]
    unit = unit_of((h, w))
    alpha = anchor.changed.astype(np.float32)
    picture = anchor.picture
    if resampled is not None:
        wide = grow(anchor.changed, SEAM_UNITS * unit)
        soft: np.ndarray = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), _SEAM_BLUR_UNITS * unit) * wide
        change = cv2.resize(resampled.change, (w, h), interpolation=cv2.INTER_CUBIC)
        picture = picture + settings.resample * soft[..., None] * change * (
            1 - settings.pin * anchor.matte[..., None]
        )
        alpha = wide.astype(np.float32)
    return as_bytes(picture), alpha
