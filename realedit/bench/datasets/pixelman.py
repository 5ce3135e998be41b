"""PixelMan's two data sets of moves (Jiang et al. 2025, arXiv 2412.14283): COCOEE and ReS.

COCOEE: ``COCOEE_dataset.json`` beside ``COCOEE_images/`` and ``COCOEE_masks/``. ReS: ``ReS_dataset.json``
beside its pictures and masks. An entry has ``original_image_path``, ``mask_path``, ``max_resolution``,
``prompt``, ``words`` and ``selected_points``: where the object is taken and where it is put, (x, y) in pixels
of the picture once its shorter side is ``max_resolution`` (the longer one cut to a whole number).

ReS has each scene twice, before (``pN_1``) and after (``pN_2``) the object was moved by hand: where the other
picture is there in the same size, it is the truth. Its masks are smaller than its pictures. COCOEE has no
truth.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field

from realedit.bench.case import Case, same_shape
from realedit.bench.datasets.lines import checked, checked_id, file_in, read_mapping
from realedit.bench.edit_spec import EditSpec
from realedit.errors import PhotoError, UsageError

COCOEE, RES = "COCOEE_dataset.json", "ReS_dataset.json"
_ORIENTATION, _SIDEWAYS = 274, frozenset({5, 6, 7, 8})
"""Exif's tag for a picture's orientation, and its values that swap the sides. Set by Exif."""
_TWIN = {"1": "2", "2": "1"}
_NAME = re.compile(r"(p\d+)_([12])")

Point = Annotated[list[float], Field(min_length=2, max_length=2)]


class _Entry(BaseModel):
    # others' format: keys that later versions of it add are not ours to refuse
    model_config = ConfigDict(extra="ignore", frozen=True)

    original_image_path: str
    mask_path: str
    max_resolution: Annotated[int, Field(gt=0)]
    prompt: str
    words: list[str]
    selected_points: Annotated[list[Point], Field(min_length=2, max_length=2)]


def load_cocoee(folder: Path) -> list[Case]:
    """Reads the cases of a folder with :data:`COCOEE`.

    Raises:
        UsageError: an entry is not as above.
        PhotoError: a picture is missing or broken.
    """
    return _load(folder, COCOEE, folder / "COCOEE_images", folder / "COCOEE_masks")


def load_res(folder: Path) -> list[Case]:
    """Reads the cases of a folder with :data:`RES`; raises as :func:`load_cocoee`."""
    return _load(folder, RES, folder, folder)


def _load(folder: Path, name: str, pictures: Path, masks: Path) -> list[Case]:
    seen: set[str] = set()
    cases = []
    for where, key, value in read_mapping(folder / name):
        entry = checked(where, value, _Entry)
        photo = file_in(where, pictures, entry.original_image_path)
        truth, truth_mask = _twin(photo, masks) if name == RES else (None, None)
        cases.append(
            Case(
                checked_id(where, key, seen),
                photo,
                entry.prompt,
                " ".join(entry.words) or None,
                _move(where, photo, entry),
                file_in(where, masks, entry.mask_path),
                truth,
                truth_mask,
                scene=_scene(photo) if name == RES else None,
            )
        )
    return cases


def _move(where: str, photo: Path, entry: _Entry) -> EditSpec:
    width, height = _size(photo)
    factor = entry.max_resolution / min(width, height)
    (x0, y0), (x1, y1) = entry.selected_points
    dx, dy = (x1 - x0) / int(width * factor), (y1 - y0) / int(height * factor)
    if not (-1 <= dx <= 1 and -1 <= dy <= 1):
        raise UsageError(f"{where}: selected_points lead out of the picture", "check max_resolution")
    return EditSpec("move", dx, dy)


def _size(path: Path) -> tuple[int, int]:
    """Returns width and height of a picture as it is meant to be seen."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            sideways = image.getexif().get(_ORIENTATION) in _SIDEWAYS
    except (OSError, UnidentifiedImageError) as error:
        raise PhotoError(f"{path} is not a picture that can be read", "check the data set") from error
    return (height, width) if sideways else (width, height)


def _scene(photo: Path) -> str | None:
    """Returns the scene's name, which a picture before the move shares with the one after it."""
    match = _NAME.fullmatch(photo.stem)
    return None if match is None else match[1]


def _twin(photo: Path, masks: Path) -> tuple[Path | None, Path | None]:
    """Returns the same scene with the object at its other place, and its mask there."""
    match = _NAME.fullmatch(photo.stem)
    if match is None:
        return None, None
    stem = f"{match[1]}_{_TWIN[match[2]]}"
    truth, mask = photo.with_name(stem + photo.suffix), masks / f"{stem}_mask.png"
    if not truth.is_file() or _size(truth) != _size(photo):
        return None, None
    return truth, mask if mask.is_file() and same_shape(_size(mask), _size(photo)) else None
