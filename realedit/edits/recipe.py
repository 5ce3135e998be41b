"""A recipe: what it takes to make an edit again. It lies beside the edited photo; ``--edits`` reads it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_type_hints

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from realedit.edits.edit import MOST_TEXT_LETTERS, Edit
from realedit.edits.entries import FORMS_HINT, entries, entry_model, first_error, read_entries
from realedit.edits.kinds import KINDS
from realedit.edits.prepared import Shown
from realedit.errors import UsageError
from realedit.location import Point
from realedit.settings import Settings
from realedit.system.installation import distribution_version
from realedit.system.outside_json import read_json

_MOST_LATER = 256
"""Recipes that may follow in one file; more are refused. Not measured."""
PERSPECTIVE = "perspective_scale"
"""The name of the figure that says how many times as large perspective made an object."""
_VERSIONS_OF = ("realedit", "torch", "diffusers", "transformers")
"""Distributions whose versions a recipe records, because other versions may make another picture."""


def recipe(
    edits: Sequence[Edit],
    shown: Shown,
    settings: Settings,
    *,
    prompt: str,
    models: Mapping[str, str | None],
    working_size: int | None,
    how: Mapping[str, Any],
    seed: int,
    allow_crop: bool,
    perspective: Sequence[float | None] = (),
) -> dict[str, Any]:
    """Returns everything that decides an edit's picture except the photo; of a mask, only its digest.

    Args:
        edits: what was asked for.
        shown: where the user showed an object.
        settings: the knobs of the edit.
        prompt: the one of the first step's inversion, which holds that step's words.
        models: names by role, and the precision; see :meth:`realedit.engine.Engine.names`.
        working_size: side of the square whose area the model works at; None for the model's own.
        how: method, steps and scales of the inversion; see
            :attr:`realedit.inverted.inverted_photo.InvertedPhoto.how`.
        seed: seed of the noise.
        allow_crop: whether part of an object may leave the photo.
        perspective: how many times as large perspective made each step's object; None where it did not.
            A record for the reader: the horizon is found anew where the recipe is made again.
    """
    said = {
        "mask_sha256": None if shown.mask is None else mask_digest(shown.mask),
        "box": None if shown.box is None else [float(side) for side in shown.box],
        "point": _listed(shown.points),
        "not_point": _listed(shown.not_points),
        "refine": shown.refine,
        "inversion_scale": None if how["inversion_scale"] == 1 else how["inversion_scale"],
        PERSPECTIVE: list(perspective) if any(perspective) else None,
    }
    return {
        "edits": entries(edits),
        "prompt": prompt,
        **{name: value for name, value in said.items() if value is not None},
        "allow_crop": allow_crop,
        **models,
        "working_size": working_size,
        "inversion": how["method"],
        "steps": how["steps"],
        "guidance_scale": how["guidance_scale"],
        "seed": seed,
        "settings": asdict(settings),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Returns the versions of what decides a picture."""
    return {name: distribution_version(name) or "source" for name in _VERSIONS_OF}


def _listed(points: Sequence[Point]) -> list[Any] | None:
    """Returns one point as ``[x, y]``, several as a list of them, none as None."""
    listed = [list(point) for point in points]
    return listed[0] if len(listed) == 1 else listed or None


def mask_digest(mask: np.ndarray) -> str:
    """Returns the hexadecimal SHA-256 of the size and the 8-bit values of a mask ``[H, W]`` in [0, 1]."""
    levels = (mask * 255).round().clip(0, 255).astype(np.uint8)
    return hashlib.sha256(f"{mask.shape[1]}x{mask.shape[0]}:".encode() + levels.tobytes()).hexdigest()


_KNOBS: dict[str, Any] = {
    knob.name: (get_type_hints(Settings)[knob.name], knob.default) for knob in fields(Settings)
}
if TYPE_CHECKING:
    _Knobs = BaseModel
else:
    _Knobs = create_model(
        "_Knobs", __config__=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False), **_KNOBS
    )
_Fraction = Annotated[float, Field(ge=0, le=1)]
_Place = Annotated[list[_Fraction], Field(min_length=2, max_length=2)]


def _several(value: object) -> object:
    """Returns a list of places, also where one place alone is given."""
    if not isinstance(value, list):
        return value
    listed = cast("list[object]", value)
    return [listed] if listed and not isinstance(listed[0], list) else listed


_Places = Annotated[
    list[_Place],
    Field(min_length=1),
    BeforeValidator(_several, json_schema_input_type=_Place | Annotated[list[_Place], Field(min_length=1)]),
]
_Scale = Annotated[float, Field(ge=0, le=1000)]


