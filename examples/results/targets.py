"""The targets of the design, each met or not, from what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from realedit.bench.methods.spec import GROUPS
from realedit.bench.metrics.settings import base_name
from realedit.bench.summary import Row, Summary, better
from realedit.bench.tables import number

OWN = "realedit"
TOLD = "realedit:mask=true"
"""Realedit on the others' footing: told by the true mask where the object is."""
REGIONS = ("whole", "object", "hole", "background")
MET, NOT_MET, NOT_MEASURED = "met", "**not met**", "not measured"
_WAYS = tuple(name for name in (*GROUPS["classical"], *GROUPS["peers"]) if name != "no-edit")

Summaries = Mapping[str, Summary | None]


@dataclass(frozen=True)
class Target:
    """One line of the page.

    Args:
        what: is asked for.
        asked: how much of it.
        measured: what was found, or why nothing was.
        verdict: :data:`MET`, :data:`NOT_MET` or :data:`NOT_MEASURED`.
    """

    what: str
    asked: str
    measured: str
    verdict: str


def targets(found: Summaries, told: Summaries | None = None) -> list[Target]:
    """Every target, measured where its run was made.

    Args:
        found: summaries by the run's name.
        told: those with differences to :data:`TOLD`.
    """
    told = told or {}
    move, remove, replay = found.get("move"), found.get("remove"), found.get("reconstruct")
    fidelity = "st_lpips_alex.whole"
    return [
        _most("move by word alone, ST-LPIPS to the truth", move, "move", OWN, fidelity, 0.018),
        _most("move: centroid error by its own matte, widths", move, "move", OWN, "centroid_error", 0.01),
        _most("the same, the object found by its pixels", move, "move", OWN, "target_centroid", 0.01),
        _least("locate: IoU of the mask by word", move, "move", OWN, "mask_iou", 0.85),
        _most("pixels changed outside the edited region", move, "move", OWN, "changed_outside", 0),
        _most("the same, remove", remove, "remove", OWN, "changed_outside", 0),
        _least(
            "replay against the VAE's round trip, PSNR, dB",
            replay,
            "move",
            "reconstruct:inversion=direct",
            "psnr.roundtrip",
            50,
        ),
        *_order(replay),
        _most("invert and edit, s", move, "move", OWN, "seconds", 12),
        _most("a second edit of the same photo, s", move, "move", OWN, "seconds_again", 6),
        _most("evaluations of the UNet", move, "move", OWN, "evaluations", 64),
        *_fidelity(move, "move", "by word"),
        *_fidelity(told.get("move"), "move", "told the mask as they are"),
        *_fidelity(remove, "remove", "by word"),
        *_fidelity(told.get("remove"), "remove", "told the mask as they are"),
        *_time(move, "move"),
        *_time(remove, "remove"),
        Target(
            "SDXL at 1024 px, fp16, peak GPU memory",
            "<= 12 GB; offloaded <= 8 GB",
            "needs a GPU and SDXL's weights, which could not be had",
            NOT_MEASURED,
        ),
        Target(
            "fidelity on SDXL's own weights",
            "as above",
            "needs SDXL's weights, which could not be had",
            NOT_MEASURED,
        ),
    ]


def _order(replay: Summary | None) -> list[Target]:
    """The published order of the inversions (Ju et al. 2024, arXiv 2310.01506), at realedit's own scale."""
    asked = "ddim < negative_prompt < null_text < direct"
    labels = {name: f"reconstruct:guidance_scale=2,inversion={name}" for name in asked.split(" < ")}
    what = "order of the replays' PSNR to the round trip, at guidance scale 2"
    found = (
        {} if replay is None else {n: replay.row("move", at, "psnr.roundtrip") for n, at in labels.items()}
    )
    means = {name: row.interval.mean for name, row in found.items() if row is not None}
    if len(means) < len(labels):
        return [Target(what, asked, "-", NOT_MEASURED)]
    ordered = sorted(means.values()) == list(means.values()) and len(set(means.values())) == len(means)
    said = ", ".join(f"{name} {number(mean)}" for name, mean in means.items())
    return [Target(what, asked, said, MET if ordered else NOT_MET)]


