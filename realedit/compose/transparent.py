"""Cuts an object out of a photo: its own colours with its matte as alpha, alone or on one colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from realedit.location import Box, Location
from realedit.photo import Photo
from realedit.photo.pictures import picture_file
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


def cutout_png(
    photo: Photo, found: Location, *, crop: bool = False, background: tuple[int, int, int] | None = None
) -> bytes:
    """Returns an object cut out of a photo as a PNG file, with the photo's colour profile.

    Args:
        photo: the photo.
        found: the object.
        crop: only its box, not the whole frame.
        background: a colour, 0..255 each, that it is laid on; None leaves its surroundings transparent.
    """
    own = photo.native.alpha
    opacity = None if own is None else own.astype(np.float32) / np.iinfo(own.dtype).max
    picture = cut_out(photo.rgb, found.mask, opacity)
    picture = picture if background is None else laid_on(picture, background)
    picture = cropped(picture, found.box) if crop else picture
    return picture_file(Image.fromarray(picture), Path("cutout.png"), photo.metadata.icc)
