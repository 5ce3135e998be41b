"""Edits as entries of a JSON file: ``{"move": "mug", "dx": 0.2}``. The first key names the edit.

The command line's flags make the same entries, and so does a recipe: one schema reads all three. What a
recipe says besides its edits is read here too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from realedit import edits as kinds
from realedit.edits import Edit
from realedit.errors import UsageError
from realedit.settings import Settings

_SHOWN = "null where a mask, a box or a point shows the object"


class _Entry(BaseModel):
    """One edit; its first field is its key."""

    model_config = ConfigDict(extra="forbid", strict=True)
    kind: ClassVar[type]
    fields: ClassVar[Mapping[str, str]]
    """Entry's field -> the edit's."""

    def edit(self) -> Edit:
        """The edit that the entry means."""
        return self.kind(**{theirs: getattr(self, ours) for ours, theirs in self.fields.items()})

    @classmethod
    def of(cls, edit: Edit) -> dict[str, Any]:
        """The entry that means an edit; pictures that came from no file are left out."""
        entry = {}
        for ours, theirs in cls.fields.items():
            value = getattr(edit, theirs)
            alias = cls.model_fields[ours].alias or ours
            plain = _plain(value)
            if plain is not None or ours == next(iter(cls.fields)):
                entry[alias] = plain
        return entry


class _Move(_Entry):
    kind, fields = kinds.Move, {"move": "target", "dx": "dx", "dy": "dy"}
    move: str | None = Field(description=f"the object's words; {_SHOWN}")
    dx: float = Field(0.0, ge=-1, le=1, description="to the right, in widths of the photo")
    dy: float = Field(0.0, ge=-1, le=1, description="down, in heights of the photo")


class _Resize(_Entry):
    kind, fields = kinds.Resize, {"resize": "target", "scale": "scale"}
    resize: str | None = Field(description=f"the object's words; {_SHOWN}")
    scale: float = Field(ge=0.1, le=10, description="times its size")


class _Rotate(_Entry):
    kind, fields = kinds.Rotate, {"rotate": "target", "angle": "angle"}
    rotate: str | None = Field(description=f"the object's words; {_SHOWN}")
    angle: float = Field(ge=-360, le=360, description="degrees, clockwise")


class _Reshape(_Entry):
    kind, fields = kinds.Reshape, {"reshape": "target", "shape": "shape"}
    reshape: str | None = Field(description=f"the object's words; {_SHOWN}")
    shape: str = Field(description="file of the photo's size, white where the object is to be")


class _Remove(_Entry):
    kind, fields = kinds.Remove, {"remove": "target"}
    remove: str | None = Field(description=f"the object's words; {_SHOWN}")


class _Swap(_Entry):
    kind, fields = kinds.Swap, {"swap": "target", "other": "other"}
    swap: str = Field(description="one object's words")
    other: str = Field(alias="with", description="the other's")


class _Paste(_Entry):
    kind, fields = kinds.Paste, {"paste": "target", "source": "source", "x": "x", "y": "y", "scale": "scale"}
    paste: str = Field(description="the object's words, in the other photo")
    source: str = Field(alias="from", description="the other photo's file")
    x: float = Field(0.5, ge=0, le=1, description="where its middle comes to lie, in widths")
    y: float = Field(0.5, ge=0, le=1, description="likewise, in heights")
    scale: float = Field(1.0, ge=0.1, le=10, description="times its share of the other photo")


class _Restyle(_Entry):
    kind, fields = kinds.Restyle, {"restyle": "target", "text": "text"}
    restyle: str | None = Field(description=f"the object's words; {_SHOWN}")
    text: str = Field(alias="as", min_length=1, description="what it is to look like")


class _Like(_Entry):
    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["like"]}, {"required": ["object"]}]})
    kind, fields = kinds.Like, {"restyle": "target", "source": "source", "other": "other"}
    restyle: str | None = Field(description=f"the object's words; {_SHOWN}")
    source: str | None = Field(None, alias="like", description="file of another photo; null for the same")
    other: str | None = Field(None, alias="object", description="the words of the object whose look it takes")


class _Replace(_Entry):
    kind, fields = kinds.Replace, {"replace": "target", "text": "text"}
    replace: str | None = Field(description=f"the object's words; {_SHOWN}")
    text: str = Field(alias="with", min_length=1, description="what is to be there")


class _Background(_Entry):
    kind, fields = kinds.Background, {"background": "text", "keep": "target"}
    background: str = Field(min_length=1, description="what the surroundings are to be")
    keep: str | None = Field(None, description=f"the words of the object that stays; {_SHOWN}")


class _Retouch(_Entry):
    kind, fields = kinds.Retouch, {"retouch": "text"}
    retouch: str = Field(min_length=1, description="what the mask, box or point is to show")


class _SwapLooks(_Entry):
    kind, fields = kinds.SwapLooks, {"swap_looks": "target", "other": "other"}
    swap_looks: str = Field(description="one object's words")
    other: str = Field(alias="with", description="the other's")


class _LookOf(_Entry):
    kind, fields = kinds.LookOf, {"look_of": "source"}
    look_of: str = Field(description="the file of the photo whose look it takes")


_ENTRIES: tuple[type[_Entry], ...] = (
    _Move, _Resize, _Rotate, _Reshape, _Remove, _Swap, _Paste, _Restyle, _Like, _Replace, _Background,
    _Retouch, _SwapLooks, _LookOf,
)  # fmt: skip
_BY_KIND = {entry.kind: entry for entry in _ENTRIES}
KEYS = tuple(dict.fromkeys(next(iter(entry.fields)) for entry in _ENTRIES))
"""What an entry's first key may be."""


