"""What it takes to make an edit again, as data: written beside the edited photo, and read by ``--edits``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from realedit.edits.edit import Edit
from realedit.edits.entries import FORMS_HINT, entries, entry_model, first_error, read_entries
from realedit.edits.kinds import KINDS
from realedit.edits.prepared import Shown
from realedit.errors import UsageError
from realedit.settings import Settings
from realedit.system.installation import distribution_version

_VERSIONS_OF = ("realedit", "torch", "diffusers", "transformers")
"""Distributions whose versions a recipe tells: another one may make another picture."""


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
) -> dict[str, Any]:
    """Everything that decides an edit's picture, but for the photo and a mask, of which there is a digest.

    Args:
        edits: what was asked for.
        shown: where the user showed an object.
        settings: every knob.
        prompt: of the first step's inversion, which holds that step's words.
        models: names by role, and the precision: of :meth:`realedit.engine.Engine.names`.
        working_size: side of the square of the model's working area; None for its own, which another model's
            need not be.
        how: method, steps and scales of the inversion: of
            :attr:`realedit.inverted.inverted_photo.InvertedPhoto.how`.
        seed: of the noise.
        allow_crop: whether an object may leave the photo in part.
    """
    said = {
        "mask_sha256": None if shown.mask is None else mask_digest(shown.mask),
        "box": None if shown.box is None else [float(side) for side in shown.box],
        "point": None if shown.point is None else [float(place) for place in shown.point],
        "inversion_scale": None if how["inversion_scale"] == 1 else how["inversion_scale"],
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
        "versions": {name: distribution_version(name) or "source" for name in _VERSIONS_OF},
    }


def mask_digest(mask: np.ndarray) -> str:
    """The SHA-256 of a mask ``[H, W]`` in [0, 1], at 8 bits, and of its size, in hexadecimal."""
    levels = (mask * 255).round().clip(0, 255).astype(np.uint8)
    return hashlib.sha256(f"{mask.shape[1]}x{mask.shape[0]}:".encode() + levels.tobytes()).hexdigest()


_KNOBS: dict[str, Any] = {knob.name: (type(knob.default), knob.default) for knob in fields(Settings)}
_Knobs = create_model(
    "_Knobs", __config__=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False), **_KNOBS
)
_Fraction = Annotated[float, Field(ge=0, le=1)]
_Scale = Annotated[float, Field(ge=0, le=1000)]


class Besides(BaseModel):
    """What a file may say besides its edits: how they are made, where no flag says otherwise.

    Other keys are left alone: a recipe tells more than it takes. None is not said.
    """

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)
    prompt: str | None = Field(default=None, description="what the photo shows")
    box: list[_Fraction] | None = Field(
        default=None,
        min_length=4,
        max_length=4,
        description="x0, y0, x1, y1: a box around the object, in fractions",
    )
    point: list[_Fraction] | None = Field(
        default=None, min_length=2, max_length=2, description="x, y: a point on the object, in fractions"
    )
    mask_sha256: str | None = Field(default=None, description="digest of the mask that showed the object")
    allow_crop: bool | None = Field(
        default=None, description="whether the object may leave the photo in part"
    )
    seed: int | None = Field(default=None, ge=0, le=2**63 - 1, description="of the noise")
    steps: int | None = Field(default=None, ge=2, le=1000, description="sampling steps")
    inversion: str | None = Field(default=None, description="how the photo becomes latents")
    guidance_scale: _Scale | None = Field(default=None, description="that the inversion's replay is made for")
    inversion_scale: _Scale | None = Field(default=None, description="guidance scale on the way up")
    working_size: int | None = Field(
        default=None,
        ge=32,
        le=8192,
        description="side of the square of the model's working area; null: its own",
    )
    knobs: _Knobs | None = Field(default=None, alias="settings", description="every knob of an edit")  # pyright: ignore[reportInvalidTypeForm]
    model: str | None = Field(default=None, description="which model edited; told where another does")
    dtype: str | None = Field(default=None, description="its precision; likewise")
    detector: str | None = Field(default=None, description="what found the words; likewise")
    segmenter: str | None = Field(default=None, description="what cut them out; likewise")

    @property
    def settings(self) -> Settings | None:
        """The knobs; those that the file does not name have their defaults."""
        return None if self.knobs is None else Settings(**self.knobs.model_dump())


@dataclass(frozen=True)
class EditsFile:
    """What a JSON file says: the edits, in their order, and how they are made."""

    edits: list[Edit]
    besides: Besides


def read_file(file: Path) -> EditsFile:
    """Read a JSON file: a list of entries, or an object whose "edits" is one, such as a recipe.

    Raises:
        UsageError: it cannot be read, or is not such a file.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"{file} is not JSON: {error}") from error
    data = data.get("recipe", data) if isinstance(data, dict) else data
    listed = data.get("edits") if isinstance(data, dict) else data
    if not isinstance(listed, list) or not listed or not all(isinstance(entry, dict) for entry in listed):
        raise UsageError(f"{file} holds no list of edits", FORMS_HINT)
    edits = read_entries(listed, str(file))
    try:
        besides = Besides.model_validate(data if isinstance(data, dict) else {})
    except ValidationError as error:
        field, said = first_error(error)
        raise UsageError(f"{file}: {field}: {said}", "realedit schema prints what it may be") from error
    return EditsFile(edits, besides)


def json_schema() -> dict[str, Any]:
    """The schema of a file of edits (JSON Schema, draft 2020-12)."""
    union: Any = reduce(or_, map(entry_model, KINDS))
    one = TypeAdapter(union).json_schema(ref_template="#/$defs/{model}")
    definitions = one.pop("$defs")
    listed = {"type": "array", "minItems": 1, "items": one}
    wrapped = {
        "type": "object",
        "properties": {"edits": listed, **_besides_properties()},
        "required": ["edits"],
    }
    # what lies beside an edited photo
    sidecar = {"type": "object", "properties": {"recipe": wrapped}, "required": ["recipe"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Edits of a photo, in their order",
        "anyOf": [listed, wrapped, sidecar],
        "$defs": definitions,
    }


def _besides_properties() -> dict[str, Any]:
    """The schema of what a file says besides its edits, by field."""
    schema = Besides.model_json_schema()
    knobs = schema.pop("$defs")["_Knobs"]
    properties = schema["properties"]
    properties["settings"]["anyOf"][0] = {name: value for name, value in knobs.items() if name != "title"}
    return properties