def _fidelity(summary: Summary | None, edit: str, footing: str) -> list[Target]:
    """Ahead of each other way on the whole picture and on every region."""
    figures = tuple(f"st_lpips_alex.{region}" for region in REGIONS)
    lines = [
        _ahead(summary, edit, f"{edit} {footing}: fidelity, against {label}", label, figures)
        for name, label in _others(summary, edit)
    ]
    return lines or [
        Target(f"{edit} {footing}: fidelity against every other way", "ahead of each", "-", NOT_MEASURED)
    ]


def _time(summary: Summary | None, edit: str) -> list[Target]:
    """Ahead of each peer that runs the model."""
    lines = [
        _ahead(summary, edit, f"{edit}: time, against {label}", label, ("seconds",))
        for name, label in _others(summary, edit)
        if name in GROUPS["peers"]
    ]
    return lines or [Target(f"{edit}: time against the peers", "ahead of each", "-", NOT_MEASURED)]


def _others(summary: Summary | None, edit: str) -> list[tuple[str, str]]:
    """Names and labels of the other ways that can make an edit of a kind."""
    if summary is None:
        return []
    found = [(name, label) for name in _WAYS for label in _labels(summary, name)]
    return [(name, at) for name, at in found if summary.row(edit, at, "st_lpips_alex.whole") is not None]


def _most(what: str, summary: Summary | None, edit: str, method: str, figure: str, limit: float) -> Target:
    return _limited(what, summary, edit, method, figure, f"<= {limit:g}", lambda value: value <= limit)


def _least(what: str, summary: Summary | None, edit: str, method: str, figure: str, limit: float) -> Target:
    return _limited(what, summary, edit, method, figure, f">= {limit:g}", lambda value: value >= limit)


def _limited(
    what: str,
    summary: Summary | None,
    edit: str,
    method: str,
    figure: str,
    asked: str,
    reached: Callable[[float], bool],
) -> Target:
    row = None if summary is None else summary.row(edit, method, figure)
    if row is None:
        return Target(what, asked, "-", NOT_MEASURED)
    interval = row.interval
    half = "" if interval.half is None else f" +- {number(interval.half)}"
    cases = f" ({interval.n} cases)"
    return Target(
        what, asked, number(interval.mean) + half + cases, MET if reached(interval.mean) else NOT_MET
    )


def _ahead(summary: Summary | None, edit: str, what: str, label: str, figures: Sequence[str]) -> Target:
    """Met where each figure's paired difference is beyond 0, its 95 % interval included, to our good."""
    rows = [] if summary is None else [summary.row(edit, label, figure) for figure in figures]
    told = [row for row in rows if row is not None and row.difference is not None]
    if not told:
        return Target(what, "ahead", "-", NOT_MEASURED)
    said = "; ".join(f"{_short(row.figure)} {_gap(row)}" for row in told)
    return Target(what, "ahead", said, MET if all(map(_behind, told)) else NOT_MET)


def _behind(row: Row) -> bool:
    """Whether another method is worse than the baseline beyond its interval."""
    gap = row.difference
    if gap is None or gap.low is None or gap.high is None:
        return False
    return not better(row.figure, gap.mean) and (gap.low > 0 or gap.high < 0)


def _gap(row: Row) -> str:
    gap = row.difference
    if gap is None:
        return ""
    if gap.low is None or gap.high is None:
        return f"{gap.mean:+.3g}"
    return f"{gap.mean:+.3g} [{gap.low:+.3g}, {gap.high:+.3g}]"


def _short(figure: str) -> str:
    return figure.partition(".")[2] or base_name(figure)


def _labels(summary: Summary | None, name: str) -> list[str]:
    """The labels of a method in a run; its name where the run was not made."""
    if summary is None:
        return [name]
    return [label for label in summary.methods if label.partition(":")[0] == name]
