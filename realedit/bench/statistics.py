"""Paired comparison: how much better or worse one method is than another on the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
"""Probability that an interval holds the true mean: a higher one makes intervals wider. Set by convention."""


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % confidence interval over cases.

    Args:
        n: cases.
        mean: over them.
        low: lower end, or None for fewer than two cases.
        high: upper end.
    """

    n: int
    mean: float
    low: float | None
    high: float | None

    @property
    def half(self) -> float | None:
        """Half the interval's width."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def mean_interval(values: Sequence[float]) -> Interval:
    r"""Returns Student's interval of a mean, :math:`\bar x \pm t_{0.975, n - 1}\, s / \sqrt n`.

    Args:
        values: at least one.
    """
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if array.size < 2:
        return Interval(1, mean, None, None)
    if float(np.ptp(array)) == 0:  # scipy would divide by zero
        return Interval(int(array.size), mean, mean, mean)
    found = stats.ttest_1samp(array, 0.0).confidence_interval(CONFIDENCE)
    return Interval(int(array.size), mean, float(found.low), float(found.high))


def paired_difference(values: Sequence[float], baseline: Sequence[float]) -> Interval:
    """Returns the interval of the mean of ``values - baseline``, case by case."""
    return mean_interval([a - b for a, b in zip(values, baseline, strict=True)])
