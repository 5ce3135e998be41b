"""The edit laid over the photo: the anchor's pixels, and what the model changed of them."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.compose.anchor import Anchor
from realedit.pixels.masks import grow
from realedit.pixels.unit import unit_of
from realedit.sample.resample import Resampled
from realedit.settings import Settings


def blend(
    rgb: np.ndarray, anchor: Anchor, resampled: Resampled | None, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """The edited picture, uint8 ``[H, W, 3]``, and its alpha over the photo, float32 ``[H, W]``."""
    h, w = rgb.shape[:2]
    unit = unit_of((h, w))
    alpha = anchor.changed.astype(np.float32)
    picture = anchor.picture
    if resampled is not None:
        wide = grow(anchor.changed, 3 * unit)
        soft = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), 1.5 * unit) * wide
        change = cv2.resize(resampled.change, (w, h), interpolation=cv2.INTER_CUBIC)
        picture = picture + settings.resample * soft[..., None] * change * (
            1 - settings.pin * anchor.matte[..., None]
        )
        alpha = wide.astype(np.float32)
    edited = np.clip(picture, 0, 255).round().astype(np.uint8)
    return edited, alpha
