"""The command line's edits as entries: a flag that names an edit opens one, those behind it belong to it."""

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
    "--restyle": (("--as", "--like"), "how", "add --as 'a blue mug', or --like FILE"),
    "--paste": (("--from",), "from where", "add --from FILE"),
    "--swap-looks": (("--with",), "with what", "add --with WORD, such as --with bowl"),
}
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
    for name in options.order:
        value = next(values[name])
        if isinstance(value, str) and not value.strip():
            raise UsageError(f"{name} has an empty name", f"name the object: {name} mug")
        if name in _OPENS:
            found.append((name, {_OPENS[name][0]: value}))
        else:
            _belongs(found, name, value, shown_by)
    for opening, entry in found:
        names, what, way_out = _NEEDS.get(opening, ((), "", ""))
        if names and not any(name.removeprefix("--") in entry for name in names):
            raise UsageError(f"{opening} does not say {what}", way_out)
    return [entry for _, entry in found]


def _belongs(found: list[tuple[str, dict[str, Any]]], name: str, value: object, shown_by: str | None) -> None:
    """Give a flag's value to the edit that it belongs to, the last one that takes it."""
    key = name.removeprefix("--")
    for opening, entry in reversed(found):
        if name in _OPENS[opening][1]:
            if key in entry:
                raise UsageError(f"{name} is given twice for {opening}", "give each edit its own name again")
            entry[key] = value
            return
    opening, what, example = _ALONE.get(name, ("", "what it belongs to", "the flag that it belongs to"))
    others = [entry[_OPENS[key_of][0]] for key_of, entry in found]
    if shown_by is None or not opening or any(word is not None for word in others):
        way_out = f"add {opening} WORD, such as {example}" if opening else "see realedit --help"
        raise UsageError(f"{name} does not say {what}", way_out)
    found.append((opening, {_OPENS[opening][0]: None, key: value}))


def _field(flag: str) -> str:
    name = flag.removeprefix("--").replace("-", "_")
    return f"{name}_" if name in {"with", "as", "from"} else name
