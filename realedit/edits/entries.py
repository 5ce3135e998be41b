"""Edits as entries of a JSON file: ``{"move": "mug", "dx": 0.2}``. One key of an entry names the edit.

Flags of the command line make the same entries, and so does a recipe; one schema reads all three. The schema
is made from what the kinds of edit say of themselves (:mod:`realedit.edits.edit`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field
from functools import cache, partial
from numbers import Integral, Real
from typing import Annotated, Any, Literal, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
)
from pydantic import Field as Key
from pydantic_core import PydanticCustomError

from realedit.edits.edit import Edit, Given, givens, names_of
from realedit.edits.kinds import KINDS
from realedit.errors import UsageError

KEYS = tuple(dict.fromkeys(kind.key for kind in KINDS))
"""The keys that name an edit."""
FORMS_HINT = 'an edit looks like {"move": "mug", "dx": 0.2}; realedit schema prints all forms'
"""The hint of every error about an entry."""
_SHOWN = "null where a mask, a box or a point shows the object"
"""What the JSON schema adds where a name may be missing."""


def entries(edits: Edit | Sequence[Edit]) -> list[dict[str, Any]]:
    """Returns edits as entries; :func:`read_entries` is the reverse where every picture is a file."""
    listed = list(edits) if isinstance(edits, Sequence) else [edits]
    return [_entry(edit) for edit in listed]


def read_entries(data: Sequence[Mapping[str, Any]], where: str = "edits") -> list[Edit]:
    """Returns entries as edits.

    Args:
        data: the entries.
        where: what errors call the list of them.

    Raises:
        UsageError: an entry is no edit; it says which entry, and what is wrong with it.
    """
    found: list[Edit] = []
    for number, entry in enumerate(data, 1):
        place = f"{where}, number {number}"
        try:
            kind = _kind_of(entry)
            found.append(kind(**entry_model(kind).model_validate(entry).model_dump()))
        except ValidationError as error:
            field, said = first_error(error)
            raise UsageError(f"{place}: {field}: {said}", FORMS_HINT) from error
        except _NoSuchEditError as error:
            raise UsageError(f"{place}: {error}", FORMS_HINT) from error
        except UsageError as error:
            raise UsageError(f"{place}: {error.message}", error.hint) from error
    return found


@cache
def entry_model(kind: type[Edit]) -> type[BaseModel]:
    """Returns the pydantic model that reads and checks the entries of a kind of edit."""
    names: dict[str, Any] = {field.name: _key(field, about) for field, about in givens(kind).items()}
    return create_model(
        kind.__name__,
        __config__=ConfigDict(extra="forbid", strict=True, json_schema_extra=_one_of_several(kind)),
        **names,
    )


def first_error(error: ValidationError) -> tuple[str, str]:
    """Returns the first field that is wrong, and what is wrong with it."""
    first = error.errors()[0]
    return ".".join(map(str, first["loc"])), first["msg"][:1].lower() + first["msg"][1:]


class _NoSuchEditError(Exception):
    """An entry names no edit, or more than one."""


def _key(field: Field[Any], about: Given) -> tuple[Any, Any]:
    """Returns a field as pydantic takes it: its type, and all else."""
    default = ... if field.default is MISSING else field.default
    default = None if about.optional else default
    may_be_shown = field.name == "target" and "None" in str(field.type)
    text = about.json_help[:1].lower() + about.json_help[1:].removesuffix(".")
    if may_be_shown:
        text = f"{text}; {_SHOWN}"
    if about.is_number and about.choices:
        one: Any = Annotated[float, Key(ge=about.low, le=about.high)]
        either = Annotated[one | Literal[about.choices], WrapValidator(partial(_taken, about))]
        return either, Key(default, alias=about.name, description=text)
    if about.is_number:
        return float, Key(default, alias=about.name, ge=about.low, le=about.high, description=text)
    if about.choices:
        return Literal[about.choices], Key(default, alias=about.name, description=text)
    least = 1 if about.called is not None else None
    kind = str | None if may_be_shown or default is None else str
    return kind, Key(default, alias=about.name, min_length=least, description=text)


def _taken(about: Given, value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Returns a number or one of a few words; of a union, pydantic's own error is about one of its types."""
    try:
        return check(value)
    except ValidationError as error:
        raise PydanticCustomError("choice", "input should be {words}", {"words": about.words}) from error


def _one_of_several(kind: type[Edit]) -> dict[str, Any]:
    """Returns what the schema adds where one of several optional fields is needed; see :class:`Needs`."""
    optional = {about.name for field, about in givens(kind).items() if field.default is None}
    needed = [name for name in kind.needs.names if name in optional] if kind.needs else []
    return {"anyOf": [{"required": [name]} for name in needed]} if needed else {}


def _kind_of(entry: Mapping[str, Any]) -> type[Edit]:
    """Returns the kind of edit that an entry means; kinds that share a key differ in what they need.

    Raises:
        _NoSuchEditError: there is none, or it cannot be told which.
    """
    named = [key for key in KEYS if key in entry]
    if len(named) != 1:
        raise _NoSuchEditError("no edit in it" if not named else f"{' and '.join(named)} in one edit")
    kinds = [kind for kind in KINDS if kind.key == named[0]]
    if len(kinds) == 1:
        return kinds[0]
    needs = kinds[0].needs
    wanted = needs.names if needs is not None else ()
    for name in wanted:
        if name in entry:
            return next(kind for kind in kinds if name in names_of(kind))
    what = needs.what if needs is not None else "what"
    raise _NoSuchEditError(f"{named[0]} does not say {what}: give it {_either(wanted)}")


def _either(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def _entry(edit: Edit) -> dict[str, Any]:
    """Returns the entry that means an edit; pictures that came from no file are left out."""
    found: dict[str, Any] = {}
    for field, about in givens(type(edit)).items():
        plain = _plain(getattr(edit, field.name))
        if plain is not None or about.name == edit.key:
            found[about.name] = plain
    return found


def _plain(value: object) -> str | float | int | None:
    """Returns a value as JSON has it: NumPy's numbers as plain ones, a path as text, a picture as None."""
    if isinstance(value, str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return os.fspath(cast("os.PathLike[str]", value)) if isinstance(value, os.PathLike) else None
