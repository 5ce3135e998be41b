"""Turns flags into edits: a flag that names an edit opens one, those behind it belong to it.

A flag that comes before the only edit that takes it belongs to that edit. The kinds of edit say which flags
there are and what each edit needs (:mod:`realedit.edits.kinds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from keyword import iskeyword
from typing import Any

from realedit.edits.edit import Needs, flag_of, givens, names_of
from realedit.edits.kinds import KINDS
from realedit.errors import UsageError

_KINDS_OF = {flag_of(kind.key): [one for one in KINDS if one.key == kind.key] for kind in KINDS}
"""The kinds that each naming flag may mean."""
_TAKES = {
    name: tuple(
        dict.fromkeys(
            given.flag for kind in kinds for given in givens(kind).values() if given.name != kind.key
        )
    )
    for name, kinds in _KINDS_OF.items()
}
"""The flags that may follow each naming flag."""
_NEEDS = {name: kinds[0].needs for name, kinds in _KINDS_OF.items()}
_NEEDS_SHOWN = {name: kinds[0].needs_shown for name, kinds in _KINDS_OF.items()}
_IMPLIES = {
    flag_of(field): (name, kind.implied_by)
    for name, (kind, *_) in _KINDS_OF.items()
    if kind.implied_by is not None
    for field in kind.implied_by.names
}
"""Flags that ask for an edit by themselves where an object is shown, with the naming flag that they stand
for."""
MODIFIERS = tuple(dict.fromkeys(name for names in _TAKES.values() for name in names))
"""Flags that say more about an edit that another flag names."""
FLAGS = tuple(dict.fromkeys(name for opener, names in _TAKES.items() for name in (opener, *names)))
"""All flags that edit: each naming flag, followed by those that say more about it."""


def in_order(tokens: list[str]) -> tuple[str, ...]:
    """Returns the flags that edit among the command line's tokens, in their order."""
    # the command's parser takes underscores for hyphens too
    names = (token.partition("=")[0].replace("_", "-") for token in tokens if token.startswith("--"))
    return tuple(name for name in names if name in FLAGS)


def field_of(flag: str) -> str:
    """Returns the field of :class:`realedit.cli.edit_options.EditOptions` that holds a flag's values."""
    name = _name(flag)
    return f"{name}_" if iskeyword(name) else name


def gather(
    order: Sequence[str], values_of: Callable[[str], Iterable[object]], shown_by: str | None
) -> list[dict[str, Any]]:
    """Returns the edits that the flags ask for, as entries (:mod:`realedit.edits.entries`).

    Args:
        order: the flags' names in the order of the command line, from :func:`in_order`.
        values_of: returns a flag's values, one for each time that it was given.
        shown_by: the flag that shows the object, or None.

    Raises:
        UsageError: a flag belongs to no edit or may belong to several, is given twice for one edit, or an
            edit lacks what it needs.
    """
    values = {name: iter(values_of(name)) for name in FLAGS}
    found: list[tuple[str, dict[str, Any]]] = []
    early: dict[str, object] = {}
    for place, name in enumerate(order):
        value = next(values[name])
        if isinstance(value, str) and not value.strip():
            raise UsageError(f"{name} has an empty name", f"name the object: {name} mug")
        if name in _TAKES:
            own = {_name(flag): early.pop(flag) for flag in _TAKES[name] if flag in early}
            found.append((name, {_name(name): value} | own))
        elif _goes_back(found, name, value):
            continue
        elif _waits(order[place:], name, early):
            early[name] = value
        else:
            found.append(_opened(found, name, value, shown_by))
    for opening, entry in found:
        _check_whole(opening, entry, shown_by)
    return [entry for _, entry in found]


def _goes_back(found: list[tuple[str, dict[str, Any]]], name: str, value: object) -> bool:
    """Gives a flag's value to the last edit that takes it; returns whether there is one."""
    for opening, entry in reversed(found):
        if name in _TAKES[opening]:
            if _name(name) in entry:
                raise _twice(name, opening)
            entry[_name(name)] = value
            return True
    return False


def _waits(rest: Sequence[str], name: str, early: dict[str, object]) -> bool:
    """Returns whether a flag that no edit before it takes belongs to one behind it.

    Raises:
        UsageError: it may belong to several, or was given twice.
    """
    takers = [opening for opening in rest if name in _TAKES.get(opening, ())]
    if len(takers) > 1:
        raise UsageError(
            f"{name} does not say which of {' and '.join(takers)} it belongs to",
            "put it after the one that it belongs to",
        )
    if takers and name in early:
        raise _twice(name, takers[0])
    return bool(takers)


def _opened(
    found: list[tuple[str, dict[str, Any]]], name: str, value: object, shown_by: str | None
) -> tuple[str, dict[str, Any]]:
    """Returns the edit of a shown object that a flag asks for by itself.

    Raises:
        UsageError: the flag asks for none, or no object is shown.
    """
    if name not in _IMPLIES:
        takers = [opening for opening, taken in _TAKES.items() if name in taken]
        raise UsageError(f"{name} does not say what it belongs to", f"it goes with {' or '.join(takers)}")
    opening, implied = _IMPLIES[name]
    others = [entry[_name(opener)] for opener, entry in found]
    if shown_by is None or any(word is not None for word in others):
        raise UsageError(
            f"{name} does not say {implied.what}", f"add {opening} WORD, such as {opening} {implied.example}"
        )
    return opening, {_name(opening): None, _name(name): value}


def _check_whole(opening: str, entry: dict[str, Any], shown_by: str | None) -> None:
    """Refuses an edit that lacks what it needs, or whose flags exclude each other.

    Raises:
        UsageError: it does.
    """
    for needs in (_NEEDS[opening], _NEEDS_SHOWN[opening] if shown_by is None else None):
        if needs is not None and not _met(needs, entry):
            raise UsageError(f"{opening} does not say {needs.what}", needs.hint)
    for kind in _KINDS_OF[opening]:
        if set(entry) <= names_of(kind):
            return
    own, *others = [name for name in entry if name != _name(opening)]
    one, other = sorted((own, next(name for name in others if not _together(opening, own, name))))
    raise UsageError(f"--{one} and --{other} contradict each other", "give one of them")


def _met(needs: Needs, entry: dict[str, Any]) -> bool:
    return any(name in entry for name in needs.names)


def _together(opening: str, one: str, other: str) -> bool:
    """Returns whether one kind of edit takes both fields."""
    return any({one, other} <= names_of(kind) for kind in _KINDS_OF[opening])


def _twice(name: str, opening: str) -> UsageError:
    return UsageError(f"{name} is given twice for {opening}", f"for another edit, give {opening} again")


def _name(flag: str) -> str:
    """Returns a flag's key in an entry."""
    return flag.removeprefix("--").replace("-", "_")
