"""A case: a photo, an object in it, an edit of that object, and the truth where it is known."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realedit.bench.edit_spec import EditSpec
from realedit.bench.run_lengths import RunLengths
from realedit.errors import PhotoError
from realedit.photo.photo import load_photo


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
    """A case with its pictures: uint8 ``[H, W, 3]`` and bool ``[H, W]``, all of the photo's size."""

    case: Case
    photo: np.ndarray
    mask: np.ndarray | None
    truth: np.ndarray | None
    truth_mask: np.ndarray | None

    @classmethod
    def of(cls, case: Case) -> LoadedCase:
        """Reads a case's pictures.

        Raises:
            PhotoError: a file cannot be read, or two of them differ in size.
        """
        photo = load_photo(case.photo).rgb
        mask = case.mask.decode() if isinstance(case.mask, RunLengths) else _mask(case.mask)
        truth = None if case.truth is None else load_photo(case.truth).rgb
        loaded = cls(case, photo, mask, truth, _mask(case.truth_mask))
        for name, array in (("mask", mask), ("truth", truth), ("truth_mask", loaded.truth_mask)):
            if array is not None and array.shape[:2] != photo.shape[:2]:
                h, w = array.shape[:2]
                raise PhotoError(
                    f"case {case.id}: its {name} has {w} x {h} pixels, "
                    f"its photo {photo.shape[1]} x {photo.shape[0]}",
                    "save both at the photo's size",
                )
        return loaded


def _mask(path: Path | None) -> np.ndarray | None:
    return None if path is None else load_photo(path).rgb.max(-1) > 127


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PhotoError(
            f"{path} cannot be read ({error.strerror or error})", "check the data set"
        ) from error
