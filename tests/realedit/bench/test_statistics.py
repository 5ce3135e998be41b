"""Student's interval, against its own equation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from realedit.bench.statistics import mean_interval, paired_difference


def test_the_interval_by_hand() -> None:
    values = [0.1, 0.4, 0.2, 0.9, 0.3]
    mean = sum(values) / 5
    deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / 4)
    half = stdtrit(4, 0.975) * deviation / math.sqrt(5)
    found = mean_interval(values)
    assert (found.n, found.mean) == (5, pytest.approx(mean))
    assert (found.low, found.high) == (pytest.approx(mean - half), pytest.approx(mean + half))
    assert found.half == pytest.approx(half)


def test_one_case_has_no_interval_and_equal_ones_one_of_no_width() -> None:
    assert mean_interval([3.0]).low is None
    same = mean_interval([3.0, 3.0])
    assert (same.low, same.high) == (3.0, 3.0)


def test_pairing_takes_out_what_the_cases_share() -> None:
    base = [1.0, 5.0, 9.0]
    found = paired_difference([v + d for v, d in zip(base, (0.1, 0.2, 0.3), strict=True)], base)
    assert found.mean == pytest.approx(0.2)
    assert found.low is not None
    assert found.low > -0.1  # unpaired it would be wider than the cases differ


def test_a_case_told_twice_makes_its_scene_no_surer() -> None:
    values = [0.1, 0.4, 0.2, 0.9, 0.3]
    once = mean_interval(values)
    twice = mean_interval(values * 2, [f"scene {k}" for k in (1, 2, 3, 4, 5)] * 2)
    assert twice.n == 10
    assert (twice.mean, twice.error) == (pytest.approx(once.mean), pytest.approx(once.error))
    assert (twice.low, twice.high) == (pytest.approx(once.low), pytest.approx(once.high))
    assert once.error == pytest.approx(np.std(values, ddof=1) / math.sqrt(5))
    assert mean_interval(values, ["one"] * 5).low is None


def test_its_interval_holds_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    scenes = [str(k // 2) for k in range(24)]
    held = 0
    for _ in range(2000):
        values = rng.normal(size=12).repeat(2) + 0.3 * rng.normal(size=24)
        found = mean_interval(list(values), scenes)
        held += found.low is not None and found.high is not None and found.low < 0 < found.high
    assert 0.93 < held / 2000 < 0.97  # as single cases 0.83
