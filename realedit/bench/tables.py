"""Writes a summary as CSV and as Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from realedit.bench.metrics.settings import HIGHER_IS_BETTER, base_name
from realedit.bench.records import ERROR, FAILED, UNSUPPORTED
from realedit.bench.regions import REGIONS
from realedit.bench.summary import Row, Summary, better

_COLUMNS = (
    "edit",
    "method",
    "figure",
    "n",
    "mean",
    "low",
    "high",
    "median",
    "difference",
    "difference_low",
    "difference_high",
    "difference_n",
    "difference_error",
    "better",
)

_PARTS = ("object", "hole", "background")
_EXTRA = (
    "psnr.whole",
    "ssim.whole",
    "seam",
    "harmony",
    "centroid_error",
    "mask_iou",
    "changed_background",
    "changed_outside",
    "target_reached",
)


def as_csv(summary: Summary) -> str:
    """Writes one line per row; what is not known is empty."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in summary.rows:
        own, other = row.interval, row.difference
        paired = [""] * 5
        if other is not None:
            paired = [other.mean, other.low, other.high, other.n, other.error]
        numbers = [own.n, own.mean, own.low, own.high, row.median, *paired, row.better]
        writer.writerow([row.edit, row.method, row.figure, *("" if v is None else v for v in numbers)])
    return file.getvalue()


def as_markdown(summary: Summary, notes: Sequence[str] = ()) -> str:
    """Writes a table for each kind of edit, and how to read it."""
    parts = ["# Benchmark", "", *_legend(summary), *(f"* {note}" for note in notes)]
    for edit in summary.edits:
        parts += ["", f"## {edit}", "", *table(summary, edit)]
        regional = differences(summary, edit)
        parts += ["", *regional] if regional else []
    if summary.missing:
        parts += ["", "## Missing", ""]
        parts += [f"* `{name}`: {reason}" for name, reason in sorted(summary.missing.items())]
    return "\n".join(parts) + "\n"


def table(summary: Summary, edit: str) -> list[str]:
    """Returns the lines of one kind's table."""
    names = columns(summary)
    primary = summary.primary()
    head = [
        "method",
        *(f"{name} {arrow(name)}" for name in names),
        f"difference to {summary.baseline} (95 %)",
    ]
    head += ["better in", "s", "evaluations", "not done"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for method in summary.methods:
        row = None if primary is None else summary.row(edit, method, primary)
        cells = [f"`{method}`", *(cell(summary.row(edit, method, name)) for name in names), difference(row)]
        cells.append("" if row is None or row.better is None else f"{row.better:.0%}")
        cells += [cell(summary.row(edit, method, name)) for name in ("seconds", "evaluations")]
        cells.append(not_done(summary, edit, method))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def differences(summary: Summary, edit: str) -> list[str]:
    """Returns the lines of a table of the other methods less the baseline, by region; none for one method."""
    figures = regional(summary)
    rows = [[f"`{method}`", *cells] for method, cells in difference_rows(summary, edit) if any(cells)]
    if not rows:
        return []
    head = [f"less `{summary.baseline}`, +- standard error", *(f"{name} {arrow(name)}" for name in figures)]
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]


def difference_rows(summary: Summary, edit: str) -> list[tuple[str, list[str]]]:
    """Returns each other method with its paired differences to the baseline, by :func:`regional`."""
    found = []
    for method in summary.methods:
        if method != summary.baseline:
            rows = (summary.row(edit, method, figure) for figure in regional(summary))
            found.append((method, [with_error(row) for row in rows]))
    return found


def regional(summary: Summary) -> list[str]:
    """Returns the primary figure on the whole picture and on each region, as far as the run has them."""
    metric, _, _ = (summary.primary() or "").partition(".")
    wanted = [f"{metric}.{region}" for region in REGIONS]
    return [name for name in wanted if name in summary.figures]


def with_error(row: Row | None) -> str:
    """Returns a paired difference with its standard error, and the verdict of :func:`difference`."""
    if row is None or row.difference is None:
        return ""
    found = row.difference
    if found.error is None:
        return f"{found.mean:+.4f}"
    return f"{found.mean:+.4f} +- {found.error:.4f}{_verdict(row)}"


def _verdict(row: Row) -> str:
    """Says whether a method is ahead of the baseline or behind it, beyond the interval."""
    found = row.difference
    if found is None or found.low is None or found.high is None or found.low <= 0 <= found.high:
        return ""
    return " ahead" if better(row.figure, found.mean) else " behind"


def columns(summary: Summary) -> list[str]:
    """Returns the figures that a table shows: the primary one on every region, and a few others."""
    primary = summary.primary()
    if primary is None:
        return []
    metric, _, region = primary.partition(".")
    if region == "roundtrip":
        wanted = [f"{name}.{which}" for which in ("roundtrip", "photo") for name in _replayed(summary)]
    else:
        before = f"before.{primary}"
        wanted = [primary, *(f"{metric}.{part}" for part in _PARTS), before, *_EXTRA]
    return [name for name in dict.fromkeys(wanted) if name in summary.figures]


def cell(row: Row | None) -> str:
    """Returns a mean, or a dash where there is none."""
    return "-" if row is None else number(row.interval.mean)


def difference(row: Row | None) -> str:
    """Returns a paired difference with its interval, and whether the method is ahead or behind beyond it."""
    if row is None or row.difference is None:
        return ""
    found = row.difference
    if found.low is None or found.high is None:
        return f"{found.mean:+.4f}"
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]{_verdict(row)}"


def not_done(summary: Summary, edit: str, method: str) -> str:
    """Says how many cases a method refused, does not support or broke on."""
    counts = summary.counts[edit, method]
    words = ((FAILED, "refused"), (UNSUPPORTED, "not supported"), (ERROR, "broken"))
    return ", ".join(f"{counts[status]} {word}" for status, word in words if counts[status])


def arrow(figure: str) -> str:
    """Says which way is better."""
    if base_name(figure) == "size_ratio":
        return "(1)"
    return "(+)" if base_name(figure) in HIGHER_IS_BETTER else "(-)"


def number(value: float) -> str:
    """Writes four significant figures, or one decimal above a hundred."""
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.4g}"


def _replayed(summary: Summary) -> list[str]:
    found = (name.partition(".")[0] for name in summary.figures if name.endswith(".roundtrip"))
    return list(dict.fromkeys(found))


def _legend(summary: Summary) -> list[str]:
    primary = summary.primary()
    return [
        f"{summary.cases} cases. Fidelity is `{primary}`; (-) less is better, (+) more is better.",
        f"Differences are paired, case by case, to `{summary.baseline}`, with Student's 95 % interval;",
        "errors are over scenes where several cases show one;",
        "*ahead* and *behind* stand where it does not hold 0. A refused edit counts as the untouched photo.",
        "",
    ]
