"""What a caller may hand in: a photo in any of its forms, a region that shows the object."""

from __future__ import annotations

import os

import numpy as np
from PIL import Image

from realedit.errors import PhotoError, UsageError
from realedit.photo.photo import Photo, load_photo

PhotoLike = Photo | str | os.PathLike[str] | Image.Image | np.ndarray
LEAST = 16
"""Pixels on a side below which nothing in a photo can be told apart."""


def as_photo(photo: PhotoLike) -> Photo:
    """Load a photo that is to be looked at, unless it is loaded already.

    Raises:
        PhotoError: it cannot be read, or is too small for anything to be found in it.
    """
    loaded = _loaded(photo)
    if min(loaded.size) < LEAST:
        name = "the photo" if loaded.source is None else loaded.source.name
        raise PhotoError(
            f"{name} is {loaded.width} x {loaded.height} pixels, too small to find anything in",
            f"use one of {LEAST} x {LEAST} or more",
        )
    return loaded


def _loaded(photo: PhotoLike) -> Photo:
    return photo if isinstance(photo, Photo) else load_photo(photo)


_BETWEEN = 0.5
"""Share of a mask file's pixels between black and white from which on it is no mask but a photo."""


def as_mask(mask: np.ndarray | PhotoLike, photo: Photo, name: str = "the mask") -> np.ndarray:
    """A mask as float32 ``[H, W]`` in [0, 1], 1 where it is white.

    Args:
        mask: ``[H, W]`` of any numeric type, or a picture in any form that :func:`as_photo` takes.
        photo: what it is a mask of.
        name: what errors call it.

    Raises:
        PhotoError: it cannot be read.
        UsageError: its size is not the photo's, nothing (or everything) is in it, or it is a picture of
            another kind: most of it is neither black nor white.
    """
    array = mask if isinstance(mask, np.ndarray) else _loaded(mask).rgb
    if array.shape[:2] != photo.rgb.shape[:2]:
        sizes = f"{array.shape[1]} x {array.shape[0]} but the photo is {photo.width} x {photo.height}"
        raise UsageError(f"{name} is {sizes}", "draw it at the photo's size")
    grey = array if array.ndim == 2 else array[..., :3].max(-1)
    alpha = grey.astype(np.float32) / (255 if grey.dtype == np.uint8 and grey.max() > 1 else 1)
    hard = alpha > 0.5
    if not hard.any() or hard.all():
        what = "everything" if hard.all() else "nothing"
        raise UsageError(f"{name} selects {what}", "paint the object white on black")
    # an array may be a network's probabilities; a file is drawn
    if array is not mask and ((alpha > 0.1) & (alpha < 0.9)).mean() > _BETWEEN:
        raise UsageError(f"most of {name} is neither black nor white", "paint the object white on black")
    return alpha
