"""What can be asked of the server, as JSON has it; unknown keys are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from realedit.edits.edit import Edit, givens
from realedit.edits.entries import read_entries
from realedit.edits.plan import Plan, plan
from realedit.edits.prepared import Prepared, Shown, points_of, prepare
from realedit.edits.recipe import RecipeOptions
from realedit.errors import UsageError
from realedit.location import Box
from realedit.photo import Photo
from realedit.photo.encode import Compression
from realedit.settings import LARGEST_STRENGTH

Fraction = float
"""A share of the photo's width or height, in [0, 1]."""
Opened = Callable[[str], tuple[Photo, str]]
"""Returns a picture of the session, and its name, by the reference that a request has of it."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Shows(_Request):
    """Where an object is: by a mask, or by a box and points together."""

    photo: str | None = Field(
        default=None, description="the photo's id; left out where the photo comes with this request"
    )
    mask: str | None = Field(
        default=None,
        description="id of a picture of the photo's size, or the name of the part that is one, white where "
        "the object is",
    )
    box: tuple[Fraction, Fraction, Fraction, Fraction] | None = Field(
        default=None, description="x0, y0, x1, y1: a box around the object, in fractions of width and height"
    )
    point: list[tuple[Fraction, Fraction]] = Field(
        default=[], description="points on the object: [x, y] each, in fractions of width and height"
    )
    not_point: list[tuple[Fraction, Fraction]] = Field(
        default=[], description="points that are not on the object"
    )
    refine: bool | None = Field(
        default=None, description="whether the mask's edge is brought to the photo's; null: where it is rough"
    )
    prompt: str | None = Field(default=None, max_length=1000, description="what the photo shows")
    min_confidence: float = Field(
        default=0.0, ge=0, le=1, description="refuse what is found with less confidence"
    )

    def shown(self, photo: Photo, opened: Opened) -> Shown:
        """Returns where the object is.

        Raises:
            PhotoError: the mask cannot be read.
            UsageError: they contradict each other, or a place is not in the photo.
        """
        _check_places(self.box, [*self.point, *self.not_point])
        mask = None if self.mask is None else opened(self.mask)[0]
        return Shown.read(
            photo,
            mask=mask,
            box=self.box,
            point=self.point or None,
            not_point=self.not_point or None,
            refine=self.refine,
        )

    @property
    def shows(self) -> bool:
        """Whether it shows an object."""
        return bool(self.mask or self.box or self.point)


class LocateRequest(_Shows):
    """Asks where an object is."""

    word: str | None = Field(default=None, max_length=200, description="the object's name")
    also: list[Literal["cutout", "overlay"]] = Field(
        default=[],
        description="further files: the object with transparent surroundings, the photo with it outlined",
    )
    preview: bool = Field(
        default=False,
        description="also tell, as further events, the object's own pixels and the photo without it, at "
        "screen size",
    )


class CutoutRequest(_Shows):
    """Asks for an object with transparent surroundings, as a PNG file."""

    word: str | None = Field(default=None, max_length=200, description="the object's name")
    crop: bool = Field(default=False, description="only its box, not the whole frame")
    mask_only: bool = Field(
        default=False, description="its mask instead: white where the object is, grey at a soft edge"
    )
    background: tuple[int, int, int] | None = Field(
        default=None, description="red, green and blue, 0..255, that it is laid on; null: transparent"
    )


class OutlineRequest(_Request):
    """Asks what is under the pointer, roughly and at once."""

    point: list[tuple[Fraction, Fraction]] = Field(min_length=1, max_length=64)
    not_point: list[tuple[Fraction, Fraction]] = Field(default=[], max_length=64)

    def points(self) -> tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]:
        """Returns the points on the object and those beside it.

        Raises:
            UsageError: one is not in the photo.
        """
        _check_places(None, [*self.point, *self.not_point])
        return points_of(self.point), points_of(self.not_point)


class EditRequest(_Shows):
    """Asks for an edit of a photo: the same as a recipe, with pictures by their ids or parts."""

    edits: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=64,
        description='what is done, in its order: {"move": "mug", "dx": 0.2}; realedit schema prints all '
        "forms. In the place of a file's name there is a picture's id, or the name of the part that is one.",
    )
    allow_crop: bool = Field(default=False, description="whether part of an object may leave the photo")
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="the same seed gives the same picture")
    strength: float | None = Field(
        default=None,
        ge=0,
        le=LARGEST_STRENGTH,
        description="how much the model redraws; null: the model's own",
    )
    steps: int | None = Field(default=None, ge=2, le=1000, description="steps of the model")
    inversion: str | None = Field(default=None, description="how the photo is turned into the model's noise")
    guidance_scale: float | None = Field(default=None, ge=0, le=1000, description="scale of the replay")
    inversion_scale: float | None = Field(default=None, ge=0, le=1000, description="scale of the inversion")
    settings: dict[str, Any] | None = Field(default=None, description="the knobs of an edit, see Settings")
    quality: int | None = Field(default=None, ge=1, le=100, description="of a file with loss")
    lossless: bool = Field(default=False, description="write the file without loss")
    format: str | None = Field(
        default=None,
        max_length=8,
        description="suffix of the edited photo's file; by default the photo's own",
    )

    def read(self) -> list[Edit]:
        """Returns the edits, with pictures still by reference.

        Raises:
            UsageError: an entry is no edit.
        """
        return read_entries(self.edits)

    def planned(self) -> Plan:
        """Returns the plan, for what is wrong with it.

        Raises:
            UsageError: there is something.
        """
        return plan(self.read(), shown=self.shows)

    def prepared(self, photo: Photo, opened: Opened) -> Prepared:
        """Returns the edit of a photo, with every picture in it.

        Args:
            photo: the photo.
            opened: reads a picture.

        Raises:
            PhotoError: a picture cannot be read.
            UsageError: something contradicts itself, or does not fit the photo.
        """
        edits = [_with_pictures(edit, lambda reference: opened(reference)[0]) for edit in self.read()]
        shown = self.shown(photo, opened)
        return prepare(photo, plan(edits, shown=bool(shown)), shown)

    def named(self, name_of: Callable[[str], str]) -> list[Edit]:
        """Returns the edits with the names of pictures in the place of references, as a recipe has them."""
        return [_with_pictures(edit, name_of) for edit in self.read()]

    def how(self) -> dict[str, Any]:
        """Returns the keywords of the inversion that are said."""
        said = {
            "method": self.inversion,
            "steps": self.steps,
            "guidance_scale": self.guidance_scale,
            "inversion_scale": self.inversion_scale,
        }
        return {name: value for name, value in said.items() if value is not None}

    def compression(self) -> Compression:
        """Returns what the file is to be.

        Raises:
            UsageError: it contradicts itself.
        """
        return Compression(self.quality, self.lossless)

    def options(self) -> RecipeOptions:
        """Returns the knobs, checked.

        Raises:
            UsageError: one is unknown or out of its range.
        """
        try:
            return RecipeOptions.model_validate({"settings": self.settings})
        except ValueError as error:
            raise UsageError(f"settings: {error}", "Settings says what they may be") from error


def _with_pictures(edit: Edit, picture: Callable[[str], Any]) -> Edit:
    """Returns an edit with its references to pictures replaced.

    What stands where a file's name is expected is only ever looked up among the session's pictures.
    """
    found: dict[str, Any] = {}
    for field, about in givens(type(edit)).items():
        value = getattr(edit, field.name)
        if about.picture and value is not None:
            found[field.name] = picture(str(value))
    return replace(edit, **found) if found else edit


def _check_places(box: Box | None, points: list[tuple[float, float]]) -> None:
    if box is not None and not (0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1):
        raise UsageError(f"expected x0 < x1 and y0 < y1, fractions from 0 to 1, got {list(box)}")
    for x, y in points:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise UsageError(f"expected x,y, fractions of width and height from 0 to 1, got {[x, y]}")
