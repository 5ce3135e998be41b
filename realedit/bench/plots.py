"""Draws two plots of a summary as PNG, fidelity by method and against time, a panel for each kind of edit."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from realedit.bench.summary import Row, Summary
from realedit.bench.tables import arrow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def fidelity_plot(summary: Summary) -> bytes | None:
    """Draws mean and 95 % interval of the primary figure by method, a panel for each kind of edit.

    Returns:
        A PNG file, or None where there is nothing to draw.

    Raises:
        ImportError: matplotlib is not installed.
    """
    primary = summary.primary()
    if primary is None:
        return None
    from matplotlib.figure import Figure

    height = 1.2 + 0.32 * len(summary.methods)
    figure = Figure(figsize=(8, height * len(summary.edits)), layout="constrained")
    for index, edit in enumerate(summary.edits):
        axes = figure.add_subplot(len(summary.edits), 1, index + 1)
        rows = [(m, summary.row(edit, m, primary)) for m in reversed(summary.methods)]
        _bars(axes, [(method, row) for method, row in rows if row is not None], summary.baseline)
        axes.set_title(edit, loc="left", fontsize=10)
        axes.set_xlabel(f"{primary} {arrow(primary)}", fontsize=9)
    return _png(figure)


def cost_plot(summary: Summary) -> bytes | None:
    """Draws the primary figure against seconds per edit, a point for each method.

    Returns:
        A PNG file, or None where there is nothing to draw.

    Raises:
        ImportError: matplotlib is not installed.
    """
    primary = summary.primary()
    if primary is None:
        return None
    from matplotlib.figure import Figure

    marks = _marks(summary)
    figure = Figure(figsize=(10, 4.5 * len(summary.edits)), layout="constrained")
    for index, edit in enumerate(summary.edits):
        axes = figure.add_subplot(len(summary.edits), 1, index + 1)
        for method in summary.methods:
            fidelity, cost = summary.row(edit, method, primary), summary.row(edit, method, "seconds")
            if fidelity is None or cost is None:
                continue
            place = (cost.interval.mean, fidelity.interval.mean)
            colour, marker = marks[method]
            axes.plot(*place, marker, color=colour, markersize=8, alpha=0.8, linestyle="none", label=method)
        axes.set_xscale("symlog", linthresh=0.1)
        axes.set_xlim(left=-0.01)  # what takes no time is not cut in half
        axes.set_xlabel("seconds an edit (inversion included)", fontsize=9)
        axes.set_ylabel(f"{primary} {arrow(primary)}", fontsize=9)
        axes.set_title(edit, loc="left", fontsize=10)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, frameon=False)
    return _png(figure)


def _marks(summary: Summary) -> dict[str, tuple[str, str]]:
    """Returns colour and marker of each method: names beside the points would cover one another."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    palette: Any = colormaps["tab10"]  # typed as a map of any kind, which need not be a list
    colours = [to_hex(colour) for colour in palette.colors]
    kinds = "osD^vP*X<>"
    others = [method for method in summary.methods if method != summary.baseline]
    marks = {m: (colours[k % 10], kinds[(k + k // 10) % 10]) for k, m in enumerate(others)}
    return marks | {summary.baseline: ("#000000", "*")}


def _bars(axes: Axes, rows: list[tuple[str, Row]], baseline: str) -> None:
    places = range(len(rows))
    means = [row.interval.mean for _, row in rows]
    halves = [row.interval.half or 0.0 for _, row in rows]
    colours = ["#b03030" if method == baseline else "#6080a0" for method, _ in rows]
    axes.barh(places, means, xerr=halves, color=colours, ecolor="#303030", capsize=2, height=0.7)
    axes.set_yticks(places, [method for method, _ in rows], fontsize=8)
    axes.grid(axis="x", alpha=0.3)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue()
