"""The flags that edit, as data; they are made from what the kinds of edit say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter, Token

from realedit.cli.flag_order import FLAGS, field_of
from realedit.cli.lengths import Pixels, length
from realedit.cli.options import EDIT, flag, number
from realedit.edits.edit import Edit, Given, flag_of, givens
from realedit.edits.kinds import KINDS

Words = tuple[str, ...]
"""The values of a text flag, one for each time that it is given."""
Numbers = tuple[float | Pixels, ...]
"""The values of a number flag, one for each time that it is given."""


def _parameter(given: Given, text: str) -> object:
    """Returns the annotation of a flag that may be repeated and takes one value each time.

    Args:
        given: the field that the flag sets.
        text: the flag's help.
    """
    shared: dict[str, Any] = {
        "name": given.flag,
        "metavar": given.metavar,
        "help": text,
        "negative": "",
        "show_default": False,
    }
    if given.choices and not given.is_number:
        return Annotated[tuple[Literal[given.choices], ...], Parameter(**shared, show_choices=False)]
    if given.low is None or given.high is None:
        return Annotated[Words, Parameter(**shared)]
    low, high = given.low, given.high
    one = number(low, high) if given.along is None else length(low, high, given.along)

    def taken(kind: object, token: Token) -> float | str | Pixels:
        if token.value in given.choices:
            return token.value
        try:
            return one(kind, [token])
        except ValueError as error:
            if not given.choices:
                raise
            raise ValueError(f"expected {given.words}, got '{token.value}'") from error

    def convert(kind: object, tokens: Sequence[Token]) -> tuple[Any, ...]:
        return tuple(taken(kind, token) for token in tokens)

    return Annotated[
        tuple[float | Pixels | str, ...] if given.choices else Numbers,
        Parameter(**shared, converter=convert, n_tokens=1, accepts_keys=False, consume_multiple=False),
    ]


def _help(takers: Sequence[tuple[type[Edit], Given]]) -> str:
    """Returns the help of a flag: one sentence for each meaning that it has with different edits."""
    texts: dict[str, list[str]] = {}
    for kind, given in takers:
        texts.setdefault(given.flag_help, []).append(flag_of(kind.key))
    if len(texts) == 1:
        return next(iter(texts))
    return " ".join(
        f"With {' or '.join(dict.fromkeys(openers))}: {text[:1].lower()}{text[1:]}"
        for text, openers in texts.items()
    )


def _edit_flags() -> list[tuple[str, Any, Any]]:
    """Returns name, annotation and default of a field for each flag that edits."""
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
    """What is done, and to what.

    The fields of the flags that edit are made from the kinds of edit. Flags may be repeated; ``order`` has
    their names in the order of the command line.
    """

    edits_file: Annotated[
        Path | None,
        Parameter(
            name="--edits",
            metavar="FILE",
            help="Edits from a JSON file or a recipe; see realedit schema.",
        ),
    ] = None
    allow_crop: Annotated[bool, flag("Let part of the object leave the photo.")] = False
    order: Annotated[Words, Parameter(parse=False)] = ()

    def values(self, name: str) -> Words | Numbers:
        """Returns the values of a flag, one for each time that it was given."""
        return getattr(self, field_of(name))
