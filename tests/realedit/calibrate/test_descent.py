"""Coordinate descent on losses that are known."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.calibrate.descent import Axis, Values, descend

AXES = (Axis("a", (0, 1, 2, 3)), Axis("b", (0, 1, 2)), Axis("c", (0, 5), lambda at: at["b"] > 0))
START = {"a": 0, "b": 0, "c": 0}
NOISE = np.random.default_rng(0).normal(0, 5, 12)


def bowl(values: Values, case: int) -> float:
    """Least at a = 2, b = 1, c = 5, with cases that differ far more than settings do."""
    off = (values["a"] - 2) ** 2 + (values["b"] - 1) ** 2 + abs(values["c"] - 5)
    return off * (1 + 0.1 * (case % 3)) + float(NOISE[case])


def test_it_comes_to_the_bottom_and_knows_that_it_has() -> None:
    found = descend(START, AXES, len(NOISE), bowl)
    assert found.values == {"a": 2, "b": 1, "c": 5}
    assert found.complete
    assert all(trial.difference is not None for trial in found.trials)


def test_a_setting_that_does_nothing_beside_the_others_is_not_tried() -> None:
    found = descend(START, (AXES[2],), len(NOISE), lambda at, case: bowl({**at, "b": 0}, case))
    assert found.trials == []


def test_chance_chooses_nothing() -> None:
    rng = np.random.default_rng(1)
    drawn: dict[tuple[int, int], float] = {}

    def noise(values: Values, case: int) -> float:
        return drawn.setdefault((values["a"], case), float(rng.normal()))

    kept = 0
    for _ in range(40):
        drawn.clear()
        found = descend({"a": 0}, (Axis("a", (0, 1)),), 40, noise)
        kept += found.values["a"] == 1
    # one standard error: one in six by chance, not one in two
    assert kept <= 14


def test_a_value_that_is_far_worse_is_given_up_after_half_of_the_cases() -> None:
    found = descend({"a": 2}, (Axis("a", (2, 0)),), 12, lambda at, case: bowl({**START, "b": 1, **at}, case))
    (trial,) = found.trials
    assert trial.difference is not None
    assert (trial.difference.n, trial.kept) == (6, False)


@pytest.mark.parametrize("calls", [0, 1, 30, 100])
def test_where_the_time_is_over_it_stops_with_what_it_has(calls: int) -> None:
    left = calls
    known: dict[str, float] = {}

    def score(values: Values, case: int) -> float | None:
        nonlocal left
        key = f"{sorted(values.items())} {case}"
        if key not in known:
            if left == 0:
                return None
            left -= 1
            known[key] = bowl(values, case)
        return known[key]

    found = descend(START, AXES, len(NOISE), score)
    assert not found.complete
    assert sum(bowl(found.values, n) for n in range(12)) <= sum(bowl(START, n) for n in range(12))
