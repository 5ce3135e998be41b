"""Takes the photos and masks that a caller hands in, in any of their forms."""

from __future__ import annotations

import os

import numpy as np

from realedit.errors import PhotoError, Sentence
from realedit.photo.in_memory import InMemory
from realedit.photo.mask_values import check_selects, drawn_mask, is_inverted, lightness, to_size
from realedit.photo.photo import Photo, load_photo

PhotoLike = Photo | str | os.PathLike[str] | InMemory
_MOST_RATIO = 32
"""Longer over shorter side of a photo: narrower photos are refused, since at the size at which holes are
filled nothing is left of their shorter side; others are taken. Up to 64 was tried."""
_LEAST_SIDE_PIXELS = 16
"""Shorter side of a photo in pixels: smaller photos are refused, since nothing can be told apart in them;
others are taken. Set by eye."""


def as_photo(photo: PhotoLike) -> Photo:
    """Loads a photo unless it is loaded already.

    Raises:
        PhotoError: it cannot be read, or is too small or too narrow to find anything in it.
    """
    loaded = _loaded(photo)
    if min(loaded.size) < _LEAST_SIDE_PIXELS:
        name = "the photo" if loaded.source is None else loaded.source.name
        told = f"{name} is {loaded.width} x {loaded.height} pixels, too small to find anything in"
        raise PhotoError(
            Sentence(told, "too_small"),
            f"use one of {_LEAST_SIDE_PIXELS} x {_LEAST_SIDE_PIXELS} or more",
        )
    if max(loaded.size) > _MOST_RATIO * min(loaded.size):
        name = "the photo" if loaded.source is None else loaded.source.name
        size = f"{loaded.width} x {loaded.height} pixels"
        raise PhotoError(f"{name} is {size}, more than {_MOST_RATIO} times as long as wide", "crop it")
    return loaded


def _loaded(photo: PhotoLike) -> Photo:
    return photo if isinstance(photo, Photo) else load_photo(photo)


def as_mask(mask: np.ndarray | PhotoLike, photo: Photo, name: str = "the mask") -> np.ndarray:
    """Returns a mask as float32 ``[H, W]`` in [0, 1], 1 where it is white; see :func:`told_mask`."""
    return told_mask(mask, photo, name)[0]


def told_mask(
    mask: np.ndarray | PhotoLike, photo: Photo, name: str = "the mask"
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns a mask as float32 ``[H, W]`` in [0, 1], and what was made of it that the user should know.

    It is 1 where the picture is white, or where it is opaque if some of it is not: cut-outs and the masks of
    several programs are drawn in the alpha channel. A mask of another size and the same ratio is scaled.

    Args:
        mask: ``[H, W]`` of any numeric type, or a picture in any form that :func:`as_photo` takes.
        photo: the photo that it belongs to.
        name: what errors call it.

    Raises:
        PhotoError: it cannot be read.
        UsageError: its ratio is not the photo's, it selects nothing or everything, or it is a photo.
    """
    values, told = _values(mask, name)
    fitted = to_size(values, photo.size, name)
    if fitted is not values:
        sizes = f"{values.shape[1]} x {values.shape[0]} to {photo.width} x {photo.height}"
        told = (*told, f"{name} was scaled from {sizes} pixels, the photo's size")
    check_selects(fitted, name)
    if is_inverted(fitted):
        told = (
            *told,
            f"{name} selects all but a part inside: what is white is edited; if it is drawn the other way "
            "round, invert it",
        )
    return fitted, told


def _values(mask: np.ndarray | PhotoLike, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns a mask at its own size, and what was made of it.

    Raises:
        PhotoError: it cannot be read.
        UsageError: it is a photo.
    """
    if isinstance(mask, np.ndarray):
        return lightness(mask), ()  # it may hold a network's probabilities
    drawn = _loaded(mask)
    if drawn.native.alpha is not None and not drawn.native.opaque():
        alpha = drawn.native.alpha
        share = (alpha / np.iinfo(alpha.dtype).max).astype(np.float32)
        return share, (f"{name} is read from its transparency: what is opaque is selected",)
    return drawn_mask(drawn.rgb, name)
