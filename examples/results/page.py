"""The page of the results: prose from a template, every number from the runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from examples.results.measured import read_summary
from examples.results.parts import BEST, COCOEE, KINDS, NOUNS, REPLAYED, RES, SCANNED, TRUTH
from examples.results.targets import TOLD, targets
from inversion import METHODS as INVERSIONS
from realedit.bench.records import read_records
from realedit.bench.summary import Row, Summary, summarise
from realedit.bench.tables import cell, difference, differences, not_done, table

HERE = Path(__file__).parent
TEMPLATE, PAGE = "README.md.jinja", "README.md"

_REGIONS = tuple(f"st_lpips_alex.{region}" for region in ("whole", "object", "hole", "background"))
_KEPT = ("changed_background", "changed_outside")
_TARGET = ("target_centroid", "target_size", "target_angle", "target_hole", "target_remains", "target_colour")


@dataclass(frozen=True)
class Table:
    """A table of the page."""

    head: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """Its lines."""
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_page(runs: Path, output: Path) -> Path:
    """Write the page from the runs that are there; what was not run is said to be missing."""
    names = [*SCANNED, *(f"ablation-{kind}" for kind in SCANNED), "reconstruct", "inversion"]
    found = {name: read_summary(runs / name) for name in names}
    told = {kind: _told(runs / kind) for kind in SCANNED}
    kinds = {kind: read_summary(runs / "edits" / kind) for kind in KINDS}
    best = runs / "search" / BEST
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = environment.from_string((HERE / TEMPLATE).read_text(encoding="utf-8")).render(
        found=found,
        cases={name: summary.cases for name, summary in found.items() if summary is not None},
        targets=Table(
            ["what", "asked", "measured", ""],
            [[t.what, t.asked, t.measured, t.verdict] for t in targets(found, told)],
        ).markdown(),
        scanned={kind: _compared(found[kind], kind) for kind in SCANNED},
        told={kind: _compared(told[kind], kind) for kind in SCANNED},
        ablation={kind: _compared(found[f"ablation-{kind}"], kind, inside=True) for kind in SCANNED},
        replays=_replays(found["reconstruct"]),
        inversions=_compared(found["inversion"], "move", inside=True),
        edits={kind: _edits(kinds[kind], kind, _nouns(runs / "edits" / kind)) for kind in KINDS},
        edit_cases={kind: summary.cases for kind, summary in kinds.items() if summary is not None},
        photographs={name: _photographs(read_summary(runs / name)) for name in (RES, COCOEE)},
        photograph_cases={
            name: summary.cases
            for name in (RES, COCOEE)
            if (summary := read_summary(runs / name)) is not None
        },
        best=json.loads(best.read_text()) if best.is_file() else {},
    )
    output.mkdir(parents=True, exist_ok=True)
    (output / PAGE).write_text(text.rstrip() + "\n", encoding="utf-8")
    return output / PAGE


def _told(folder: Path) -> Summary | None:
    """A run's differences to realedit on the others' footing; None where it was not run so."""
    summary = read_summary(folder)
    if summary is None or TOLD not in summary.methods:
        return None
    records = [record for record in read_records(folder).values() if record.method in summary.methods]
    return summarise(records, TOLD)


def _compared(summary: Summary | None, edit: str, *, inside: bool = False) -> str | None:
    """Fidelity by region, the paired difference of the whole, and what it costs.

    Args:
        summary: of a run.
        edit: the kind.
        inside: also the fidelity of the model's own picture, before the composite in pixels.
    """
    if summary is None:
        return None
    regions = [*_REGIONS, *(["before.st_lpips_alex.whole"] if inside else [])]
    named = ["whole", "object", "hole", "background", *(["the model's own picture"] if inside else [])]
    head = ["method", *named, f"difference to `{summary.baseline}` (95 %)"]
    rows = []
    for method in summary.methods:
        found = [summary.row(edit, method, name) for name in regions]
        costs = [summary.row(edit, method, name) for name in ("seconds", "seconds_again", "evaluations")]
        told = [*map(cell, found), difference(found[0]), *map(cell, costs)]
        rows.append([f"`{method}`", *told, not_done(summary, edit, method)])
    return Table([*head, "s", "s, second edit", "evaluations", "not done"], rows).markdown()


def _photographs(summary: Summary | None) -> str | None:
    """Fidelity by region, and every paired difference with its standard error."""
    if summary is None:
        return None
    edit = summary.edits[0]
    return "\n".join([*table(summary, edit), "", *differences(summary, edit)]).rstrip()


def _edits(summary: Summary | None, edit: str, nouns: dict[str, dict[str, float]] | None) -> str | None:
    """Target reached, what was kept, and fidelity, of one kind of edit."""
    if summary is None:
        return None
    measures = [name for name in _TARGET if name in summary.figures]
    head = [
        "method",
        "target reached",
        *measures,
        *([f"noun (the truth: {_share(nouns, TRUTH)})"] if edit == "replace" else []),
    ]
    rows = []
    for method in summary.methods:
        reached = summary.row(edit, method, "target_reached")
        told = [cell(summary.row(edit, method, name)) for name in (*measures, *_KEPT, *_REGIONS)]
        noun = [_share(nouns, method)] if edit == "replace" else []
        told[len(measures) : len(measures)] = noun
        rows.append([f"`{method}`", _reached(reached), *told, not_done(summary, edit, method)])
    regions = ["whole", "object", "hole", "background"]
    return Table([*head, "background changed", "outside region", *regions, "not done"], rows).markdown()


def _replays(summary: Summary | None) -> str | None:
    """PSNR of each inversion's replay, at its own guidance scale and at that of an edit."""
    if summary is None:
        return None
    suffixes = [f"guidance_scale={scale:g}," if scale else "" for scale in REPLAYED]
    head = ["inversion"]
    for scale in REPLAYED:
        said = f"at guidance scale {scale:g}" if scale else "at its own guidance scale"
        head += [f"PSNR to the round trip, dB, {said}", f"PSNR to the photo, dB, {said}"]
    rows = []
    for name in INVERSIONS:
        labels = [f"reconstruct:{suffix}inversion={name}" for suffix in suffixes]
        edit = summary.edits[0]
        cells = [
            cell(summary.row(edit, label, figure))
            for label in labels
            for figure in ("psnr.roundtrip", "psnr.photo")
        ]
        costs = [cell(summary.row(edit, labels[0], figure)) for figure in ("seconds", "evaluations")]
        rows.append([f"`{name}`", *cells, *costs])
    return Table([*head, "s", "evaluations"], rows).markdown()


def _reached(row: Row | None) -> str:
    """How many of the cases that can be judged."""
    return "-" if row is None else f"{row.interval.mean * row.interval.n:.0f} of {row.interval.n}"


def _nouns(folder: Path) -> dict[str, dict[str, float]] | None:
    file = folder / NOUNS
    return json.loads(file.read_text()) if file.is_file() else None


def _share(nouns: dict[str, dict[str, float]] | None, method: str) -> str:
    if nouns is None:
        return "missing"
    found = nouns.get(method)
    return "-" if found is None else f"{found['share'] * found['n']:.0f} of {found['n']:.0f}"
