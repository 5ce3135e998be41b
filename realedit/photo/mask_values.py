"""From a drawn picture to a mask's values: which share of each pixel is selected, and at which size."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.errors import Sentence, UsageError

_MASK_HALF = 0.5
"""Share of white in [0, 1]: above it a mask's pixel is selected, up to it is not. Set by definition."""
_BLACK_SHARE, _WHITE_SHARE = 0.1, 0.9
"""Shares of white in [0, 1]: between the two a mask's pixel counts as grey, outside them as black or white.
Not measured."""
_MOST_GREY = 0.5
"""Share of a mask's pixels that are grey: above it a coloured picture is refused as a photo and a grey one
is told to be soft, up to it either is a mask. Not measured."""
_COLOURED_STEP = 24
"""Difference of a pixel's largest and smallest channel, of 255: above it the pixel is coloured, up to it is
grey with a JPEG's noise. Not measured."""
_MOST_COLOURED = 0.02
"""Share of coloured pixels: above it a picture is coloured, up to it is grey. Not measured."""
_RATIO_SLACK = 0.01
"""Relative difference of two pictures' ratios of width and height: up to it a mask is scaled to its photo,
above it is refused. Rounding to whole pixels makes 0.001 at 1000 pixels. Set by eye."""
_BORDER_SHARE = 0.95
"""Share of the border's pixels that are selected: at or above it the mask may be inverted, below it is not.
Not measured."""


def lightness(values: np.ndarray) -> np.ndarray:
    """Returns numbers ``[H, W]`` or ``[H, W, C]`` as float32 ``[H, W]``; 8-bit white becomes 1."""
    grey = values if values.ndim == 2 else values[..., :3].max(-1)
    return grey.astype(np.float32) / (255 if grey.dtype == np.uint8 and grey.max() > 1 else 1)


def drawn_mask(rgb: np.ndarray, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns a drawn mask's values, and a word if it is soft nearly everywhere.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        name: what errors call it.

    Raises:
        UsageError: most of it is neither black nor white and it is coloured: it is a photo.
    """
    share = lightness(rgb)
    if ((share > _BLACK_SHARE) & (share < _WHITE_SHARE)).mean() <= _MOST_GREY:
        return share, ()
    if (np.ptp(rgb, axis=-1) > _COLOURED_STEP).mean() > _MOST_COLOURED:
        raise UsageError(f"most of {name} is neither black nor white", "paint the object white on black")
    return share, (f"most of {name} is grey: it is read as a soft mask, selected where it is light",)


def to_size(mask: np.ndarray, size: tuple[int, int], name: str) -> np.ndarray:
    """Returns a mask at a photo's size; itself where it has that.

    Args:
        mask: float32 ``[H, W]``.
        size: the photo's width and height.
        name: what errors call it.

    Raises:
        UsageError: its ratio of width and height is another.
    """
    height, width = mask.shape
    if (width, height) == size:
        return mask
    if abs(width * size[1] / (height * size[0]) - 1) > _RATIO_SLACK:
        told = f"{name} is {width} x {height} but the photo is {size[0]} x {size[1]}"
        raise UsageError(Sentence(told, "other_size"), "draw it at the photo's size")
    smaller = size[0] < width
    return cv2.resize(mask, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def check_selects(mask: np.ndarray, name: str) -> None:
    """Makes sure that a mask selects something, and not everything.

    Raises:
        UsageError: it does not.
    """
    hard = mask > _MASK_HALF
    if not hard.any() or hard.all():
        what = "everything" if hard.all() else "nothing"
        told = Sentence(f"{name} selects {what}", "selects_nothing")
        raise UsageError(told, "paint the object white on black")


def is_inverted(mask: np.ndarray) -> bool:
    """Tells whether a mask looks inverted: selected all along the border, and not in a part inside."""
    hard = mask > _MASK_HALF
    border = np.concatenate((hard[0], hard[-1], hard[:, 0], hard[:, -1]))
    return bool(border.mean() >= _BORDER_SHARE and hard.mean() > _MASK_HALF)
