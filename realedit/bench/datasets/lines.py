"""Reads manifests: every mistake is reported with file and line, and every file must be there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from realedit.errors import PhotoError, UsageError
from realedit.system.outside_json import parse_json, read_at_most

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


class Strict(BaseModel):
    """A schema that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Schema = TypeVar("Schema", bound=BaseModel)


def read_text(path: Path) -> str:
    """Reads a manifest's text.

    Raises:
        UsageError: it cannot be read, or is not UTF-8.
    """
    try:
        return read_at_most(path).decode()
    except (OSError, ValueError) as error:
        is_text = not isinstance(error, UnicodeDecodeError)
        reason = error.strerror if isinstance(error, OSError) else str(error) if is_text else "not UTF-8"
        raise UsageError(f"{path} cannot be read ({reason})", "name a folder with a manifest") from error


def read_lines(path: Path, schema: type[Schema]) -> Iterator[tuple[str, Schema]]:
    """Yields each line of a JSONL file with its place, without empty lines.

    Raises:
        UsageError: a line is not JSON of the schema.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            where = f"{path}:{number}"
            yield where, checked(where, _parsed(where, line), schema)


def read_mapping(path: Path) -> Iterator[tuple[str, str, object]]:
    """Yields place, key and value of each entry of a file that holds one JSON object.

    Raises:
        UsageError: it holds no JSON object.
    """
    text = read_text(path)
    found = _parsed(str(path), text)
    if not isinstance(found, dict):
        raise UsageError(f"{path} must hold one JSON object", "see the data set's own description")
    for key, value in found.items():
        line = text.count("\n", 0, max(text.find(json.dumps(key)), 0)) + 1
        yield f"{path}:{line}", key, value


def checked(where: str, value: object, schema: type[Schema]) -> Schema:
    """Validates a value against a schema.

    Raises:
        UsageError: it does not fit; the message names the first mistake.
    """
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise UsageError(
            f"{where}: {place or 'entry'}: {first['msg'].lower()}{more}", "fix the manifest"
        ) from error


def checked_id(where: str, name: str, seen: set[str]) -> str:
    """Checks a case's id, which becomes part of file names.

    Raises:
        UsageError: it has other characters than letters, digits, ``-``, ``_`` and ``.``, or is not unique.
    """
    if not _ID.fullmatch(name):
        raise UsageError(
            f"{where}: id {name!r} has characters other than letters, digits, - _ .", "rename it"
        )
    if name in seen:
        raise UsageError(f"{where}: id {name!r} is there twice", "give every case its own")
    seen.add(name)
    return name


def file_in(where: str, folder: Path, name: str) -> Path:
    """Returns the path of a file of the data set, which must be there.

    Raises:
        PhotoError: there is none of this name.
        UsageError: the name leads out of the folder.
    """
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise UsageError(f"{where}: {name!r} leads out of the data set", "keep its files in its folder")
    if not os.path.isfile(path):  # which bears names that are too long
        raise PhotoError(f"{where}: no such file: {path}", "check the data set")
    return path


def _parsed(where: str, text: str) -> object:
    """Reads JSON."""
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        at = where if error.lineno == 1 else f"{where}:{error.lineno}"
        raise UsageError(f"{at}: not JSON ({error.msg.lower()})", "fix the manifest") from error
    except ValueError as error:
        raise UsageError(f"{where}: not JSON that can be read ({error})", "fix the manifest") from error
