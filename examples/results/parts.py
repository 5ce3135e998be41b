"""What is measured: runs of ``realedit bench``, each resumed where an earlier one ended."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inversion import METHODS as INVERSIONS
from realedit.bench.case import Case
from realedit.bench.datasets import load_dataset
from realedit.bench.methods import MethodSpec, expand, parse_method
from realedit.bench.methods.spec import GROUPS, method_class, unique
from realedit.bench.metrics.settings import METRICS, MetricSettings
from realedit.bench.records import Record
from realedit.bench.results import CSV, PLOTS, SUMMARY, TABLE, write_results
from realedit.bench.run import run
from realedit.bench.search import best_settings
from realedit.bench.selection import Part, part_of
from realedit.bench.sheet import write_sheet
from realedit.bench.summary import Summary
from realedit.bench.workbench import ModelSettings
from realedit.bench.worker import RunSettings
from realedit.errors import UsageError
from realedit.inverted.inverter import METHOD
from realedit.system.progress import progress_bars

CASES = Path(__file__).parents[1] / "cases"
KINDS = ("move", "resize", "rotate", "remove", "replace", "recolour")
SCANNED = ("move", "remove")
OWN = ("realedit", "realedit:mask=true")
RESAMPLED = "realedit:strength=0.4"
"""With the model's own resampling, which by default does not run on the embedded model."""
REPLAYED = (0.0, 2.0)
"""Guidance scales of the replays: each method's own, and that at which realedit resamples."""
BEST, NOUNS = "best.json", "nouns.json"
RES, COCOEE = "photographs/res", "photographs/cocoee"
OF_PHOTOGRAPHS = ("st_lpips_alex", "changed_background", "geometry")
"""What is measured on photographs: light and camera differ between theirs and the truth, sample by sample."""
TRUTH = "truth"
"""Among the methods whose nouns were read."""

UNUSED = frozenset({"pixels", "pin", "self_guidance", "automatic", "window"})
"""Settings that do nothing where an object goes away: nothing is laid down, no word is left to look at."""

Best = Mapping[str, Mapping[str, str]]
"""Method with its best setting, by kind of edit and method's name."""


@dataclass(frozen=True)
class Plan:
    """How to run.

    Args:
        runs: folder of the runs, with every picture and record.
        output: folder that the tables are copied to.
        scanned: cases to report on; None where they are not here.
        tuning: folders of cases to choose the peers' settings on.
        limit: only so many cases a run.
        tuning_limit: only so many cases of a kind in the search.
        jobs: processes.
        model: as ``realedit --model`` takes it.
        working_size: as ``realedit --working-size`` takes it.
        classifier: folder of ``train-classifier``'s output, for the nouns of replaced objects.
        res: PixelMan's ReS; None where it is not here.
        cocoee: PixelMan's COCOEE, likewise.
        side: longer side, in pixels, that photographs are scaled down to.
    """

    runs: Path
    output: Path
    scanned: Path | None = None
    tuning: Sequence[Path] = ()
    limit: int | None = None
    tuning_limit: int = 6
    jobs: int = 1
    model: str | None = None
    working_size: int | None = None
    classifier: Path | None = None
    res: Path | None = None
    cocoee: Path | None = None
    side: int = 1024

    def cases(self, folders: Sequence[Path | None], kind: str, limit: int | None = None) -> list[Case]:
        """The first cases of a kind.

        Raises:
            UsageError: no folder was named.
        """
        named = [folder for folder in folders if folder is not None]
        if not named:
            raise UsageError("this part needs cases", "name their folders with --scanned and --tuning")
        found = [case for folder in named for case in load_dataset(folder)]
        return [case for case in found if case.edit.kind == kind][: limit or self.limit]

    def best(self) -> Best:
        """What the search chose; nothing where there was none."""
        file = self.runs / "search" / BEST
        return json.loads(file.read_text()) if file.is_file() else {}


def search(plan: Plan) -> None:
    """Try each classical and each peer's grid on the tuning cases, and keep the best of each kind."""
    best: dict[str, Mapping[str, str]] = {}
    for kind in KINDS:
        cases = plan.cases(plan.tuning, kind, plan.tuning_limit)
        specs = [v for spec in _others(kind) if method_class(spec.name).grid for v in expand(spec)]
        if cases:
            best |= best_settings(_run(plan, f"search/{kind}", cases, specs, ("st_lpips_alex",))[0])
    if best:
        for folder in (plan.runs / "search", plan.output / "bench" / "search"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / BEST).write_text(json.dumps(best, indent=1, sort_keys=True) + "\n")


def scanned(plan: Plan) -> None:
    """Move and remove against every other way."""
    for kind in SCANNED:
        specs = [*_parsed([*OWN, RESAMPLED]), *_chosen(plan, kind)]
        _run(plan, kind, plan.cases([plan.scanned], kind), specs)


