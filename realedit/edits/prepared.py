"""An edit of one photo, read, planned and checked: what is wrong with it is told before any work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from realedit.edits.edit import Edit, givens
from realedit.edits.plan import EditStep, Plan
from realedit.errors import UsageError
from realedit.location import Box
from realedit.photo import Photo
from realedit.photo.inputs import PhotoLike, as_mask, as_photo


@dataclass(frozen=True)
class Shown:
    """Where the user shows an object; at most one is not None.

    Args:
        mask: float32 ``[H, W]`` in [0, 1] at the photo's size.
        box: (x0, y0, x1, y1) in [0, 1].
        point: (x, y) in [0, 1], on the object.

    Raises:
        UsageError: more than one is given.
    """

    mask: np.ndarray | None = None
    box: Box | None = None
    point: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if sum(what is not None for what in (self.mask, self.box, self.point)) > 1:
            raise UsageError("give one of mask, box and point, not several")

    def __bool__(self) -> bool:
        return any(what is not None for what in (self.mask, self.box, self.point))

    @classmethod
    def read(
        cls,
        photo: Photo,
        *,
        mask: np.ndarray | PhotoLike | None = None,
        box: Box | None = None,
        point: tuple[float, float] | None = None,
    ) -> Shown:
        """What is shown of a photo, the mask read if it is a file.

        Raises:
            PhotoError: the mask cannot be read.
            UsageError: it does not fit the photo, or more than one is given.
        """
        named = isinstance(mask, str | os.PathLike)
        name = f"the mask {mask}" if named else "the mask"
        return cls(None if mask is None else as_mask(mask, photo, name), box, point)


@dataclass(frozen=True)
class Prepared:
    """A plan for one photo, with everything read that it names.

    Args:
        photo: what is edited.
        plan: what is done to it, as it was asked for.
        steps: the plan's, with other photos and outlines read.
        shown: where the user shows an object.
    """

    photo: Photo
    plan: Plan
    steps: tuple[EditStep, ...]
    shown: Shown


def prepare(photo: Photo, planned: Plan, shown: Shown) -> Prepared:
    """Read the pictures that a plan names.

    Raises:
        PhotoError: a file cannot be read.
        UsageError: an outline has another size than the photo, or shows nothing, or everything.
    """
    return Prepared(photo, planned, tuple(_read(step, photo) for step in planned.steps), shown)


def named_files(edit: Edit) -> Mapping[str, str | os.PathLike[str]]:
    """The files that an edit names, by its fields."""
    values = {
        field.name: getattr(edit, field.name) for field, about in givens(type(edit)).items() if about.picture
    }
    return {name: file for name, file in values.items() if isinstance(file, str | os.PathLike)}


def _read(step: EditStep, photo: Photo) -> EditStep:
    if not isinstance(step, Edit):
        return step
    read: dict[str, Any] = {}
    for field, about in givens(type(step)).items():
        value = getattr(step, field.name)
        if about.picture == "photo" and value is not None:
            read[field.name] = as_photo(value)
        elif about.picture == "outline" and value is not None:
            named = isinstance(value, str | os.PathLike)
            read[field.name] = as_mask(value, photo, f"the outline {value}" if named else "the outline")
    return replace(step, **read)
