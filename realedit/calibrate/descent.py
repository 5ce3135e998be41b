r"""Coordinate descent over discrete settings, on cases that are the same for all, within a time.

One setting at a time is changed to each of its values. A change is kept where its mean over the cases is
better by more than the standard error of the paired difference; so that chance does not choose. A value that
is worse by as much after half of the cases is given up there. The settings are gone through again until a
round changes nothing, or the time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from realedit.bench.statistics import Interval, paired_difference

Values = Mapping[str, Any]
Score = Callable[[Values, int], float | None]
"""The loss of values on a case, by its number; less is better. None where the time is over."""


@dataclass(frozen=True)
class Axis:
    """A setting and what it is tried at.

    Args:
        name: of the setting.
        values: in the order in which they are tried.
        matters: whether it does anything beside other values; others are not tried.
    """

    name: str
    values: tuple[Any, ...]
    matters: Callable[[Values], bool] = lambda _: True


@dataclass(frozen=True)
class Trial:
    """A value that was tried.

    Args:
        name: of the setting.
        value: what it was tried at.
        difference: of its loss less that of what stood then; None where nothing was measured.
        kept: whether it was better.
    """

    name: str
    value: Any
    difference: Interval | None
    kept: bool


@dataclass
class Descent:
    """What a descent has come to.

    Args:
        values: the best so far.
        trials: all that were tried.
        complete: whether a whole round changed nothing; else the time was over.
    """

    values: dict[str, Any]
    trials: list[Trial] = field(default_factory=list[Trial])
    complete: bool = False


def descend(start: Values, axes: Sequence[Axis], cases: int, score: Score) -> Descent:
    """Goes down from a start.

    Args:
        start: a value for each axis.
        axes: what is changed, in this order.
        cases: how many there are.
        score: measures; what it has measured before costs it nothing.
    """
    found = Descent(dict(start))
    while True:
        changed = False
        for axis in axes:
            if not axis.matters(found.values):
                continue
            for value in axis.values:
                if value == found.values[axis.name]:
                    continue
                trial = _tried(found.values, axis.name, value, cases, score)
                if trial is None:
                    return found
                found.trials.append(trial)
                if trial.kept:
                    found.values[axis.name] = value
                    changed = True
        if not changed:
            found.complete = True
            return found


def _tried(values: Values, name: str, value: object, cases: int, score: Score) -> Trial | None:
    """Measures a value beside what stands, case by case; None where the time was over."""
    new: list[float] = []
    old: list[float] = []
    for case in range(cases):
        before, after = score(values, case), score({**values, name: value}, case)
        if before is None or after is None:
            return None
        old.append(before)
        new.append(after)
        if case + 1 == (cases + 1) // 2 and _worse(paired_difference(new, old)):
            break
    difference = paired_difference(new, old)
    whole = len(new) == cases
    return Trial(name, value, difference, kept=whole and _worse(paired_difference(old, new)))


def _worse(difference: Interval) -> bool:
    return difference.error is not None and difference.mean > difference.error and difference.mean > 0
