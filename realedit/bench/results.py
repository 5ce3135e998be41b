"""Writes the results' folder: ``records.jsonl`` grows during a run, the rest is made when it ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from realedit.bench.page import page
from realedit.bench.plots import cost_plot, fidelity_plot
from realedit.bench.records import Record
from realedit.bench.summary import Summary, summarise
from realedit.bench.tables import as_csv, as_markdown
from realedit.errors import PhotoError
from realedit.system.whole_files import write_files

SUMMARY, TABLE, CSV, PAGE = "summary.json", "table.md", "summary.csv", "index.html"
PLOTS = ("fidelity.png", "cost.png")


def write_results(
    folder: Path, records: Sequence[Record], *, baseline: str | None = None, title: str
) -> Summary:
    """Writes summary.json, summary.csv, table.md, the plots and index.html.

    Args:
        folder: the folder of the records.
        records: the run's records.
        baseline: the method that the others are compared with.
        title: the page's title.

    Returns:
        The summary. Without matplotlib there are no plots, and the table says so.

    Raises:
        PhotoError: the disk refused; no file is half-written.
    """
    summary = summarise(records, baseline)
    notes = _notes(records)
    contents: dict[Path, bytes] = {}
    try:
        drawn = dict(zip(PLOTS, (fidelity_plot(summary), cost_plot(summary)), strict=True))
        contents |= {folder / name: png for name, png in drawn.items() if png is not None}
    except ImportError:
        notes.append("No plots: matplotlib is not installed (pip install 'realedit[bench]').")
    plots = [path.name for path in contents]
    as_json = json.dumps(summary.fields(), indent=1, ensure_ascii=False, allow_nan=False)
    contents |= {
        folder / SUMMARY: as_json.encode(),
        folder / CSV: as_csv(summary).encode(),
        folder / TABLE: as_markdown(summary, notes).encode(),
        folder / PAGE: page(summary, records, title=title, notes=notes, plots=plots).encode(),
    }
    try:
        write_files(contents, force=True)
    except OSError as error:
        raise PhotoError(
            f"{folder} could not be written ({error.strerror or error})", "check the disk"
        ) from error
    return summary


def _notes(records: Sequence[Record]) -> list[str]:
    """Says how the records were made, where they agree on it."""
    made = [record.made for record in records if record.made]
    if not made:
        return []
    first = made[0]
    versions = ", ".join(f"{name} {number}" for name, number in first["versions"].items() if number)
    notes = [f"Model {first['model']}, seed {first['seed']}; {versions}."]
    threads = sorted({entry["threads"] for entry in made})
    notes.append(
        f"Threads of a process: {', '.join(map(str, threads))}. Times are this machine's, as busy as it was."
    )
    masking = first["metrics"]["masking"]
    if masking == "pie":
        notes.append("Regions by PIE-Bench's convention: all else is black in both pictures.")
    return notes
