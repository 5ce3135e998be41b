"""The best setting of each method, of those that were tried."""

from __future__ import annotations

from realedit.bench.metrics.settings import HIGHER_IS_BETTER, base_name
from realedit.bench.summary import Summary


def best_settings(summary: Summary) -> dict[str, dict[str, str]]:
    """By kind of edit and method's name, the label whose mean of the primary figure is best.

    A setting that could not do every case that the method's others did is out: what breaks on a hard case
    would else win by the easy ones.
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
