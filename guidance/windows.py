"""When a term acts: fractions of the sampled steps, so that a window means the same at any step count."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Active from ``start`` up to, but not including, ``stop``; 0 is the first (noisiest) step, 1 the end.

    Raises:
        ValueError: not 0 <= start < stop <= 1.
    """

    start: float = 0.0
    stop: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop <= 1:
            raise ValueError(f"a window needs 0 <= start < stop <= 1, got {self.start} and {self.stop}")

    def contains(self, step: int, steps: int) -> bool:
        """Whether the step-th of ``steps`` sampled steps (from 0) lies inside."""
        return self.start <= step / steps < self.stop


ALWAYS = Window()
