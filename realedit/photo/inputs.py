"""Takes the photos and masks that a caller hands in, in any of their forms."""

from __future__ import annotations

import os

import numpy as np

from realedit.errors import PhotoError, UsageError
from realedit.photo.in_memory import InMemory
from realedit.photo.photo import Photo, load_photo

PhotoLike = Photo | str | os.PathLike[str] | InMemory
_LEAST_SIDE_PIXELS = 16
"""Shorter side of a photo in pixels: smaller photos are refused, since nothing can be told apart in them;
others are taken. Set by eye."""
_MASK_HALF = 0.5
"""Share of white in [0, 1]: above it a mask's pixel is selected, up to it is not. Set by definition."""
_BLACK_SHARE, _WHITE_SHARE = 0.1, 0.9
"""Shares of white in [0, 1]: between the two a mask's pixel counts as grey, outside them as black or white.
Not measured."""
_MOST_GREY = 0.5
"""Share of a mask file's pixels that are grey: above it the file is refused as a photo, up to it is a mask.
Not measured."""


def as_photo(photo: PhotoLike) -> Photo:
    """Loads a photo unless it is loaded already.

    Raises:
        PhotoError: it cannot be read, or is too small to find anything in it.
    """
    loaded = _loaded(photo)
    if min(loaded.size) < _LEAST_SIDE_PIXELS:
        name = "the photo" if loaded.source is None else loaded.source.name
        raise PhotoError(
            f"{name} is {loaded.width} x {loaded.height} pixels, too small to find anything in",
            f"use one of {_LEAST_SIDE_PIXELS} x {_LEAST_SIDE_PIXELS} or more",
        )
    return loaded


def _loaded(photo: PhotoLike) -> Photo:
    return photo if isinstance(photo, Photo) else load_photo(photo)


def as_mask(mask: np.ndarray | PhotoLike, photo: Photo, name: str = "the mask") -> np.ndarray:
    """Returns a mask as float32 ``[H, W]`` in [0, 1], 1 where it is white.

    Args:
        mask: ``[H, W]`` of any numeric type, or a picture in any form that :func:`as_photo` takes.
        photo: the photo that it belongs to.
        name: what errors call it.

    Raises:
        PhotoError: it cannot be read.
        UsageError: its size is not the photo's, it selects nothing or everything, or most of it is grey: it
            is a photo, not a mask.
    """
    array = mask if isinstance(mask, np.ndarray) else _loaded(mask).rgb
    if array.shape[:2] != photo.rgb.shape[:2]:
        sizes = f"{array.shape[1]} x {array.shape[0]} but the photo is {photo.width} x {photo.height}"
        raise UsageError(f"{name} is {sizes}", "draw it at the photo's size")
    grey = array if array.ndim == 2 else array[..., :3].max(-1)
    alpha = grey.astype(np.float32) / (255 if grey.dtype == np.uint8 and grey.max() > 1 else 1)
    hard = alpha > _MASK_HALF
    if not hard.any() or hard.all():
        what = "everything" if hard.all() else "nothing"
        raise UsageError(f"{name} selects {what}", "paint the object white on black")
    # an array may hold a network's probabilities, but a file is drawn
    if array is not mask and ((alpha > _BLACK_SHARE) & (alpha < _WHITE_SHARE)).mean() > _MOST_GREY:
        raise UsageError(f"most of {name} is neither black nor white", "paint the object white on black")
    return alpha
