"""Damaged files from whole ones: random changes of bytes, of numbers, of JSON, with a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

_EXTREMES = (b"\0", b"\1", b"\x7f", b"\x80", b"\xfe", b"\xff")
_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    2**31,
    2**63,
    10**39,
    1e308,
    -0.5,
    "",
    "mug",
    "\0",
    [],
    {},
    [[]],
    "é",
)
_WORDS = (
    b"[" * 300,
    b"{",
    b"}",
    b'"',
    b"\\u0000",
    b"\\ud800",
    b"NaN",
    b"1e999",
    b"1" * 5000,
    b"inf",
    b"nan",
    b"-1",
    b"0.5",
    b",",
    b"\n",
    b"null",
)


def mutated(seeds: Sequence[bytes], chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """Returns one of the seeds with one to eight changes; seldom anything else.

    Args:
        seeds: whole files of one kind.
        chance: decides everything.
        others: files of other kinds, of which pieces are taken too.
    """
    if chance.random() < 0.01:
        return chance.randbytes(chance.randrange(200))
    whole = chance.choice(seeds)
    if chance.random() < 0.7 and (lines := _json_lines(whole)):
        return _odd_json(lines, chance)
    data = bytearray(whole)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4, 8))):
        chance.choice(_CHANGES)(data, chance, [*seeds, *others])
    return bytes(data)


def _json_lines(whole: bytes) -> list[Any]:
    """Returns the values of JSON, or of JSON Lines; none of anything else."""
    for parts in ([whole], whole.splitlines()):
        try:
            return [json.loads(part) for part in parts]
        except ValueError:
            continue
    return []


def _odd_json(lines: list[Any], chance: random.Random) -> bytes:
    """Returns JSON that is JSON still, with one to three values changed."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(lines))
        lines[at] = _replaced(lines[at], chance)
    return "\n".join(map(json.dumps, lines)).encode() + b"\n" * (len(lines) > 1)


def _flip(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    if data:
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _set(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    at, count = _place(data, chance), chance.choice((1, 1, 2, 4, 8))
    data[at : at + count] = (
        chance.choice(_EXTREMES) * count if chance.random() < 0.7 else chance.randbytes(count)
    )


def _number(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    at, count = _place(data, chance), chance.choice((2, 4, 8))
    value = chance.choice((0, 1, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, len(data)))
    order = chance.choice(("little", "big"))
    data[at : at + count] = (value % 256**count).to_bytes(count, order)


def _cut(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    at = _place(data, chance)
    del data[at : at + chance.choice((1, 2, 7, 64, len(data)))]


def _repeat(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    at = _place(data, chance)
    piece = data[at : at + chance.choice((1, 4, 30, 200))]
    data[at:at] = piece * chance.choice((1, 2, 50))


def _splice(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    other = chance.choice(seeds)
    begin, count = chance.randrange(len(other) + 1), chance.choice((4, 30, 200, 2000))
    at = _place(data, chance)
    data[at : at + chance.choice((0, count))] = other[begin : begin + count]


def _word(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    at = _place(data, chance)
    data[at : at + chance.choice((0, 1, 6))] = chance.choice(_WORDS)


def _json(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    """Changes one value of JSON; other data stay."""
    try:
        tree = json.loads(bytes(data))
        data[:] = json.dumps(_replaced(tree, chance)).encode()
    except (ValueError, RecursionError):
        _set(data, chance, seeds)


def _replaced(tree: Any, chance: random.Random) -> Any:
    if chance.random() < 0.25 or not isinstance(tree, dict | list) or not tree:
        return chance.choice(_ODD)
    if isinstance(tree, list):
        at = chance.randrange(len(tree))
        return [*tree[:at], _replaced(tree[at], chance), *tree[at + 1 :]]
    key = chance.choice(list(tree))
    if chance.random() < 0.1:
        return {name: value for name, value in tree.items() if name != key}
    return {**tree, key: _replaced(tree[key], chance)}


def _place(data: bytearray, chance: random.Random) -> int:
    """Returns a place in the data; every second time one near the begin, where headers are."""
    near = min(len(data), 200) if chance.random() < 0.5 else len(data)
    return chance.randrange(near + 1) if near < len(data) else chance.randrange(max(near, 1))


_CHANGES: tuple[Callable[[bytearray, random.Random, Sequence[bytes]], None], ...] = (
    _flip,
    _flip,
    _set,
    _set,
    _number,
    _number,
    _cut,
    _repeat,
    _splice,
    _word,
    _json,
)
