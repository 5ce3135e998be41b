from __future__ import annotations

import pytest

from guidance import Window


@pytest.mark.parametrize("steps", [1, 7, 20, 50])
def test_adjacent_windows_share_out_the_steps(steps: int) -> None:
    windows = [Window(0.0, 0.25), Window(0.25, 0.6), Window(0.6, 1.0)]
    for step in range(steps):
        assert sum(window.contains(step, steps) for window in windows) == 1


def test_a_window_means_the_same_at_any_step_count() -> None:
    window = Window(0.2, 0.4)
    assert [step for step in range(10) if window.contains(step, 10)] == [2, 3]
    assert [step for step in range(50) if window.contains(step, 50)] == list(range(10, 20))


def test_the_default_window_is_the_whole_sampling() -> None:
    assert all(Window().contains(step, 20) for step in range(20))


@pytest.mark.parametrize(
    ("start", "stop"), [(0.5, 0.5), (0.6, 0.2), (-0.1, 0.5), (0.0, 1.1), (float("nan"), 1.0)]
)
def test_a_window_that_is_none_is_refused(start: float, stop: float) -> None:
    with pytest.raises(ValueError, match=r"0 <= start < stop <= 1, got"):
        Window(start, stop)