def entries(edits: Edit | Sequence[Edit]) -> list[dict[str, Any]]:
    """Edits as entries; :func:`read_entries` is the reverse where every picture is a file."""
    given = list(edits) if isinstance(edits, Sequence) else [edits]
    return [_BY_KIND[type(edit)].of(edit) for edit in given]


def key_of(edit: Edit) -> str:
    """An edit's name: the first key of its entry."""
    return next(iter(_BY_KIND[type(edit)].fields))


def read_entries(data: Sequence[Mapping[str, Any]], where: str = "edits") -> list[Edit]:
    """Entries as edits.

    Raises:
        UsageError: an entry is none; it says which, and what is wrong with it.
    """
    found = []
    for number, entry in enumerate(data, 1):
        try:
            found.append(_model(entry).model_validate(entry).edit())
        except ValidationError as error:
            field, said = _first(error)
            raise UsageError(f"{where}, number {number}: {field}: {said}", _forms()) from error
        except _NoSuchEditError as error:
            raise UsageError(f"{where}, number {number}: {error}", _forms()) from error
        except UsageError as error:
            raise UsageError(f"{where}, number {number}: {error.message}", error.hint) from error
    return found


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
        raise UsageError(f"{file} holds no list of edits", _forms())
    edits = read_entries(listed, str(file))
    try:
        besides = Besides.model_validate(data if isinstance(data, dict) else {})
    except ValidationError as error:
        field, said = _first(error)
        raise UsageError(f"{file}: {field}: {said}", "realedit schema prints what it may be") from error
    return EditsFile(edits, besides)


def json_schema() -> dict[str, Any]:
    """The schema of a file of edits (JSON Schema, draft 2020-12)."""
    union: Any = _ENTRIES[0]
    for entry in _ENTRIES[1:]:
        union = union | entry
    one = TypeAdapter(union).json_schema(ref_template="#/$defs/{model}")
    definitions = {name: _tidy(schema) for name, schema in one.pop("$defs").items()}
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


class _NoSuchEditError(Exception):
    pass


def _first(error: ValidationError) -> tuple[str, str]:
    """The field that is wrong first, and what is wrong with it."""
    first = error.errors()[0]
    return ".".join(map(str, first["loc"])), first["msg"][:1].lower() + first["msg"][1:]


def _besides_properties() -> dict[str, Any]:
    """The schema of what a file says besides its edits, by field."""
    schema = Besides.model_json_schema()
    knobs = schema.pop("$defs")["_Knobs"]
    properties = schema["properties"]
    properties["settings"]["anyOf"][0] = {name: value for name, value in knobs.items() if name != "title"}
    return properties


def _model(entry: Mapping[str, Any]) -> type[_Entry]:
    named = [key for key in KEYS if key in entry]
    if len(named) != 1:
        raise _NoSuchEditError("no edit in it" if not named else f"{' and '.join(named)} in one edit")
    if named == ["restyle"] and "as" not in entry:
        if not {"like", "object"} & set(entry):
            raise _NoSuchEditError("restyle says no look: give it as, like or object")
        return _Like
    return next(model for model in _ENTRIES if next(iter(model.fields)) == named[0])


def _forms() -> str:
    return 'an edit looks like {"move": "mug", "dx": 0.2}; realedit schema prints all forms'


def _plain(value: object) -> str | float | int | None:
    """A value as JSON has it: numpy's numbers as plain ones, a path as its text, a picture not at all."""
    match value:
        case str():
            return value
        case Integral():
            return int(value)
        case Real():
            return float(value)
        case os.PathLike():
            return str(value)
    return None


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    schema["title"] = schema["title"].removeprefix("_")
    schema.pop("description", None)
    return schema
