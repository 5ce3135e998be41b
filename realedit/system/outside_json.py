"""Reads JSON and files that come from outside, within limits: size, depth, length and range of numbers.

Python's own reader ends in a RecursionError where lists are nested some thousand deep, in a ValueError of its
own where a number has more than 4,300 digits, and takes NaN, infinity and half of a surrogate pair, which no
later step expects. Here all of this is a ValueError with one line that says what is wrong.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import NoReturn, cast

MOST_BYTES = 16 * 2**20
"""Bytes of a JSON file: a longer one is refused before it is read whole, a shorter one is read. Set above the
largest files of edits, manifests and configs that were seen, by a hundred times."""
_MOST_DEPTH = 64
"""Lists and objects within each other: deeper ones are refused, others are read. Edits need five."""
_MOST_DIGITS = 40
"""Digits of a whole number: longer ones are refused, others are read. A seed has nineteen."""


def read_at_most(path: Path, most: int = MOST_BYTES) -> bytes:
    """Returns a file's bytes; a pipe is read too, and neither beyond the limit.

    Args:
        path: the file.
        most: bytes.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds more.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"more than {most / 2**20:g} MB")
    return content


def parse_json(text: str | bytes, *, any_text: bool = False) -> object:
    """Returns JSON as Python's values.

    Args:
        text: JSON; bytes are UTF-8.
        any_text: whether text may hold halves of surrogate pairs, by which Python writes names of files that
            are in no encoding.

    Raises:
        ValueError: it is not JSON, or beyond a limit. JSON's own errors say line and column.
    """
    decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    try:
        value: object = json.loads(
            decoded, parse_int=_whole, parse_float=_finite, parse_constant=_no_constant
        )
    except RecursionError:
        raise ValueError(f"nested more than {_MOST_DEPTH} deep") from None
    _check_within(value, any_text=any_text)
    return value


def read_json(path: Path, most: int = MOST_BYTES) -> object:
    """Returns a JSON file's values.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not JSON, or beyond a limit.
    """
    return parse_json(read_at_most(path, most))


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large a number")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _check_within(value: object, *, any_text: bool) -> None:
    """Refuses values that are nested too deep, and text that is no text.

    Raises:
        ValueError: they are.
    """
    level, depth = [value], 0
    while level:
        below: list[object] = []
        for each in level:
            if isinstance(each, dict):
                fields = cast("dict[str, object]", each)
                below += fields
                below += fields.values()
            elif isinstance(each, list):
                below += cast("list[object]", each)
            elif isinstance(each, str) and not any_text and not each.isascii():
                each.encode()  # half of a surrogate pair is a UnicodeEncodeError, which is a ValueError
        level, depth = below, depth + 1
        if depth > _MOST_DEPTH + 1:
            raise ValueError(f"nested more than {_MOST_DEPTH} deep")
