"""Cuts an object out of a photo: its own colours with its matte as alpha, alone or on one colour."""

from __future__ import annotations

import numpy as np

from realedit.location import Box
from realedit.pixels.foreground import foreground

_LEAST_SIDE_PIXELS = 192
"""Longer side of a photo in pixels: at or above it a cut-out's edge is cleaned, below it the edge is the
photo's own. Lower than for an object that stays in its photo, because on another background a fringe of the
old one is seen first. Set by eye on photographs of 512 pixels."""


def cut_out(rgb: np.ndarray, matte: np.ndarray, opacity: np.ndarray | None = None) -> np.ndarray:
    """Returns an object with transparent surroundings, uint8 ``[H, W, 4]``, alpha not multiplied in.

    At its soft edge the background that shines through is taken out of the colours
    (:mod:`realedit.pixels.foreground`). Where nothing of it is, all four values are 0, which keeps files
    small and nothing of the surroundings in them.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        matte: the object's, float32 ``[H, W]`` in [0, 1].
        opacity: the photo's own, in [0, 1], likewise; None where it is opaque.
    """
    share = matte if opacity is None else matte * opacity
    alpha = (share * 255).round().clip(0, 255).astype(np.uint8)
    colours = (
        foreground(rgb, matte.astype(np.float32), least_side=_LEAST_SIDE_PIXELS)
        .round()
        .clip(0, 255)
        .astype(np.uint8)
    )
    return np.dstack([np.where(alpha[..., None] > 0, colours, 0), alpha]).astype(np.uint8)


def laid_on(rgba: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Returns a cut-out, uint8 ``[H, W, 4]``, on one colour (0..255 each), uint8 ``[H, W, 3]``."""
    share = rgba[..., 3:].astype(np.float32) / 255
    under = np.array(colour, np.float32)
    return (under + (rgba[..., :3] - under) * share).round().astype(np.uint8)


def cropped(picture: np.ndarray, box: Box) -> np.ndarray:
    """Returns what a box holds of a picture ``[H, W, ...]``; all of it where the box is empty."""
    height, width = picture.shape[:2]
    left, right = (round(x * width) for x in box[::2])
    top, bottom = (round(y * height) for y in box[1::2])
    part = picture[top:bottom, left:right]
    return part if part.size else picture
