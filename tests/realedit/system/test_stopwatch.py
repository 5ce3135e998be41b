from __future__ import annotations

import pytest

from realedit.system.stopwatch import Stopwatch


def test_a_stage_that_comes_twice_has_the_time_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 3.0, 7.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    clock = Stopwatch()
    for stage in ("find", "edit", "find"):
        clock.lap(stage)
    assert clock.laps == {"find": 5.0, "edit": 2.0}


def test_what_is_taken_aside_is_not_the_laps(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 4.0, 6.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    clock = Stopwatch()
    with clock.aside("invert"):
        pass
    clock.lap("find")
    assert clock.laps == {"invert": 3.0, "find": 3.0}
