"""A first guess at what lies behind an object: the hole filled with the photo's own texture.

It is completed from patches of the surfaces that border it (:mod:`realedit.pixels.patch_completion`), so that
grain and pattern go on; nothing is copied from what is forbidden (other objects, the object's own shadow). It
is a guess for the diffusion model to start from, not the answer.
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.patch_completion import Completion, completed

_SHUT = 0.8
"""Share of the hole's surroundings from which on, if nothing may be copied from it, nothing is."""
_MARGIN = 1.0
"""How far around the hole to look for texture, in sides of the hole's box."""
_ROUGH_SIDE = 128
"""Longer side of the picture in which a rough fill is made."""
_SMOOTH_SIDE = 192
"""Longer side of the picture in which a smooth fill is made: it has no detail to lose, and its cost grows
fast."""
_BIN = 16
"""Width of the colour bins, in Lab's own 0..255, in which surfaces are told apart."""
_RARE = 1e-3
"""Share of the commonest bin below which a colour is not the rim's."""


def fill(
    rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None, *, melded: bool = True
) -> np.ndarray:
    """Fill ``hole`` with texture from around it.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        hole: bool ``[H, W]``.
        forbidden: bool ``[H, W]``, places that nothing may be copied from; they themselves stay as they are.
        melded: see :func:`realedit.pixels.patch_completion.complete`.

    Returns:
        uint8 ``[H, W, 3]``, equal to ``rgb`` outside the hole.
    """
    return fill_with_steps(rgb, hole, forbidden, melded=melded).picture


def fill_with_steps(
    rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None, *, melded: bool = True
) -> Completion:
    """:func:`fill`, and where each of the hole's pixels comes from; no steps where it is only smooth."""
    steps, missed = np.zeros((*hole.shape, 2), np.int32), np.zeros(hole.shape, np.float32)
    if not hole.any():
        return Completion(rgb.copy(), steps, missed)
    window = _around(hole)
    part, gap = rgb[window], hole[window]
    shut = gap | _foreign(part, gap, None if forbidden is None else forbidden[window])
    done = None if shut.mean() > _SHUT else completed(part, gap, shut, melded=melded)
    if done is None:  # too little is left to copy from: only a smooth guess makes sense
        filled = cv2.inpaint(part, gap.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    else:
        filled = done.picture
        steps[window], missed[window] = done.steps, done.missed
    out = rgb.copy()
    out[window] = np.where(gap[..., None], filled, part)
    return Completion(out, steps, missed)


def rough_fill(rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None) -> np.ndarray:
    """:func:`fill` in a small copy of the picture: how bright and of what colour a surface goes on.

    Nothing fades in from the hole's rim, which may lie in a shadow.
    """
    factor = _ROUGH_SIDE / max(hole.shape)
    if factor >= 1 or not hole.any():
        return fill(rgb, hole, forbidden, melded=False)
    size = (max(1, round(hole.shape[1] * factor)), max(1, round(hole.shape[0] * factor)))

    def touched(mask: np.ndarray) -> np.ndarray:
        return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0

    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    shut = None if forbidden is None else touched(forbidden)
    filled = fill(small, touched(hole), shut, melded=False)
    wide = cv2.resize(filled, hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(hole[..., None], wide, rgb)


def _foreign(rgb: np.ndarray, gap: np.ndarray, forbidden: np.ndarray | None) -> np.ndarray:
    """What nothing may be copied from, bool ``[H, W]``: what is forbidden, and what lacks the rim's colours.

    Only the surfaces that border a hole can go on inside it; the back-projection of their colours (Swain &
    Ballard 1991) tells them from other objects, named or not.
    """
    shut = np.zeros(gap.shape, bool) if forbidden is None else forbidden.copy()
    reach = max(3, round(0.15 * np.sqrt(gap.sum())))
    near = cv2.dilate(gap.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    rim = near & ~gap & ~shut
    if rim.sum() < 16:
        return shut
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 1.5), cv2.COLOR_RGB2Lab) // _BIN
    count = 256 // _BIN
    bins = (lab[..., 0].astype(np.int32) * count + lab[..., 1]) * count + lab[..., 2]
    seen = np.bincount(bins[rim], minlength=count**3).reshape(count, count, count).astype(np.float32)
    # a colour a bin or two away is the same surface in another light
    for axis in range(3):
        seen = np.apply_along_axis(_spread, axis, seen)
    strange = (seen.ravel()[bins] < _RARE * seen.max()).astype(np.uint8)
    strange = cv2.morphologyEx(strange, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return shut | (cv2.dilate(strange, np.ones((5, 5), np.uint8)) > 0) & ~gap


def _spread(counts: np.ndarray) -> np.ndarray:
    return np.convolve(counts, [0.25, 0.5, 1.0, 0.5, 0.25], mode="same")


def smooth_fill(rgb: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill ``hole`` with its surroundings' low frequencies; shapes as :func:`fill`.

    Frequency-selective reconstruction. Reference: Genser et al. 2018, *Spectral Constrained Frequency
    Selective Extrapolation*; OpenCV's ``xphoto``.
    """
    if not hole.any():
        return rgb.copy()
    window = _around(hole)
    part, gap = rgb[window], hole[window]
    factor = min(1.0, _SMOOTH_SIDE / max(gap.shape))
    size = (max(1, round(gap.shape[1] * factor)), max(1, round(gap.shape[0] * factor)))
    small = np.ascontiguousarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA))
    unknown = cv2.resize(gap.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    known = np.where(unknown, 0, 255).astype(np.uint8)
    target = np.zeros_like(small)
    cv2.xphoto.inpaint(small, known, target, cv2.xphoto.INPAINT_FSR_FAST)
    wide = cv2.resize(target, gap.shape[::-1], interpolation=cv2.INTER_LINEAR)
    out = rgb.copy()
    out[window] = np.where(gap[..., None], wide, part)
    return out


def _around(hole: np.ndarray) -> tuple[slice, slice]:
    """The hole's bounding box with a margin, inside the frame."""
    x, y, w, h = cv2.boundingRect(hole.astype(np.uint8))
    pad = int(_MARGIN * max(w, h)) + 16
    return slice(max(0, y - pad), y + h + pad), slice(max(0, x - pad), x + w + pad)
