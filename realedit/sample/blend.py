"""Lays the edit over the photo: the anchor's pixels, and the model's change of them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from realedit.compose.anchor import Anchor
from realedit.pixels.masks import grow
from realedit.pixels.rounding import as_bytes
from realedit.pixels.unit import unit_of
from realedit.sample.regions import SEAM_UNITS
from realedit.sample.resample import Resampled
from realedit.sample.window import Window
from realedit.settings import FullSettings

_SEAM_BLUR_UNITS = 1.5
"""Sigma of the blur that fades the model's change out towards the edge of the seam, in units; a larger one
makes the change weaker near the edge, a smaller one lets the edge show. Not measured."""

_HOLE_FADE_UNITS = 2
"""Distance in units inside a painted hole's border at which the model's own pixels show in full; nearer they
fade into the edit in pixels. A larger one hides seams, a smaller one leaves less of the filling. Not
measured."""


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
    if resampled is not None and resampled.window is not None:
        return _in_window(rgb, anchor, resampled, resampled.window, settings)
    h, w = rgb.shape[:2]
    unit = unit_of((h, w))
    alpha = anchor.changed.astype(np.float32)
    picture = anchor.picture
    if resampled is not None:
        wide = grow(anchor.changed, SEAM_UNITS * unit)
        soft: np.ndarray = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), _SEAM_BLUR_UNITS * unit) * wide
        change = cv2.resize(resampled.change, (w, h), interpolation=cv2.INTER_CUBIC)
        held = settings.pin if resampled.hole is None else 0.0  # there, the latent alone is held
        picture = picture + settings.resample * soft[..., None] * change * (
            1 - held * anchor.matte[..., None]
        )
        if resampled.painted is not None and resampled.hole is not None:
            own = cv2.resize(resampled.painted, (w, h), interpolation=cv2.INTER_CUBIC)
            share = settings.resample * _inside(resampled.hole, _HOLE_FADE_UNITS * unit)
            # the object stands before the hole
            share = (share * (1 - anchor.matte))[..., None]
            picture = picture * (1 - share) + own * share
        alpha = wide.astype(np.float32)
    return as_bytes(picture), alpha


def _in_window(
    rgb: np.ndarray, anchor: Anchor, resampled: Resampled, window: Window, settings: FullSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Lays an edit over the window of a photo that the model worked on; the rest is the anchor's."""
    part = blend(window.of(rgb), window.anchor(anchor), replace(resampled, window=None), settings)
    whole = blend(rgb, anchor, None, settings)
    return window.laid(part[0], whole[0]), window.laid(part[1], whole[1])


def _inside(hole: np.ndarray, fade: float) -> np.ndarray:
    """Returns a hole's matte, float32 ``[H, W]``: 1 at ``fade`` pixels inside its border, 0 outside."""
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.clip(depth / max(fade, 1.0), 0, 1)
