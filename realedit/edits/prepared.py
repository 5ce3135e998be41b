"""An edit of one photo: planned, checked, and its files read, so that errors come before any work."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np

from realedit.edits.edit import OBJECTS, Edit, givens
from realedit.edits.plan import EditStep, Plan
from realedit.errors import UsageError
from realedit.location import Box, Point
from realedit.photo import Photo
from realedit.photo.inputs import PhotoLike, as_mask, as_photo, told_mask

Points = Point | Sequence[Point] | np.ndarray
"""One point (x, y) in [0, 1], or several."""


@dataclass(frozen=True)
class Shown:
    """Where the user shows an object: by a mask, or by a box and points together.

    Args:
        mask: float32 ``[H, W]`` in [0, 1] at the photo's size.
        box: (x0, y0, x1, y1) in [0, 1].
        points: (x, y) in [0, 1], each on the object.
        not_points: (x, y) in [0, 1], each not on it.
        refine: whether the mask's edge is brought to the photo's; None: where the mask is rough.
        told: what was made of the mask that the user should know.

    Raises:
        UsageError: a mask is given with a box or points, or points off the object alone.
    """

    mask: np.ndarray | None = None
    box: Box | None = None
    points: tuple[Point, ...] = ()
    not_points: tuple[Point, ...] = ()
    refine: bool | None = None
    told: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mask is not None and (self.box is not None or self.points or self.not_points):
            raise UsageError("a mask contradicts a box or a point", "give the mask, or a box and points")
        if self.not_points and not self:
            raise UsageError("points off the object do not show it", "add a point on it, or a box about it")

    def __bool__(self) -> bool:
        return self.mask is not None or self.box is not None or bool(self.points)

    @classmethod
    def read(
        cls,
        photo: Photo,
        *,
        mask: np.ndarray | PhotoLike | None = None,
        box: Box | None = None,
        point: Points | None = None,
        not_point: Points | None = None,
        refine: bool | None = None,
    ) -> Shown:
        """Returns what is shown of a photo, with the mask read if it is a file.

        Args:
            photo: the photo.
            mask: ``[H, W]`` at the photo's size, white where the object is.
            box: (x0, y0, x1, y1) in [0, 1].
            point: (x, y) in [0, 1], on the object, or several.
            not_point: (x, y) in [0, 1], not on the object, or several.
            refine: whether the mask's edge is brought to the photo's; None: where the mask is rough.

        Raises:
            PhotoError: the mask cannot be read.
            UsageError: the mask does not fit the photo, or they contradict each other.
        """
        named = isinstance(mask, str | os.PathLike)
        name = f"the mask {mask}" if named else "the mask"
        read, told = (None, ()) if mask is None else told_mask(mask, photo, name)
        return cls(read, box, points_of(point), points_of(not_point), refine, told)


def points_of(given: Points | None) -> tuple[Point, ...]:
    """Returns points as a tuple, whether one (x, y) is given, several, or none.

    Raises:
        UsageError: they are no points.
    """
    if given is None:
        return ()
    try:
        values = np.asarray(given, dtype=np.float64)
        values = values.reshape(-1, 2) if values.shape in ((2,), (0,)) else values
        rows, two = values.shape
    except (TypeError, ValueError):  # of uneven lengths, no numbers, or not two of them each
        rows, two, values = 0, 0, np.zeros((0, 2))
    if two != 2:
        raise UsageError(f"a point is x,y, or a list of them, got {given}")
    return tuple((float(values[row, 0]), float(values[row, 1])) for row in range(rows))


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

    def meaning(self, meant: Callable[[str], str]) -> Prepared:
        """Returns the same with other words for the objects: "mug" for "mugs". What was asked for stays.

        Args:
            meant: from an object's words to those that the models know it by.
        """
        word = self.plan.shown_word
        planned = replace(self.plan, shown_word=None if word is None else meant(word))
        return replace(self, plan=planned, steps=tuple(_meaning(step, meant) for step in self.steps))


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


def _meaning(step: EditStep, meant: Callable[[str], str]) -> EditStep:
    said = {f.name: getattr(step, f.name) for f in fields(step) if f.name in OBJECTS}
    changed = {name: meant(words) for name, words in said.items() if words}
    return replace(step, **changed)


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
