"""Shows the results as a page: tables, plots, and every case's pictures side by side, by relative links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from urllib.parse import quote

from realedit.bench.records import OK, Record
from realedit.bench.summary import Summary
from realedit.bench.tables import (
    arrow,
    cell,
    columns,
    difference,
    difference_rows,
    not_done,
    number,
    regional,
)

_TEMPLATE = "assets/bench.html.jinja"
_MOST_CASES = 200
"""Cases whose pictures the page shows: those beyond it are left out and counted. Not measured."""


@dataclass(frozen=True)
class Tile:
    """A picture with its caption; without a picture, why there is none."""

    caption: str
    figure: str
    link: str | None
    note: str = ""


@dataclass(frozen=True)
class Strip:
    """A case's pictures in a row."""

    title: str
    tiles: Sequence[Tile]


def page(
    summary: Summary, records: Sequence[Record], *, title: str, notes: Sequence[str], plots: Sequence[str]
) -> str:
    """Renders the page; every text in it is escaped.

    Args:
        summary: the records' summary.
        records: the run's records.
        title: the page's title, one line.
        notes: what a reader should know.
        plots: names of the plots' files, which lie beside the page.
    """
    from jinja2 import Environment, StrictUndefined

    template = (resources.files("realedit") / _TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    strips = _strips(summary, records)
    return environment.from_string(template).render(
        title=title,
        notes=notes,
        summary=summary,
        tables=[(edit, [_table(summary, edit), *_differences(summary, edit)]) for edit in summary.edits],
        plots=plots,
        strips=strips[:_MOST_CASES],
        hidden=max(0, len(strips) - _MOST_CASES),
    )


def _table(summary: Summary, edit: str) -> tuple[list[str], list[list[str]]]:
    names = columns(summary)
    primary = summary.primary()
    head = [
        "method",
        *(f"{name} {arrow(name)}" for name in names),
        f"difference to {summary.baseline} (95 %)",
    ]
    head += ["s", "evaluations", "not done"]
    rows = []
    for method in summary.methods:
        row = None if primary is None else summary.row(edit, method, primary)
        figures = [cell(summary.row(edit, method, name)) for name in names]
        costs = [cell(summary.row(edit, method, name)) for name in ("seconds", "evaluations")]
        rows.append([method, *figures, difference(row), *costs, not_done(summary, edit, method)])
    return head, rows


def _differences(summary: Summary, edit: str) -> list[tuple[list[str], list[list[str]]]]:
    """Returns head and rows of the differences by region, if there are any."""
    rows = [[method, *cells] for method, cells in difference_rows(summary, edit) if any(cells)]
    head = [f"less {summary.baseline}, +- standard error", *(f"{n} {arrow(n)}" for n in regional(summary))]
    return [(head, rows)] if rows else []


def _strips(summary: Summary, records: Sequence[Record]) -> list[Strip]:
    primary = summary.primary()
    by_case: dict[str, list[Record]] = {}
    for record in records:
        by_case.setdefault(record.case, []).append(record)
    strips = []
    for found in by_case.values():
        first = found[0]
        tiles = [Tile("photo", "", _link(first.photo))]
        if first.truth is not None:
            tiles.append(Tile("truth", "", _link(first.truth)))
        for record in found:
            value = record.figures.get(primary or "")
            figure = "" if value is None else number(value)
            note = "" if record.status == OK else f"{record.status}: {record.reason}"
            tiles.append(Tile(record.method, figure, _link(record.picture), note))
            if record.before is not None:
                tiles.append(Tile(f"{record.method}, before the composite", "", _link(record.before)))
        strips.append(Strip(heading(first), tiles))
    return strips


def heading(record: Record) -> str:
    """Says in a line which case a record is of, and what was asked for."""
    numbers = ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in record.edit.items()
        if name != "kind"
    )
    return f"{record.case}: {record.kind} {numbers}".strip()


def _link(path: str | None) -> str | None:
    return None if path is None else quote(path)