def ablation(plan: Plan) -> None:
    """Every ingredient switched off in turn; told the mask, so that all edit the same object."""
    for kind in SCANNED:
        specs = [s for s in _told(_parsed(["ablations"])) if kind != "remove" or not UNUSED & set(s.options)]
        _run(plan, f"ablation-{kind}", plan.cases([plan.scanned], kind), specs)


def inversion(plan: Plan) -> None:
    """Every inversion, replayed without an edit and edited with."""
    moves = plan.cases([plan.scanned], "move")
    replays = [
        MethodSpec("reconstruct", {"inversion": name, **({"guidance_scale": f"{scale:g}"} if scale else {})})
        for scale in REPLAYED
        for name in INVERSIONS
    ]
    _run(plan, "reconstruct", moves, replays)
    others = [f"{RESAMPLED},inversion={name}" for name in INVERSIONS if name != METHOD]
    _run(plan, "inversion", moves, _told(_parsed([RESAMPLED, *others])))


def _told(specs: Sequence[MethodSpec]) -> list[MethodSpec]:
    """The same methods, given the true mask."""
    return unique([replace(spec, options={**spec.options, "mask": "true"}) for spec in specs])


def edits(plan: Plan) -> None:
    """Every kind of edit on the rendered cases that come with the project."""
    for kind in KINDS:
        cases = plan.cases([CASES], kind)
        _, records = _run(plan, f"edits/{kind}", cases, [*_parsed(OWN), *_chosen(plan, kind)])
        if kind == "replace" and plan.classifier is not None:
            from examples.results.nouns import read_nouns

            read_nouns(plan.runs / "edits" / kind, records, cases, plan.classifier)


def photographs(plan: Plan) -> None:
    """Moves of photographs, of which settings were chosen on the other half of the scenes.

    Raises:
        UsageError: neither data set was named.
    """
    if plan.res is None and plan.cocoee is None:
        raise UsageError("this part needs photographs", "name their folders with --res and --cocoee")
    specs = _parsed([*OWN, *GROUPS["classical"]])
    held_back: tuple[tuple[str, Path | None, Part], ...] = (
        (RES, plan.res, "odd"),
        (COCOEE, plan.cocoee, "second"),
    )
    for name, folder, part in held_back:
        if folder is not None:
            cases = part_of(load_dataset(folder), part)[: plan.limit]
            _, records = _run(plan, name, cases, specs, OF_PHOTOGRAPHS, side=plan.side)
            write_sheet(plan.runs / name / "sheet", plan.runs / name, records)


PARTS: Mapping[str, Callable[[Plan], None]] = {
    "search": search,
    "scanned": scanned,
    "ablation": ablation,
    "inversion": inversion,
    "edits": edits,
    "photographs": photographs,
}
"""In the order in which they are run: the search comes before those that use its settings."""


def _run(
    plan: Plan,
    name: str,
    cases: Sequence[Case],
    specs: Sequence[MethodSpec],
    metrics: tuple[str, ...] = METRICS,
    side: int | None = None,
) -> tuple[Summary, list[Record]]:
    """Run, summarise, and copy what is small."""
    folder = plan.runs / name
    model = ModelSettings(plan.model, working_size=plan.working_size)
    settings = RunSettings(folder, model, MetricSettings(metrics), side=side)
    with progress_bars() as progress:
        records = run(cases, unique(specs), settings, processes=plan.jobs, progress=progress)
    summary = write_results(folder, records, title=f"realedit bench: {name}")
    there = plan.output / "bench" / name
    there.mkdir(parents=True, exist_ok=True)
    plots = () if name.startswith("search/") else PLOTS  # of some sixty settings nothing can be made out
    for file in (TABLE, CSV, *plots):
        if (folder / file).is_file():
            shutil.copyfile(folder / file, there / file)
    print(f"{name}: {folder / SUMMARY}")
    return summary, records


def _parsed(names: Sequence[str]) -> list[MethodSpec]:
    return [spec for name in names for spec in parse_method(name)]


def _others(kind: str) -> list[MethodSpec]:
    """The classical ways and the peers that can make an edit of a kind."""
    names = [*GROUPS["classical"], *GROUPS["peers"]]
    return [spec for spec in _parsed(names) if kind in method_class(spec.name).edits]


def _chosen(plan: Plan, kind: str) -> list[MethodSpec]:
    """The same with the settings that the search chose, else with their own.

    The classical ways, which cost nothing, are run with both: what is best on a few cases need not be so on
    others.
    """
    best = plan.best().get(kind, {})
    others = _others(kind)
    cheap = [spec.label for spec in others if not method_class(spec.name).uses_model]
    return _parsed([*cheap, *(best.get(spec.name, spec.label) for spec in others)])
