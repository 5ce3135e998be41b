"""An edit of one photo: planned, checked, and its files read, so that errors come before any work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from realedit.edits.edit import Edit, givens
from realedit.edits.plan import EditStep, Plan
from realedit.errors import UsageError
from realedit.location import Box
from realedit.photo import Photo
from realedit.photo.inputs import PhotoLike, as_mask, as_photo


@dataclass(frozen=True)
class Shown:
    """Where the user shows an object: at most one field is not None.

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
        """Returns what is shown of a photo, with the mask read if it is a file.

        Args:
            photo: the photo.
            mask: ``[H, W]`` at the photo's size, white where the object is.
            box: (x0, y0, x1, y1) in [0, 1].
            point: (x, y) in [0, 1], on the object.

        Raises:
            PhotoError: the mask cannot be read.
            UsageError: the mask does not fit the photo, or more than one of the three is given.
        """
        named = isinstance(mask, str | os.PathLike)
        name = f"the mask {mask}" if named else "the mask"
        return cls(None if mask is None else as_mask(mask, photo, name), box, point)


@dataclass(frozen=True)
class Prepared:
    """A plan for one photo, with every file read that it names.

    Args:
        photo: the photo to edit.
        plan: what is done to it, as it was asked for.
        steps: the plan's steps, with other photos and outlines read.
        shown: where the user shows an object.
    """

    photo: Photo
    plan: Plan
    steps: tuple[EditStep, ...]
    shown: Shown


def prepare(photo: Photo, planned: Plan, shown: Shown) -> Prepared:
    """Reads the pictures that a plan names.

    Raises:
        PhotoError: a file cannot be read.
        UsageError: an outline has another size than the photo, or shows nothing, or everything.
    """
    return Prepared(photo, planned, tuple(_read(step, photo) for step in planned.steps), shown)


def named_files(edit: Edit) -> Mapping[str, str | os.PathLike[str]]:
    """Returns the files that an edit names, by its fields."""
    found: dict[str, str | os.PathLike[str]] = {}
    for field, about in givens(type(edit)).items():
        value = getattr(edit, field.name)
        if about.picture and isinstance(value, str | os.PathLike):
            found[field.name] = cast("str | os.PathLike[str]", value)
    return found


def _read(step: EditStep, photo: Photo) -> EditStep:
    """Returns a step with its pictures read."""
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