class RecipeOptions(BaseModel):
    """What a file may say besides its edits: how they are made, unless a flag says otherwise.

    None means that the file does not say. Unknown keys are ignored, because a recipe also records what is not
    read again.
    """

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)
    prompt: str | None = Field(
        default=None, max_length=MOST_TEXT_LETTERS, description="what the photo shows: 'a mug on a table'"
    )
    box: list[_Fraction] | None = Field(
        default=None,
        min_length=4,
        max_length=4,
        description="x0, y0, x1, y1: a box around the object, in fractions of width and height",
    )
    point: _Places | None = Field(
        default=None,
        description="x, y: a point on the object, in fractions of width and height; or a list of them",
    )
    not_point: _Places | None = Field(
        default=None, description="x, y: a point that is not on the object; or a list of them"
    )
    refine: bool | None = Field(
        default=None,
        description="whether the mask's edge is brought to the photo's; null: where the mask is rough",
    )
    mask_sha256: str | None = Field(default=None, description="digest of the mask that showed the object")
    allow_crop: bool | None = Field(
        default=None, description="whether part of the object may leave the photo"
    )
    seed: int | None = Field(
        default=None, ge=0, le=2**63 - 1, description="the same seed gives the same picture"
    )
    steps: int | None = Field(default=None, ge=2, le=1000, description="steps of the model")
    inversion: str | None = Field(default=None, description="how the photo is turned into the model's noise")
    guidance_scale: _Scale | None = Field(
        default=None, description="guidance scale at which the inversion gives the photo back"
    )
    inversion_scale: _Scale | None = Field(
        default=None, description="guidance scale while the photo is inverted"
    )
    working_size: int | None = Field(
        default=None,
        ge=32,
        le=8192,
        description="side in pixels of the square whose area the model works at; null for the model's own",
    )
    knobs: _Knobs | None = Field(default=None, alias="settings", description="the knobs of an edit")
    model: str | None = Field(
        default=None, description="the model that made the picture; a warning says if another one is used"
    )
    dtype: str | None = Field(default=None, description="that model's precision; likewise")
    detector: str | None = Field(default=None, description="the model that found the objects; likewise")
    segmenter: str | None = Field(default=None, description="the model that cut them out; likewise")
    cutout: str | None = Field(default=None, description="what cut out points, boxes and words; likewise")
    inpainter: str | None = Field(default=None, description="the model that filled holes; likewise")

    @property
    def settings(self) -> Settings | None:
        """The knobs; those that the file does not name have their defaults. None if it names none."""
        return None if self.knobs is None else Settings(**self.knobs.model_dump())


@dataclass(frozen=True)
class EditsFile:
    """What a JSON file says.

    Args:
        edits: the edits in their order.
        options: how they are made.
        then: what is done to the edited photo after that, each with options of its own, so that each may have
            its own object shown.
    """

    edits: list[Edit]
    options: RecipeOptions
    then: tuple[EditsFile, ...] = ()


def read_file(file: Path) -> EditsFile:
    """Reads a JSON file: a list of entries, or an object whose "edits" is such a list, like a recipe.

    Raises:
        UsageError: the file cannot be read, or is not of that form.
    """
    try:
        data = read_json(file)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{file} is not JSON: {error}") from error
    return edits_in(data, str(file))


def edits_in(data: object, where: str) -> EditsFile:
    """Returns what JSON says: a list of entries, or an object whose "edits" is such a list, like a recipe.

    Args:
        data: the JSON.
        where: what errors call it.

    Raises:
        UsageError: it is not of that form.
    """
    recipe = _object(data).get("recipe", data)
    listed = _list(recipe) or _list(_object(recipe).get("edits"))
    if not listed or not all(isinstance(entry, dict) for entry in listed):
        raise UsageError(f"{where} holds no list of edits", FORMS_HINT)
    edits = read_entries([_object(entry) for entry in listed], where)
    try:
        options = RecipeOptions.model_validate(_object(recipe))
    except ValidationError as error:
        field, said = first_error(error)
        raise UsageError(f"{where}: {field}: {said}", "realedit schema prints what it may be") from error
    later = _list(_object(recipe).get("then"))
    if len(later) > _MOST_LATER:
        raise UsageError(
            f"{where}: then: at most {_MOST_LATER} more recipes", "do the rest with another file"
        )
    parts = [edits_in(one, f"{where}, then, number {number}") for number, one in enumerate(later, 1)]
    if any(part.then for part in parts):
        raise UsageError(f"{where}: a recipe of then has a then of its own", "put all of them into one list")
    return EditsFile(edits, options, tuple(parts))


def _object(value: object) -> Mapping[str, Any]:
    """Returns a JSON object; an empty one for any other value."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[object]:
    """Returns a JSON array; an empty one for any other value."""
    return cast("list[object]", value) if isinstance(value, list) else ()


def json_schema() -> dict[str, Any]:
    """Returns the schema of a file of edits (JSON Schema, draft 2020-12)."""
    union = reduce(lambda one, other: one | other, cast("list[Any]", [entry_model(kind) for kind in KINDS]))
    one = TypeAdapter(union).json_schema(ref_template="#/$defs/{model}")
    definitions = one.pop("$defs")
    listed = {"type": "array", "minItems": 1, "items": one}
    alone = {"edits": listed, **_option_properties()}
    later = {
        "type": "array",
        "maxItems": _MOST_LATER,
        "items": {"type": "object", "properties": alone, "required": ["edits"]},
        "description": "recipes that are made of the edited photo after that, one after the other",
    }
    wrapped = {"type": "object", "properties": {**alone, "then": later}, "required": ["edits"]}
    # the file that is written beside an edited photo
    sidecar = {"type": "object", "properties": {"recipe": wrapped}, "required": ["recipe"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Edits of a photo, in their order",
        "anyOf": [listed, wrapped, sidecar],
        "$defs": definitions,
    }


def _option_properties() -> dict[str, Any]:
    """Returns the schema of each field of :class:`RecipeOptions`."""
    schema = RecipeOptions.model_json_schema()
    knobs = schema.pop("$defs")["_Knobs"]
    properties = schema["properties"]
    properties["settings"]["anyOf"][0] = {name: value for name, value in knobs.items() if name != "title"}
    return properties
