"""Figures that cannot be had, each with its reason: they are reported as missing, never as zero."""

from __future__ import annotations

from dataclasses import dataclass, field


class MetricUnavailableError(Exception):
    """A metric cannot be computed here: weights, a folder or a mask are lacking. Caught by the meter."""


@dataclass
class Figures:
    """Figures by name; what is missing has its reason instead.

    Args:
        values: finite numbers by ``metric`` or ``metric.region``.
        missing: reasons by the same names.
    """

    values: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def merge(self, other: Figures, prefix: str = "") -> None:
        """Takes in other figures under a prefix."""
        self.values |= {prefix + name: value for name, value in other.values.items()}
        self.missing |= {prefix + name: reason for name, reason in other.missing.items()}
