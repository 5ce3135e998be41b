"""Picks the best setting of each method among those that were tried."""

from __future__ import annotations

from realedit.bench.metrics.settings import HIGHER_IS_BETTER, base_name
from realedit.bench.summary import Summary


def best_settings(summary: Summary) -> dict[str, dict[str, str]]:
    """Returns the label whose mean primary figure is best, by kind of edit and method's name.

    A setting that did fewer cases than the method's others is left out: otherwise one that breaks on hard
    cases would win by the easy ones.
    """
    primary = summary.primary()
    if primary is None:
        return {}
    sign = -1.0 if base_name(primary) in HIGHER_IS_BETTER else 1.0
    best: dict[str, dict[str, tuple[int, float, str]]] = {}
    for row in summary.rows:
        if row.figure == primary:
            name = row.method.partition(":")[0]
            found = best.setdefault(row.edit, {})
            mine = (-row.interval.n, sign * row.interval.mean, row.method)
            found[name] = min(found.get(name, mine), mine)
    return {edit: {name: label for name, (_, _, label) in found.items()} for edit, found in best.items()}
