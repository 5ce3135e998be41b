"""Chooses cases of a data set: a part that settings are chosen on, and another that is reported."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Literal

from realedit.bench.case import Case

Part = Literal["first", "second", "even", "odd"]


def part_of(cases: Sequence[Case], part: Part) -> list[Case]:
    """Returns the cases of half of the scenes; what shows one scene is never in both halves.

    Args:
        cases: a data set's cases, in its own order.
        part: ``first`` and ``second`` half of its scenes (the first has the one more), or every other one:
            ``odd`` takes the first, third, fifth..., ``even`` the second, fourth...
    """
    scenes = list(dict.fromkeys(case.shows for case in cases))
    half = (len(scenes) + 1) // 2
    chosen = {"first": scenes[:half], "second": scenes[half:], "odd": scenes[::2], "even": scenes[1::2]}[part]
    kept = set(chosen)
    return [case for case in cases if case.shows in kept]


def named(cases: Sequence[Case], patterns: Sequence[str]) -> list[Case]:
    """Returns the cases whose ids fit one of the patterns (``p1?_*``), or all where there is none."""
    return [
        case for case in cases if not patterns or any(fnmatchcase(case.id, pattern) for pattern in patterns)
    ]
