"""Writes what a calibration came to: the profile, and a page with tables, plots and pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from realedit.bench.statistics import Interval, paired_difference
from realedit.calibrate.records import plain
from realedit.calibrate.run import Calibration, Group, Told
from realedit.system.whole_files import write_files

PAGE, PROFILE = "index.html", "profile.json"
_TEMPLATE = "assets/calibrate.html.jinja"
_PICTURES = 12
"""Pictures of a group that the page shows, of the scenes that are held back; the rest is in the folder. Set
by eye."""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        title: of it.
        text: a paragraph.
        head: of its table.
        rows: of its table.
        plot: a file beside the page, or "".
        pictures: files beside the page, each with its caption.
    """

    title: str
    text: str
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    plot: str = ""
    pictures: Sequence[tuple[str, str]] = ()


def write(folder: Path, found: Calibration, *, title: str, notes: Sequence[str]) -> Path:
    """Writes profile and page into a folder, and returns the page.

    Args:
        folder: it exists.
        found: what was measured.
        title: of the page.
        notes: what a reader should know.
    """
    files: dict[Path, bytes] = {folder / PROFILE: found.profile.dump().encode()}
    sections: list[Section] = []
    for group in found.groups:
        plot = f"{group.name}.png"
        drawn = _plot(group)
        if drawn is not None:
            files[folder / plot] = drawn
        sections.append(_section(group, found.lines.get(group.name, ()), plot if drawn else ""))
    if found.ways:
        sections.append(_ways(found.ways))
    if found.told is not None:
        sections.append(_threshold(found.told))
    sections.append(_profile(found))
    files[folder / PAGE] = _rendered(title, notes, sections).encode()
    write_files(files, force=True)
    return folder / PAGE


def summary(found: Calibration) -> list[str]:
    """Says in a line for each group what was found."""
    lines: list[str] = []
    for group in found.groups:
        text = f"{group.name}: {_changes(group) or 'as it was'}"
        if group.difference is not None:
            text += f"; held back: {_number(group.held)} before, {_number(group.after)} after"
            text += f" ({_interval(group.difference)})"
        lines.append(text + ("; taken back" if group.taken_back else ""))
    lines += [": ".join(row) for row in _ways(found.ways).rows] if found.ways else []
    if found.told is not None:
        lines.append(f"found at or above: {found.told.value:.3g} (was {found.told.before:.3g})")
    return lines


def _section(group: Group, lines: Sequence[Mapping[str, Any]], plot: str) -> Section:
    state = "complete" if group.descent.complete else "the time was over"
    text = (
        f"Loss: {group.metric}, less is better. Chosen on {group.chosen_on} cases; {state}. "
        f"{_changes(group) or 'Nothing was better than what there was'}. "
    )
    if group.difference is not None:
        text += (
            f"On {group.difference.n} cases that were held back: {_number(group.held)} before, "
            f"{_number(group.after)} after, difference {_interval(group.difference)} (95 %). "
        )
    if group.taken_back:
        text += "What was found is no better there and was taken back. "
    text += _cost(lines)
    rows = [
        (
            trial.name,
            str(plain({"": trial.value})[""]),
            "-" if trial.difference is None else str(trial.difference.n),
            "-" if trial.difference is None else _interval(trial.difference),
            "kept" if trial.kept else "",
        )
        for trial in group.descent.trials
    ]
    pictures = [
        (str(line["picture"]), f"{line['case']}: {_number(line['loss'])}")
        for line in lines
        if "picture" in line
    ]
    head = ("setting", "tried at", "cases", "difference (95 %)", "")
    return Section(group.name, text, head, rows, plot, pictures[:_PICTURES])


def _ways(ways: Mapping[str, Sequence[Mapping[str, Any]]]) -> Section:
    """Lays both ways of finding beside each other, on the same cases."""
    rows: list[tuple[str, str]] = []
    for way, lines in ways.items():
        points, iou, evaluations = (
            float(np.mean([line[name] for line in lines])) for name in ("points", "iou", "evaluations")
        )
        said = f"points at {points:.1%} of {len(lines)}, IoU of half the heat {iou:.3f}"
        said += f", {evaluations:g} evaluations"
        rows.append((way, said))
    if len(ways) == 2:
        one, other = ([float(line["iou"]) for line in lines] for lines in ways.values())
        rows.append(("goca less attention", f"IoU {_interval(paired_difference(other, one))}"))
    return Section("Ways of finding, on all scenes", "", ("way", ""), rows)


def _threshold(told: Told) -> Section:
    text = f"Found at or above {told.value:.3g} (was {told.before:.3g}). "
    text += f"{told.chosen:.0%} are told rightly where it was chosen."
    if told.held is not None and told.held_before is not None:
        text += f" Held back: {told.held:.0%}, by the one before {told.held_before:.0%}."
    return Section("Words that are there, and words that are not", text)


def _profile(found: Calibration) -> Section:
    now, before = found.profile.values(), found.start.values()
    rows = [
        (
            name,
            str(value),
            "" if before[name] == value else str(before[name]),
            found.profile.sources.get(name, "-"),
        )
        for name, value in now.items()
        if name != "name"
    ]
    return Section("The profile", "", ("default", "value", "was", "source"), rows)


def _cost(lines: Sequence[Mapping[str, Any]]) -> str:
    """Says time by stage, evaluations and memory, over the held-back cases."""
    if not lines:
        return ""
    stages = dict.fromkeys(stage for line in lines for stage in line.get("seconds", {}))
    means = {s: float(np.mean([line.get("seconds", {}).get(s, 0.0) for line in lines])) for s in stages}
    said = ", ".join(f"{stage} {mean:.2f} s" for stage, mean in means.items())
    said += f"; {np.mean([line.get('evaluations', 0) for line in lines]):.1f} evaluations"
    peaks = [line["peak_mib"] for line in lines if line.get("peak_mib")]
    return f"A case takes: {said}" + (f"; at most {max(peaks):.0f} MiB." if peaks else ".")


def _changes(group: Group) -> str:
    start, final = plain(group.start), plain(group.descent.values)
    return ", ".join(f"{name} {start[name]} -> {final[name]}" for name in final if final[name] != start[name])


def _plot(group: Group) -> bytes | None:
    """Draws each trial's difference; None without trials or without matplotlib."""
    trials = [trial for trial in group.descent.trials if trial.difference is not None]
    if not trials or find_spec("matplotlib") is None:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.2 + 0.3 * len(trials)), layout="constrained")
    axes = figure.add_subplot(1, 1, 1)
    differences = [trial.difference for trial in trials if trial.difference is not None]
    axes.barh(
        range(len(trials)),
        [d.mean for d in differences],
        xerr=[d.error or 0.0 for d in differences],
        color=["#b03030" if trial.kept else "#6080a0" for trial in trials],
        capsize=2,
    )
    labels = [f"{trial.name} = {plain({'': trial.value})['']}" for trial in trials]
    axes.set_yticks(range(len(trials)), labels, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("difference of the loss, less is better; +- standard error", fontsize=8)
    axes.grid(axis="x", alpha=0.3)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    return drawn.getvalue()


def _rendered(title: str, notes: Sequence[str], sections: Sequence[Section]) -> str:
    from jinja2 import Environment, StrictUndefined

    template = (resources.files("realedit") / _TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(title=title, notes=notes, sections=sections)


def _interval(found: Interval) -> str:
    if found.low is None or found.high is None:
        return f"{found.mean:+.4g}"
    return f"{found.mean:+.4g} [{found.low:+.4g}, {found.high:+.4g}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
