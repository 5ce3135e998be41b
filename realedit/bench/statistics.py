r"""Paired comparison: how much better or worse one method is than another on the same cases.

Cases of one scene (a chair moved to the left, and back) share what is hard about it. The standard error
therefore sums the residuals of a scene before it squares them (Liang and Zeger 1986, with Student's t of as
many degrees of freedom as there are scenes, less one):

.. math::
    \mathrm{SE}^2 = \frac{G}{G - 1} \frac{1}{n^2} \sum_{g=1}^{G} \Bigl(\sum_{i \in g} (x_i - \bar x)\Bigr)^2

for :math:`n` cases in :math:`G` scenes. Where each case is a scene of its own it is :math:`s / \sqrt n`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95
"""Probability that an interval holds the true mean: a higher one makes intervals wider. Set by convention."""


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % confidence interval over cases.

    Args:
        n: cases.
        mean: over them.
        low: lower end, or None for fewer than two scenes.
        high: upper end.
        error: standard error of the mean, likewise.
    """

    n: int
    mean: float
    low: float | None
    high: float | None
    error: float | None = None

    @property
    def half(self) -> float | None:
        """Half the interval's width."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def mean_interval(values: Sequence[float], scenes: Sequence[str] | None = None) -> Interval:
    r"""Returns Student's interval of a mean, :math:`\bar x \pm t_{0.975, G - 1}\, \mathrm{SE}`.

    Args:
        values: at least one.
        scenes: of each value; by default each is a scene of its own.
    """
    array = np.asarray(values, dtype=np.float64)
    n, mean = int(array.size), float(array.mean())
    _, group = np.unique(range(n) if scenes is None else np.asarray(scenes), return_inverse=True)
    sums = np.bincount(group, array - mean)
    count = len(sums)
    if count < 2:
        return Interval(n, mean, None, None)
    error = math.sqrt(count / (count - 1) * float((sums**2).sum())) / n if np.ptp(array) > 0 else 0.0
    half = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * error
    return Interval(n, mean, mean - half, mean + half, error)


def paired_difference(
    values: Sequence[float], baseline: Sequence[float], scenes: Sequence[str] | None = None
) -> Interval:
    """Returns the interval of the mean of ``values - baseline``, case by case."""
    return mean_interval([a - b for a, b in zip(values, baseline, strict=True)], scenes)
