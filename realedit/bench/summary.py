"""Summarises a run's records: every figure of every method, and its paired difference to a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from realedit.bench.metrics.settings import HIGHER_IS_BETTER, base_name
from realedit.bench.records import ERROR, FAILED, OK, UNSUPPORTED, Record
from realedit.bench.statistics import Interval, mean_interval, paired_difference

COSTS = ("seconds", "seconds_again", "evaluations", "peak_memory")
"""Figures of every record that are not metrics; lower is better for all of them."""

_PRIMARY = (
    "lpips_alex.whole",
    "st_lpips_alex.whole",
    "psnr.whole",
    "lpips_alex.background",
    "st_lpips_alex.background",
    "psnr.background",
    "psnr.roundtrip",
)
"""Figures that can stand for fidelity: the first that a run has is its primary one."""


@dataclass(frozen=True)
class Row:
    """A figure of a method over the cases of a kind.

    Args:
        edit: the kind. Kinds are never pooled: the methods do not all support the same ones.
        method: its label.
        figure: its name.
        interval: mean over the cases where it is known, and its 95 % interval.
        median: over the same.
        difference: the interval of the paired differences, value minus the baseline's; None for the baseline
            itself, and where no case has both.
        better: share of those cases in which it is strictly better than the baseline.
    """

    edit: str
    method: str
    figure: str
    interval: Interval
    median: float
    difference: Interval | None = None
    better: float | None = None


@dataclass(frozen=True)
class Summary:
    """The rows of a run, and how its records ended.

    Args:
        baseline: the method that the others are compared with.
        edits: kinds of edit, in the data set's order.
        methods: labels in the run's order.
        rows: all of them.
        counts: records by (kind, method) and status.
        missing: reasons by figure, of figures that no record has.
        cases: how many.
    """

    baseline: str
    edits: tuple[str, ...]
    methods: tuple[str, ...]
    rows: tuple[Row, ...]
    counts: Mapping[tuple[str, str], Mapping[str, int]]
    missing: Mapping[str, str]
    cases: int

    def row(self, edit: str, method: str, figure: str) -> Row | None:
        """Returns one of the rows, or None."""
        return self._index().get((edit, method, figure))

    def _index(self) -> dict[tuple[str, str, str], Row]:
        return {(row.edit, row.method, row.figure): row for row in self.rows}

    @property
    def figures(self) -> tuple[str, ...]:
        """Every figure that some row has."""
        return tuple(dict.fromkeys(row.figure for row in self.rows))

    def primary(self) -> str | None:
        """The figure that stands for fidelity here: LPIPS where there is one."""
        return next((name for name in _PRIMARY if name in self.figures), None)

    def fields(self) -> dict[str, Any]:
        """Returns the summary as JSON."""
        counts = [{"edit": e, "method": m, **c} for (e, m), c in self.counts.items()]
        return {
            "baseline": self.baseline,
            "primary": self.primary(),
            "cases": self.cases,
            "edits": list(self.edits),
            "methods": list(self.methods),
            "counts": counts,
            "missing": dict(self.missing),
            "rows": [asdict(row) for row in self.rows],
        }


def summarise(records: Sequence[Record], baseline: str | None = None) -> Summary:
    """Computes means, intervals and paired differences.

    Args:
        records: a run's records.
        baseline: the label to compare with; by default the first method's.
    """
    methods = tuple(dict.fromkeys(record.method for record in records))
    edits = tuple(dict.fromkeys(record.kind for record in records))
    base = baseline if baseline in methods else methods[0]
    rows: list[Row] = []
    counts: dict[tuple[str, str], Mapping[str, int]] = {}
    for edit in edits:
        chosen = [record for record in records if record.kind == edit]
        tables = {m: _table([r for r in chosen if r.method == m]) for m in methods}
        scenes = {record.case: record.scene or record.case for record in chosen}
        for method in methods:
            statuses = [r.status for r in chosen if r.method == method]
            counts[edit, method] = {s: statuses.count(s) for s in (OK, FAILED, UNSUPPORTED, ERROR)}
            rows += _rows(edit, method, tables[method], None if method == base else tables[base], scenes)
    known = {row.figure for row in rows}
    missing = {
        name: reason
        for record in records
        for name, reason in record.missing.items()
        if name.removeprefix("before.") not in known
    }
    cases = len({record.case for record in records})
    return Summary(base, edits, methods, tuple(rows), counts, _compact(missing), cases)


def better(figure: str, difference: float) -> bool:
    """Tells whether a difference (value minus baseline) of a figure is an improvement."""
    return difference > 0 if base_name(figure) in HIGHER_IS_BETTER else difference < 0


def _table(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """Returns values by figure and case."""
    table: dict[str, dict[str, float]] = {}
    for record in records:
        values = {**record.figures, **{name: getattr(record, name) for name in COSTS}}
        for name, value in values.items():
            if value is not None:
                table.setdefault(name, {})[record.case] = float(value)
    return table


def _rows(
    edit: str,
    method: str,
    table: Mapping[str, Mapping[str, float]],
    base: Mapping[str, Mapping[str, float]] | None,
    scenes: Mapping[str, str],
) -> list[Row]:
    rows = []
    for figure, by_case in table.items():
        values = list(by_case.values())
        difference, share = None, None
        both = [] if base is None else [case for case in by_case if case in base.get(figure, {})]
        if base is not None and both and base_name(figure) != "size_ratio":
            own, other = [by_case[c] for c in both], [base[figure][c] for c in both]
            difference = paired_difference(own, other, [scenes[case] for case in both])
            share = float(np.mean([better(figure, a - b) for a, b in zip(own, other, strict=True)]))
        interval = mean_interval(values, [scenes[case] for case in by_case])
        rows.append(Row(edit, method, figure, interval, float(np.median(values)), difference, share))
    return rows


def _compact(missing: Mapping[str, str]) -> dict[str, str]:
    """Drops ``before.``, and a metric's regions where the metric itself is missing."""
    own = {name.removeprefix("before."): reason for name, reason in missing.items()}
    whole = {name for name in own if "." not in name}
    return {name: reason for name, reason in own.items() if name in whole or base_name(name) not in whole}
