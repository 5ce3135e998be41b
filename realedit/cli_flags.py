"""The command line's edits as entries: a flag that names an edit opens one, those behind it belong to it.

A flag before the only edit that takes it belongs to that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from realedit.errors import UsageError

if TYPE_CHECKING:
    from realedit.cli_edit import EditOptions

_OPENS = {
    "--move": ("move", ("--dx", "--dy")),
    "--resize": ("resize", ("--scale",)),
    "--rotate": ("rotate", ("--angle",)),
    "--reshape": ("reshape", ("--shape",)),
    "--remove": ("remove", ()),
    "--swap": ("swap", ("--with",)),
    "--replace": ("replace", ("--with",)),
    "--restyle": ("restyle", ("--as", "--like", "--object")),
    "--paste": ("paste", ("--from", "--x", "--y", "--scale")),
    "--background": ("background", ("--keep",)),
    "--retouch": ("retouch", ()),
    "--swap-looks": ("swap_looks", ("--with",)),
    "--look-of": ("look_of", ()),
}
"""Flag -> the entry's key, and the flags that may follow."""
_NEEDS = {
    "--move": (("--dx", "--dy"), "how far", "add --dx or --dy, such as --dx 0.2"),
    "--resize": (("--scale",), "how much", "add --scale, such as --scale 1.3"),
    "--rotate": (("--angle",), "how far", "add --angle, such as --angle 30"),
    "--reshape": (("--shape",), "into what", "add --shape FILE"),
    "--swap": (("--with",), "with what", "add --with WORD, such as --with bowl"),
    "--replace": (("--with",), "with what", "add --with TEXT, such as --with 'a bowl'"),
    "--restyle": (
        ("--as", "--like", "--object"), "how", "add --as 'a blue mug', --like FILE or --object WORD",
    ),
    "--paste": (("--from",), "from where", "add --from FILE"),
    "--swap-looks": (("--with",), "with what", "add --with WORD, such as --with bowl"),
}  # fmt: skip
_SHOWN = {
    "--background": (("--keep",), "what stays", "add --keep WORD, or show it with --mask, --box or --point"),
    "--retouch": ((), "where", "show it with --mask, --box or --point"),
}
"""What flags need where nothing is shown."""
_ALONE = {
    "--dx": ("--move", "what to move", "--move mug"),
    "--dy": ("--move", "what to move", "--move mug"),
    "--scale": ("--resize", "what to resize", "--resize mug"),
    "--angle": ("--rotate", "what to turn", "--rotate book"),
    "--shape": ("--reshape", "what to fit into it", "--reshape mug"),
    "--as": ("--restyle", "what to restyle", "--restyle mug"),
    "--like": ("--restyle", "what to restyle", "--restyle mug"),
}
"""Flags that name their edit where a mask, a box or a point shows the object."""
MODIFIERS = tuple(dict.fromkeys(name for _, names in _OPENS.values() for name in names))
FLAGS = (*_OPENS, *MODIFIERS)


def in_order(tokens: list[str]) -> tuple[str, ...]:
    """The edits' flags among the command line's tokens, in their order."""
    # underscores are taken for hyphens by the command's parser too
    names = (token.partition("=")[0].replace("_", "-") for token in tokens if token.startswith("--"))
    return tuple(name for name in names if name in FLAGS)


def gather(options: EditOptions, shown_by: str | None) -> list[dict[str, Any]]:
    """The edits that the flags ask for, as entries.

    Args:
        options: the flags' values; ``options.order`` has their names in the order of the command line.
        shown_by: the flag that shows the object without its word, or None.

    Raises:
        UsageError: a flag lacks the one that it belongs to, or is given twice for one edit.
    """
    values = {name: iter(getattr(options, _field(name))) for name in FLAGS}
    found: list[tuple[str, dict[str, Any]]] = []
    early: dict[str, object] = {}
    for place, name in enumerate(options.order):
        value = next(values[name])
        if isinstance(value, str) and not value.strip():
            raise UsageError(f"{name} has an empty name", f"name the object: {name} mug")
        if name in _OPENS:
            key, taken = _OPENS[name]
            own = {_key(flag): early.pop(flag) for flag in taken if flag in early}
            found.append((name, {key: value} | own))
        elif _goes_back(found, name, value):
            continue
        elif _waits(options.order[place:], name, early):
            early[name] = value
        else:
            found.append(_opened(found, name, value, shown_by))
    for opening, entry in found:
        _check_whole(opening, entry, shown_by)
    return [entry for _, entry in found]


def _goes_back(found: list[tuple[str, dict[str, Any]]], name: str, value: object) -> bool:
    """Give a flag's value to the last edit that takes it, if there is one."""
    for opening, entry in reversed(found):
        if name in _OPENS[opening][1]:
            if _key(name) in entry:
                raise _twice(name, opening)
            entry[_key(name)] = value
            return True
    return False


def _waits(rest: tuple[str, ...], name: str, early: dict[str, object]) -> bool:
    """Whether a flag that no edit before it takes belongs to one behind it; one alone can be meant."""
    takers = [opening for opening in rest if opening in _OPENS and name in _OPENS[opening][1]]
    if len(takers) > 1:
        raise UsageError(
            f"{name} does not say which of {' and '.join(takers)} it belongs to", "put it behind its own"
        )
    if takers and name in early:
        raise _twice(name, takers[0])
    return bool(takers)


def _opened(
    found: list[tuple[str, dict[str, Any]]], name: str, value: object, shown_by: str | None
) -> tuple[str, dict[str, Any]]:
    """The edit of a shown object that a flag asks for by itself."""
    if name not in _ALONE:
        takers = [opening for opening, (_, taken) in _OPENS.items() if name in taken]
        raise UsageError(f"{name} does not say what it belongs to", f"it goes with {' or '.join(takers)}")
    opening, what, example = _ALONE[name]
    others = [entry[_OPENS[key_of][0]] for key_of, entry in found]
    if shown_by is None or any(word is not None for word in others):
        raise UsageError(f"{name} does not say {what}", f"add {opening} WORD, such as {example}")
    return opening, {_OPENS[opening][0]: None, _key(name): value}


def _check_whole(opening: str, entry: dict[str, Any], shown_by: str | None) -> None:
    """Refuse an edit that lacks what it needs, or has what excludes each other."""
    needs = _NEEDS.get(opening) or (_SHOWN.get(opening) if shown_by is None else None)
    if needs is not None and not any(_key(name) in entry for name in needs[0]):
        raise UsageError(f"{opening} does not say {needs[1]}", needs[2])
    if opening == "--restyle" and "as" in entry and len(entry) > 2:
        other = "--like" if "like" in entry else "--object"
        raise UsageError(
            f"--as and {other} contradict each other", "say the look in words, or take it from an object"
        )


def _twice(name: str, opening: str) -> UsageError:
    return UsageError(f"{name} is given twice for {opening}", "give each edit its own name again")


def _key(flag: str) -> str:
    return flag.removeprefix("--")


def _field(flag: str) -> str:
    name = _key(flag).replace("-", "_")
    return f"{name}_" if name in {"with", "as", "from"} else name
