"""Measures how long each stage takes."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager


class Stopwatch:
    """Seconds by stage, in ``laps``."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Adds the time since the last lap to a stage."""
        now = time.perf_counter()
        self.laps[stage] = self.laps.get(stage, 0.0) + now - self._last
        self._last = now

    @contextmanager
    def aside(self, stage: str) -> Generator[None]:
        """Adds the block's time to a stage, and takes it out of the lap in which it runs."""
        began = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self.laps[stage] = self.laps.get(stage, 0.0) + took
            self._last += took
