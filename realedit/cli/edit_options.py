"""The flags that edit, as data: made from what the kinds of edit say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from realedit.cli.flag_order import FLAGS, field_of
from realedit.cli.options import EDIT, flag, number
from realedit.edits.edit import Edit, Given, givens
from realedit.edits.kinds import KINDS

Words = tuple[str, ...]
"""The values of a flag that may be repeated."""
Numbers = tuple[float, ...]


def _parameter(given: Given, text: str) -> Any:  # noqa: ANN401 - a type
    """The type of a flag that may be repeated and takes one value each time."""
    shared: dict[str, Any] = {
        "name": given.flag,
        "metavar": given.metavar,
        "help": text,
        "negative": "",
        "show_default": False,
    }
    if given.low is None or given.high is None:
        return Annotated[Words, Parameter(**shared)]
    one = number(given.low, given.high)

    def convert(kind: object, tokens: Sequence[Token]) -> Numbers:
        return tuple(float(one(kind, [token])) for token in tokens)

    return Annotated[
        Numbers,
        Parameter(**shared, converter=convert, n_tokens=1, accepts_keys=False, consume_multiple=False),
    ]


def _help(takers: Sequence[tuple[type[Edit], Given]]) -> str:
    """The help of a flag that several kinds of edit may take."""
    texts: dict[str, list[str]] = {}
    for kind, given in takers:
        texts.setdefault(given.help, []).append("--" + kind.key.replace("_", "-"))
    if len(texts) == 1:
        return next(iter(texts))
    return " ".join(f"{', '.join(dict.fromkeys(kinds))}: {text}" for text, kinds in texts.items())


def _edit_flags() -> list[tuple[str, Any, Any]]:
    """Name, type and default of each field of the flags that edit."""
    takers: dict[str, list[tuple[type[Edit], Given]]] = {name: [] for name in FLAGS}
    for kind in KINDS:
        for given in givens(kind).values():
            takers[given.flag].append((kind, given))
    return [
        (field_of(name), _parameter(found[0][1], _help(found)), field(default=()))
        for name, found in takers.items()
    ]


_EditFlags: Any = make_dataclass("_EditFlags", _edit_flags(), frozen=True)


@Parameter(name="*", group=EDIT)
@dataclass(frozen=True)
class EditOptions(_EditFlags):
    """What is done, and to what; flags may be repeated, and are read in their order."""

    edits_file: Annotated[
        Path | None,
        Parameter(
            name="--edits",
            metavar="FILE",
            help="Do the edits of a JSON file, or of a recipe as it says; see schema.",
        ),
    ] = None
    allow_crop: Annotated[bool, flag("Let the object leave the photo in part.")] = False
    order: Annotated[Words, Parameter(parse=False)] = ()

    def values(self, name: str) -> Words | Numbers:
        """What a flag was given, each time that it was."""
        return getattr(self, field_of(name))
