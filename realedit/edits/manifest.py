"""A manifest: many photos, each with an edit of its own, as CSV or JSON Lines.

A line names a photo and its edit: ``{"photo": "a.jpg", "move": "mug", "dx": 0.2}``, or in CSV the columns
``photo,move,dx``. It may also name ``output``, ``mask`` and what a file of edits may say besides its edits
(``box``, ``point``, ``prompt``, ``seed``...; :class:`realedit.edits.recipe.RecipeOptions`). Several edits
of one photo are a list, ``"edits": [...]``. Files are looked for beside the manifest.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from realedit.edits.edit import Given, givens
from realedit.edits.kinds import KINDS
from realedit.edits.recipe import EditsFile, RecipeOptions, edits_in
from realedit.errors import RealEditError, UsageError
from realedit.system.outside_json import parse_json, read_at_most

_FORM = 'a line looks like {"photo": "a.jpg", "move": "mug", "dx": 0.2}, in CSV photo,move,dx'
_PATHS = ("photo", "output", "mask")
_LISTS = ("box", "point", "not_point")
_WHOLE = ("seed", "steps")
_SWITCHES = ("allow_crop", "refine")
_OPTIONS = frozenset(field.alias or name for name, field in RecipeOptions.model_fields.items())
_OF_THE_RUN = frozenset({"working_size", "model", "dtype", "detector", "segmenter", "cutout", "inpainter"})
"""What holds for all photos, because one model is loaded for them."""
_GIVEN: Mapping[str, Given] = {about.name: about for kind in KINDS for about in givens(kind).values()}


@dataclass(frozen=True)
class ManifestLine:
    """What a line asks for.

    Args:
        number: the line's, from 1.
        photo: the photo's file.
        output: the name of the edited photo in the folder of results; None for the photo's own.
        mask: the mask's file, or None.
        file: the edits, and how they are made; None where the line cannot be read.
        problem: why not.
    """

    number: int
    photo: Path
    output: Path | None = None
    mask: Path | None = None
    file: EditsFile | None = None
    problem: RealEditError | None = None


def read_manifest(path: Path) -> list[ManifestLine]:
    """Reads a manifest; a line that is wrong is one with a problem.

    Raises:
        UsageError: it cannot be read at all, or holds no lines.
    """
    try:
        text = read_at_most(path).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} cannot be read as a manifest: {error}", _FORM) from error
    is_json = text.lstrip().startswith("{")
    lines = list(_json_lines(path, text) if is_json else _csv_lines(path, text))
    if not lines:
        raise UsageError(f"{path} holds no lines", _FORM)
    return lines


def _json_lines(path: Path, text: str) -> Iterator[ManifestLine]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            fields = parse_json(line)
        except ValueError as error:
            yield ManifestLine(number, path, problem=UsageError(f"{place} is not JSON: {error}", _FORM))
            continue
        if isinstance(fields, dict):
            yield _line(path, number, cast("dict[str, Any]", fields))
        else:
            yield ManifestLine(number, path, problem=UsageError(f"{place} is no JSON object", _FORM))


def _csv_lines(path: Path, text: str) -> Iterator[ManifestLine]:
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True)
    try:
        if "photo" not in (reader.fieldnames or ()):
            raise UsageError(f"{path} has no column 'photo'", _FORM)
        for row in reader:
            number, place = reader.line_num, f"{path}:{reader.line_num}"
            if "" in row:
                problem = UsageError(f"{place} has more cells than the first line has columns", _FORM)
                yield ManifestLine(number, path, problem=problem)
                continue
            try:
                fields = {
                    name: _cell(name, cell.strip()) for name, cell in row.items() if cell and cell.strip()
                }
            except ValueError as error:
                yield ManifestLine(number, path, problem=UsageError(f"{place}: {error}", _FORM))
                continue
            yield _line(path, number, fields)
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num} is no CSV: {error}", _FORM) from error


def _cell(name: str, text: str) -> object:
    """Returns a cell's value as JSON would have it.

    Raises:
        ValueError: it is not what its column holds.
    """
    if name in _PATHS:
        return text
    about = _GIVEN.get(name)
    if name in _LISTS:
        places = [[_number(name, part) for part in place.split(",")] for place in text.split(";")]
        return places[0] if len(places) == 1 else places
    if name in _WHOLE:
        number = _number(name, text)
        if not number.is_integer():
            raise ValueError(f"{name} is a whole number, not {text!r}")
        return int(text) if text.isdecimal() else int(number)
    if name in _SWITCHES:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} is true or false, not {text!r}")
        return text.lower() == "true"
    if about is not None and about.is_number and text not in about.choices:
        return _number(name, text)
    return text


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} is a number, not {text[:40]!r}")
    return number


def _line(path: Path, number: int, fields: dict[str, Any]) -> ManifestLine:
    """Returns a line's photo and edits, with its files looked for beside the manifest."""
    place = f"{path}:{number}"
    folder = path.parent
    said = {name: fields.pop(name, None) for name in _PATHS}
    photo = folder / said["photo"] if _is_name(said["photo"]) else path
    try:
        if any(value is not None and not _is_name(value) for value in said.values()):
            raise UsageError(f"{place}: photo, output and mask are names of files", _FORM)
        if said["photo"] is None:
            raise UsageError(f"{place} names no photo", _FORM)
        output = None if said["output"] is None else _within(place, said["output"])
        for name in sorted(_OF_THE_RUN & fields.keys()):
            raise UsageError(f"{place}: {name} holds for the whole run", "give it as a flag")
        if not {"edits", "recipe"} & fields.keys():
            options = {name: fields.pop(name) for name in _OPTIONS & fields.keys()}
            fields = {**options, "edits": [fields]}
        mask = None if said["mask"] is None else folder / said["mask"]
        return ManifestLine(number, photo, output, mask, edits_in(_placed(fields, folder), place))
    except RealEditError as error:
        return ManifestLine(number, photo, problem=error)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value


def _within(place: str, name: str) -> Path:
    path = Path(name)
    if path.is_absolute() or ".." in path.parts:
        raise UsageError(f"{place}: output {name!r} leads out of the folder of results", "name a file in it")
    return path


def _placed(fields: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Returns what a line says with the pictures that its edits name looked for in a folder."""
    listed: object = fields.get("edits")
    if not isinstance(listed, list):
        return fields
    placed: list[object] = []
    for entry in cast("list[object]", listed):
        if isinstance(entry, dict):
            entry = {
                name: str(folder / value)
                if isinstance(value, str) and (about := _GIVEN.get(name)) and about.picture
                else value
                for name, value in cast("dict[str, object]", entry).items()
            }
        placed.append(entry)
    return {**fields, "edits": placed}
