"""The edit laid over the photo: the anchor's pixels, what the model changed of them, and the figures."""

from __future__ import annotations

import math

import cv2
import numpy as np

from realedit.anchor import Anchor
from realedit.edits import Plan
from realedit.locate import Location
from realedit.photo import Photo
from realedit.resample import Resampled, Settings
from realedit.shadow import grow


def blend(
    rgb: np.ndarray, anchor: Anchor, resampled: Resampled | None, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """The edited picture, uint8 ``[H, W, 3]``, and its alpha over the photo, float32 ``[H, W]``."""
    h, w = rgb.shape[:2]
    unit = max(h, w) / 256
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


def metrics(
    photo: Photo, out: Photo, alpha: np.ndarray, location: Location, anchor: Anchor,
    resampled: Resampled | None, wanted: Plan,
) -> dict[str, float]:  # fmt: skip
    """Figures of an edit that need no truth."""
    after = (
        Location(location.word, anchor.matte, location.heat, 1.0, location.source)
        if (anchor.matte > 0.5).any()
        else None
    )
    changed = (photo.rgb != out.rgb).any(-1)
    figures = {
        "changed_outside_region": float((changed & (alpha == 0)).sum()),
        "region_share": float((alpha > 0).mean()),
        "score": location.score,
    }
    if after is not None:
        (x0, y0), (x1, y1) = location.centroid, after.centroid
        figures["centroid_error"] = math.hypot(x1 - x0 - wanted.dx, y1 - y0 - wanted.dy)
        figures["size_ratio"] = float(anchor.matte.sum() / location.mask.sum())
    if resampled is not None and resampled.trace.energies:
        figures["energy_first"] = resampled.trace.energies[0]
        figures["energy_last"] = resampled.trace.energies[-1]
    return figures
