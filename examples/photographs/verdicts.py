"""A person's verdicts on the edits, as a table: what a photographer would show, and what spoils the others.

``verdicts.json``: ``{"commit": "...", "judge": "...", "verdicts": {"kite-move": [true, ""], "cat-flip":
[false, "a seam at its back"]}}``. A refused edit was not shown, whatever the verdict says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from examples.photographs.asked import Asked
from realedit.bench.records import OK, Record
from realedit.errors import UsageError


def write_verdicts(file: Path, asked: Sequence[Asked], records: Sequence[Record]) -> Path:
    """Writes the table beside the verdicts, as Markdown.

    Args:
        file: the verdicts.
        asked: what was asked for.
        records: what became of it, in the same order.

    Returns:
        The table's file.

    Raises:
        UsageError: an edit has no verdict.
    """
    told = json.loads(file.read_text(encoding="utf-8"))
    verdicts: dict[str, tuple[bool, str]] = told["verdicts"]
    missing = [
        one.id
        for one, record in zip(asked, records, strict=True)
        if _judged(record) and one.id not in verdicts
    ]
    if missing:
        raise UsageError(f"no verdict on {', '.join(missing)}", f"add them to {file}")
    lines, shown = [], {"word": [0, 0], "mask, point or box": [0, 0]}
    for one, record in zip(asked, records, strict=True):
        good, why = verdicts[one.id] if _judged(record) else (False, f"refused: {record.reason}")
        count = shown["word" if one.by == "word" else "mask, point or box"]
        count[0], count[1] = count[0] + good, count[1] + 1
        warned = "yes" if record.warnings else ""
        entry = ", ".join(name if value is None else f"{name} {value}" for name, value in one.edit.items())
        cells = (
            one.id,
            one.photo,
            one.by,
            entry,
            "yes" if good else "no",
            warned,
            f"{record.seconds:.0f}",
            why,
        )
        lines.append("| " + " | ".join(cells) + " |")
    totals = [f"* by {how}: {good} of {n} would be shown" for how, (good, n) in shown.items() if n]
    head = "| id | photograph | shown by | edit | would be shown | warned | s | why not |"
    intro = [
        "# Forty edits of photographs",
        "",
        "Photographs of PixelMan's COCOEE (second half), on which nothing was set, and of ReS (odd scenes),",
        "on which nothing of holes and shadows was,",
        f"looked at before and after ({told['judge']}, commit {told['commit']}): would a photographer show",
        "it?",
        "`python -m examples.photographs FOLDER --cocoee COCOEE --res ReS` makes them again.",
        "",
        *totals,
        "",
    ]
    table = file.with_suffix(".md")
    table.write_text("\n".join([*intro, head, "|" + "---|" * 8, *lines]) + "\n", encoding="utf-8")
    return table


def _judged(record: Record) -> bool:
    return record.status == OK
