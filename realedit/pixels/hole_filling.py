"""Fills a hole with the photo's own texture: a first guess at what lies behind an object.

Three ways: :func:`fill` completes the surface that borders the hole by patches
(:mod:`realedit.pixels.patch_completion`), so that grain and pattern go on, and several surfaces by a few
shifted copies (:mod:`realedit.pixels.shifted_copies`), so that edges do; :func:`rough_fill` uses patches in a
small copy, for light and colour alone; :func:`smooth_fill` carries on low frequencies. Nothing is copied from
what is forbidden (other objects, the object's own shadow). The diffusion model starts from the guess and may
change it.
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.patch_completion import complete_by_patches
from realedit.pixels.pyramid import Completion
from realedit.pixels.shifted_copies import complete_by_copies

_MOST_FORBIDDEN = 0.8
"""Share of the window about the hole that is forbidden or hole: above it the hole is filled smoothly, up to
it by patches. Not measured."""
_MARGIN_SIDES = 1.0
"""Width of that window's margin about the hole, in longer sides of the hole's box: wider ones offer more
texture and take longer, narrower ones offer only what is near. Not measured."""
_MARGIN_PIXELS = 16
"""Added to that margin in pixels: more of it gives small holes more to copy from, less of it less. Not
measured."""
_SMOOTH_RADIUS_PIXELS = 5
"""Radius in pixels of the neighbourhood from which Telea's method fills: larger is smoother, smaller
streakier. Not measured."""
_ROUGH_SIDE = 128
"""Longer side in pixels of the copy in which a rough fill is made: larger keeps texture and takes longer,
smaller keeps only light and colour. Not measured."""
_SMOOTH_SIDE = 192
"""Longer side in pixels of the copy in which a smooth fill is made: larger takes much longer and has no
detail to gain, smaller blurs the rim. Not measured."""
_RIM_REACH = 0.15
"""Width of the rim whose colours are the surfaces', in square roots of the hole's area: a wider rim reaches
other objects, a narrower one misses surfaces. Not measured."""
_LEAST_RIM_REACH_PIXELS = 3
"""Least width of that rim in pixels: narrower ones are widened to it, wider ones stay. Not measured."""
_LEAST_RIM_PIXELS = 16
"""Pixels of the rim: with fewer no colour is called foreign, with as many or more the rare ones are. Not
measured."""
_COLOUR_BLUR_PIXELS = 1.5
"""Standard deviation in pixels of the blur before colours are counted: more of it joins a texture's colours,
less of it keeps them apart. Not measured."""
_BIN = 16
"""Width of a colour bin in Lab's 0..255: wider bins take more colours for the rim's, narrower ones fewer. Not
measured."""
_SEVERAL_COLOURS = 7.5
"""Mean distance in Lab of the rim's colours from their median: above it several surfaces meet at the hole and
it is filled with whole copies, up to it one goes on and patches continue its grain. Set on 20 rendered cases
(1.0 to 6.3, where patches are better) and 16 scenes of ReS (8.6 to 28 but for one, where copies are)."""
_RARE = 1e-3
"""A bin's count as a share of the commonest one's in the rim: below it the colour is foreign and not copied,
at or above it is the rim's. Set on 30 rendered cases; at 0.2 holes were worse (ST-LPIPS 0.0640 instead of
0.0514), at 0.05 no better."""


def fill(
    rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None, *, melded: bool = True
) -> np.ndarray:
    """Fills ``hole`` with texture from around it, by patches; smoothly if there is too little to copy.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        hole: bool ``[H, W]``.
        forbidden: bool ``[H, W]``, pixels that nothing is copied from; they stay as they are.
        melded: see :func:`realedit.pixels.patch_completion.complete_by_patches`.

    Returns:
        uint8 ``[H, W, 3]``, equal to ``rgb`` outside the hole.
    """
    return fill_with_steps(rgb, hole, forbidden, melded=melded).picture


def fill_with_steps(
    rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None, *, melded: bool = True
) -> Completion:
    """Fills as :func:`fill` does, and tells where each pixel comes from; a smooth filling has no steps."""
    steps, cost = np.zeros((*hole.shape, 2), np.int32), np.zeros(hole.shape, np.float32)
    if not hole.any():
        return Completion(rgb.copy(), steps, cost)
    window = _around(hole)
    part, gap = rgb[window], hole[window]
    hole_or_forbidden = gap | _foreign(part, gap, None if forbidden is None else forbidden[window])
    completion = None
    if hole_or_forbidden.mean() <= _MOST_FORBIDDEN:
        if melded and several_surfaces(part, gap, hole_or_forbidden):
            completion = complete_by_copies(part, gap, hole_or_forbidden)
        if completion is None:
            completion = complete_by_patches(part, gap, hole_or_forbidden, melded=melded)
    if completion is None:
        filled = cv2.inpaint(part, gap.astype(np.uint8), _SMOOTH_RADIUS_PIXELS, cv2.INPAINT_TELEA)
        doubt = float("inf")
    else:
        filled, doubt = completion.picture, completion.doubt
        steps[window], cost[window] = completion.steps, completion.cost
    out = rgb.copy()
    out[window] = np.where(gap[..., None], filled, part)
    return Completion(out, steps, cost, doubt)


def rough_fill(rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None) -> np.ndarray:
    """Fills ``hole`` as :func:`fill` does, in a small copy: right are the surface's light and colour alone.

    Nothing fades in from the hole's rim, which may lie in a shadow.
    """
    factor = _ROUGH_SIDE / max(hole.shape)
    if factor >= 1 or not hole.any():
        return fill(rgb, hole, forbidden, melded=False)
    size = (max(1, round(hole.shape[1] * factor)), max(1, round(hole.shape[0] * factor)))

    def touched(mask: np.ndarray) -> np.ndarray:
        return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0

    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    forbidden_small = None if forbidden is None else touched(forbidden)
    filled = fill(small, touched(hole), forbidden_small, melded=False)
    wide = cv2.resize(filled, hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(hole[..., None], wide, rgb)


def _foreign(rgb: np.ndarray, gap: np.ndarray, forbidden: np.ndarray | None) -> np.ndarray:
    """Adds to ``forbidden`` the pixels that lack the rim's colours; bool ``[H, W]``.

    Only the surfaces that border a hole can go on inside it; the back-projection of their colours (Swain &
    Ballard 1991, *Color Indexing*) tells them from other objects, named or not.
    """
    forbidden = np.zeros(gap.shape, bool) if forbidden is None else forbidden.copy()
    rim = _rim(gap) & ~gap & ~forbidden
    if rim.sum() < _LEAST_RIM_PIXELS:
        return forbidden
    soft = cv2.GaussianBlur(rgb, (0, 0), _COLOUR_BLUR_PIXELS)
    lab: np.ndarray = cv2.cvtColor(soft, cv2.COLOR_RGB2Lab) // _BIN
    count = 256 // _BIN
    bins = (lab[..., 0].astype(np.int32) * count + lab[..., 1]) * count + lab[..., 2]
    seen = np.bincount(bins[rim], minlength=count**3).reshape(count, count, count).astype(np.float32)
    # a colour a bin or two away is the same surface in another light
    for axis in range(3):
        seen = np.apply_along_axis(_spread, axis, seen)
    strange = (seen.ravel()[bins] < _RARE * seen.max()).astype(np.uint8)
    strange = cv2.morphologyEx(strange, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return forbidden | (cv2.dilate(strange, np.ones((5, 5), np.uint8)) > 0) & ~gap


def _spread(counts: np.ndarray) -> np.ndarray:
    return np.convolve(counts, [0.25, 0.5, 1.0, 0.5, 0.25], mode="same")


def smooth_fill(rgb: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fills ``hole`` with its surroundings' low frequencies; shapes as :func:`fill`.

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


def several_surfaces(rgb: np.ndarray, gap: np.ndarray, forbidden: np.ndarray) -> bool:
    """Tells whether what borders a hole is of several colours, so that patches would mix them.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        gap: the hole, bool ``[H, W]``.
        forbidden: bool ``[H, W]``, what does not count.
    """
    rim = _rim(gap) & ~gap & ~forbidden
    if rim.sum() < _LEAST_RIM_PIXELS:
        return False
    soft = cv2.GaussianBlur(rgb, (0, 0), _COLOUR_BLUR_PIXELS)
    lab = cv2.cvtColor(soft.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[rim]
    return float(np.linalg.norm(lab - np.median(lab, axis=0), axis=-1).mean()) > _SEVERAL_COLOURS


def _rim(gap: np.ndarray) -> np.ndarray:
    """Returns the hole and the rim whose colours are the surfaces', bool ``[H, W]``."""
    reach = max(_LEAST_RIM_REACH_PIXELS, round(_RIM_REACH * np.sqrt(gap.sum())))
    return cv2.dilate(gap.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0


def _around(hole: np.ndarray) -> tuple[slice, slice]:
    """Returns the hole's bounding box with a margin, cut to the frame."""
    x, y, w, h = cv2.boundingRect(hole.astype(np.uint8))
    pad = int(_MARGIN_SIDES * max(w, h)) + _MARGIN_PIXELS
    return slice(max(0, y - pad), y + h + pad), slice(max(0, x - pad), x + w + pad)
