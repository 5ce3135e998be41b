"""Summaries of runs, read back from the files that the benchmark wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from realedit.bench.results import SUMMARY
from realedit.bench.statistics import Interval
from realedit.bench.summary import Row, Summary


def read_summary(folder: Path) -> Summary | None:
    """A run's summary; None where the run was not made."""
    file = folder / SUMMARY
    if not file.is_file():
        return None
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    counts = {
        (line["edit"], line["method"]): {k: v for k, v in line.items() if k not in ("edit", "method")}
        for line in told["counts"]
    }
    return Summary(
        told["baseline"],
        tuple(told["edits"]),
        tuple(told["methods"]),
        tuple(map(_row, told["rows"])),
        counts,
        told["missing"],
        told["cases"],
    )


def _row(line: Mapping[str, Any]) -> Row:
    difference = line["difference"]
    intervals = {
        "interval": Interval(**line["interval"]),
        "difference": None if difference is None else Interval(**difference),
    }
    return Row(**{**line, **intervals})
