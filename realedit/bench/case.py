"""A case: a photo, an object in it, an edit of that object, and the truth where it is known."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import cv2
import numpy as np

from realedit.bench.edit_spec import EditSpec
from realedit.bench.run_lengths import RunLengths
from realedit.errors import PhotoError
from realedit.photo.formats import MOST_FILE_BYTES
from realedit.photo.photo import load_photo
from realedit.system.outside_json import read_at_most


@dataclass(frozen=True)
class Case:
    """One case as its data set describes it; its pictures are still files.

    Args:
        id: unique in its data set; letters, digits, ``-``, ``_`` and ``.``.
        photo: file.
        prompt: what the photo shows.
        object: the object's word, or None where the data set names none.
        edit: what is asked for.
        mask: the object in the photo (PIE-Bench: where the edit may change it), white on black.
        truth: the photo as it truly looks after the edit.
        truth_mask: the object in the truth.
        colour: the object's colour.
        category: the data set's own class of edit.
        scene: what it shows, where several photos of the data set show the same; None for the photo alone.
    """

    id: str
    photo: Path
    prompt: str
    object: str | None
    edit: EditSpec
    mask: Path | RunLengths | None = None
    truth: Path | None = None
    truth_mask: Path | None = None
    colour: str | None = None
    category: str | None = None
    scene: str | None = None

    @property
    def shows(self) -> str:
        """What cases that show the same have in common: the scene's name, or the photo's."""
        return self.scene or self.photo.name

    def digest(self) -> str:
        """Returns the SHA-256, in hexadecimal, of what the case says and the bytes of its files.

        Raises:
            PhotoError: a file cannot be read.
        """
        said = [self.id, self.prompt, self.object, self.edit.fields(), self.colour]
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
        for source in (self.photo, self.mask, self.truth, self.truth_mask):
            digest.update(b"\0")
            if isinstance(source, RunLengths):
                digest.update(repr(source).encode())
            elif source is not None:
                digest.update(_bytes(source))
        return digest.hexdigest()


@dataclass(frozen=True)
class LoadedCase:
    """A case with its pictures: uint8 ``[H, W, 3]`` and bool ``[H, W]``, all of one size."""

    case: Case
    photo: np.ndarray
    mask: np.ndarray | None
    truth: np.ndarray | None
    truth_mask: np.ndarray | None

    @classmethod
    def of(cls, case: Case, side: int | None = None) -> LoadedCase:
        """Reads a case's pictures; a mask of the photo's shape in another size is brought to the photo's.

        Args:
            case: the case.
            side: pixels of the longer side that larger pictures are scaled down to; None for their own size.

        Raises:
            PhotoError: a file cannot be read, or two of them differ in size or shape.
        """
        photo = load_photo(case.photo).rgb
        truth = None if case.truth is None else load_photo(case.truth).rgb
        if truth is not None and truth.shape != photo.shape:
            raise _differs(case, "truth", truth, photo)
        masks: list[np.ndarray | None] = []
        for name, source in (("mask", case.mask), ("truth_mask", case.truth_mask)):
            mask = source.decode() if isinstance(source, RunLengths) else _mask(source)
            if mask is not None and not same_shape(mask.shape[:2], photo.shape[:2]):
                raise _differs(case, name, mask, photo)
            masks.append(mask)
        size = _scaled(photo.shape[:2], side)
        mask, truth_mask = (None if one is None else _mask_at(one, size) for one in masks)
        return cls(case, _picture_at(photo, size), mask, _picture_at(truth, size), truth_mask)


def same_shape(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Tells whether two (height, width) are one shape at two scales, to a pixel of the smaller."""
    (h, w), (height, width) = sorted((size, other))
    return abs(height * w / width - h) < 1 or abs(width * h / height - w) < 1


def _scaled(size: tuple[int, int], side: int | None) -> tuple[int, int]:
    """Returns (height, width) with the longer side at most ``side``."""
    factor = 1.0 if side is None else min(1.0, side / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


@overload
def _picture_at(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray: ...
@overload
def _picture_at(picture: np.ndarray | None, size: tuple[int, int]) -> np.ndarray | None: ...
def _picture_at(picture: np.ndarray | None, size: tuple[int, int]) -> np.ndarray | None:
    """Scales a picture down to (height, width) by the mean of what a pixel covers."""
    if picture is None or picture.shape[:2] == size:
        return picture
    return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)


def _mask_at(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scales a mask; a pixel is the object's where it covers more than half of it."""
    if mask.shape == size:
        return mask
    smaller = size[0] * size[1] < mask.size
    kind = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(mask.astype(np.float32), size[::-1], interpolation=kind) > 0.5


def _differs(case: Case, name: str, array: np.ndarray, photo: np.ndarray) -> PhotoError:
    h, w = array.shape[:2]
    return PhotoError(
        f"case {case.id}: its {name} has {w} x {h} pixels, its photo {photo.shape[1]} x {photo.shape[0]}",
        "save both at the photo's size",
    )


def _mask(path: Path | None) -> np.ndarray | None:
    return None if path is None else load_photo(path).rgb.max(-1) > 127


def _bytes(path: Path) -> bytes:
    try:
        return read_at_most(path, MOST_FILE_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise PhotoError(f"{path} cannot be read ({reason or error})", "check the data set") from error
