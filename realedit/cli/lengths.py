"""Lengths and places as people write them: fractions (0.2), per cent (20%) and pixels (120px).

Pixels become fractions when the photo's size is known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

from cyclopts import Token

from realedit.errors import UsageError

Axis = Literal["x", "y"]
NOT_KNOWN = (2**31, 2**31)
"""Width and height that stand for a photo's before it is read: every length in pixels fits, and is not 0."""
_FORM = re.compile(r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(?P<unit>px|%)?", re.IGNORECASE)
_NEGATIVE = re.compile(r"-[\d.]+(px|%)", re.IGNORECASE)
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Pixels:
    """A length or a place in pixels, along the width or the height.

    Args:
        count: pixels; negative to the left or up.
        along: the side.
    """

    count: float
    along: Axis

    def of(self, size: tuple[int, int]) -> float:
        """Returns the fraction of the photo's side.

        Args:
            size: the photo's width and height.

        Raises:
            UsageError: it is longer than the side.
        """
        side, name = (size[0], "wide") if self.along == "x" else (size[1], "high")
        if abs(self.count) > side:
            raise UsageError(
                f"{self.count:g} pixels do not fit the photo, which is {side} pixels {name}",
                "give fewer, or a fraction: 0.2 or 20%",
            )
        return self.count / side


def in_fractions(value: _Value, size: tuple[int, int]) -> _Value:
    """Returns a value, or what tuples, lists and mappings hold, with fractions in the place of pixels.

    Raises:
        UsageError: a length is longer than its side.
    """
    found: object = value
    if isinstance(found, Pixels):
        found = found.of(size)
    elif isinstance(found, Mapping):
        fields = cast("Mapping[str, Any]", found)
        found = {name: in_fractions(one, size) for name, one in fields.items()}
    elif isinstance(found, tuple | list):
        held = [in_fractions(one, size) for one in cast("Sequence[object]", found)]
        found = tuple(held) if isinstance(value, tuple) else held
    return cast("_Value", found)


def joined(tokens: Sequence[str]) -> list[str]:
    """Returns tokens with ``--dx -20%`` as ``--dx=-20%``: the parser would take that for a flag."""
    found: list[str] = []
    for token in tokens:
        if _NEGATIVE.match(token) and found and found[-1].startswith("--") and "=" not in found[-1]:
            found[-1] += f"={token}"
        else:
            found.append(token)
    return found


def length(low: float, high: float, along: Axis) -> Callable[[Any, Sequence[Token]], float | Pixels]:
    """Returns a converter to a fraction from ``low`` to ``high``, or to pixels."""

    def convert(_type: object, tokens: Sequence[Token]) -> float | Pixels:
        text = tokens[0].value
        number, unit = _read(text)
        if unit == "px" and math.isfinite(number):
            return Pixels(number, along)
        if not low <= number <= high:
            raise ValueError(f"expected a number from {low:g} to {high:g}, or as 20% or 120px, got '{text}'")
        return number

    return convert


def places(names: str) -> Callable[[Any, Sequence[Token]], tuple[float | Pixels, ...]]:
    """Returns a converter of comma-separated places, such as `x,y`: fractions, per cent or pixels.

    Numbers above 1 are pixels, and so are then all without a unit.
    """
    count = names.count(",") + 1

    def convert(_type: object, tokens: Sequence[Token]) -> tuple[float | Pixels, ...]:
        text = tokens[0].value
        read = [_read(part) for part in text.split(",")]
        in_pixels = any(unit == "px" or (not unit and number > 1) for number, unit in read)
        values = tuple(
            Pixels(number, "xy"[place % 2]) if unit == "px" or (in_pixels and not unit) else number  # type: ignore[arg-type]
            for place, (number, unit) in enumerate(read)
        )
        if len(values) != count or not all(_is_place(value) for value in values):
            raise ValueError(f"expected {names}, fractions from 0 to 1, per cent or pixels, got '{text}'")
        if count == 4 and not (_before(values[0], values[2]) and _before(values[1], values[3])):
            raise ValueError(f"expected x0 < x1 and y0 < y1, got '{text}'")
        return values

    return convert


def _read(text: str) -> tuple[float, str]:
    """Returns a number and its unit, "px" or none; per cent as fractions. NaN where it is none."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return math.nan, ""
    number, unit = float(found["number"]), (found["unit"] or "").lower()
    return (number / 100, "%") if unit == "%" else (number, unit)


def _is_place(value: float | Pixels) -> bool:
    return 0 <= value.count < math.inf if isinstance(value, Pixels) else 0 <= value <= 1


def _before(one: float | Pixels, other: float | Pixels) -> bool:
    """Returns whether a place may lie before another; of unlike units that is known with the photo."""
    if isinstance(one, Pixels) and isinstance(other, Pixels):
        return one.count < other.count
    return isinstance(one, Pixels) or isinstance(other, Pixels) or one < other
