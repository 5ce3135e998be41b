"""`realedit bench`: measures edits of a data set against the truth, and compares ways of making them."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from realedit.cli import output
from realedit.cli.options import (
    EDIT,
    OUTPUT,
    SAMPLING,
    BackboneOptions,
    InversionName,
    Seed,
    TalkOptions,
    flag,
    integer,
    number,
    value,
)
from realedit.errors import ForeignPackageError, UsageError
from realedit.system.progress import progress_bars

if TYPE_CHECKING:
    from realedit.bench.case import Case
    from realedit.bench.methods import MethodSpec
    from realedit.bench.metrics.settings import MetricSettings
    from realedit.bench.summary import Summary

MEASURED = Group("What is measured", sort_key=6)

Part = Literal["first", "second", "even", "odd"]
Kind = Literal["move", "resize", "rotate", "remove", "replace", "recolour", "text"]
_DEFAULT = ("realedit", "classical")
_OPTIONAL = {"matplotlib": "plots", "stlpips_pytorch": "st_lpips_alex"}
"""Packages of the bench extra that a run can do without, and what each is for."""
_INSTALL = "pip install 'realedit[bench]'"
_LOG = logging.getLogger(__name__)


@Parameter(name="*", group=EDIT)
@dataclass(frozen=True)
class BenchOptions:
    """Which edits are made, and by which methods."""

    method: Annotated[
        tuple[str, ...],
        Parameter(
            negative=(),
            show_default=False,
            metavar="NAME[:SETTING=VALUE,...]",
            help="realedit, no-edit, paste-telea, paste-ns, paste-seamless, inpaint, differential, "
            "ledits, self-guidance; or classical, peers, ablations, all. May be repeated. "
            "Default: realedit, classical.",
        ),
    ] = ()
    inversion: Annotated[
        tuple[InversionName | Literal["all"], ...],
        Parameter(
            negative=(),
            show_default=False,
            metavar="NAME",
            help="Inversion methods that realedit edits with, or all.",
        ),
    ] = ()
    reconstruct: Annotated[
        bool, flag("Measure how well inversions keep the photos: replay them without an edit.")
    ] = False
    edit: Annotated[
        tuple[Kind, ...],
        Parameter(negative=(), show_default=False, metavar="KIND", help="Only cases of this kind of edit."),
    ] = ()
    part: Annotated[
        Part | None,
        Parameter(
            help="Half of the scenes: choose settings on one and report another. "
            "even and odd take every other one."
        ),
    ] = None
    case: Annotated[
        tuple[str, ...],
        Parameter(
            negative=(), show_default=False, metavar="PATTERN", help="Only cases of these ids: 'p1?_*'."
        ),
    ] = ()
    limit: Annotated[int | None, value(integer(1, 10**6), "N", "Only the first N cases.")] = None
    first: Annotated[int, value(integer(0, 10**6), "N", "Skip the first N cases.")] = 0
    search: Annotated[
        bool,
        flag(
            "Try every setting of each method's small grid and print the best. "
            "Use other cases than those that you report."
        ),
    ] = False
    baseline: Annotated[
        str | None,
        Parameter(metavar="NAME", help="Method that the others are compared with. Default: the first."),
    ] = None


@Parameter(name="*", group=MEASURED)
@dataclass(frozen=True)
class MeasureOptions:
    """What is measured."""

    metric: Annotated[
        tuple[str, ...],
        Parameter(
            negative=(),
            show_default=False,
            metavar="NAME",
            help="st_lpips_alex, lpips_alex, lpips_vgg, lpips_squeeze, psnr, ssim, structure, clip, seam, "
            "harmony, changed_background, geometry, target. Default: all that are installed.",
        ),
    ] = ()
    masking: Annotated[
        Literal["region", "pie"],
        Parameter(help="How a region is cut out: its own pixels, or PIE-Bench's black for the rest."),
    ] = "region"
    structure_model: Annotated[
        Path | None, Parameter(metavar="FOLDER", help="DINO vision transformer, for structure.")
    ] = None
    clip_model: Annotated[Path | None, Parameter(metavar="FOLDER", help="CLIP model, for clip.")] = None
    download: Annotated[bool, flag("Fetch LPIPS' networks if they are not here.")] = False


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class RunOptions:
    """Where the results go, and how the work is done."""

    output: Annotated[
        Path | None,
        Parameter(name=("--output", "-o"), metavar="FOLDER", help="Results. Default: bench-DATASET here."),
    ] = None
    resume: Annotated[bool, Parameter(negative="--no-resume", help="Continue what an earlier run began.")] = (
        True
    )
    sheet: Annotated[
        Path | None,
        Parameter(
            metavar="FILE.jpg|FOLDER",
            help="Also write pages of before, mask, after and truth, for looking at.",
        ),
    ] = None
    side: Annotated[
        int | None,
        value(integer(64, 10**5), "PIXELS", "Longer side that larger photos are scaled down to."),
    ] = None
    jobs: Annotated[
        int, value(integer(1, 256), "N", "Processes that work at once; several have one thread each.")
    ] = 1


@Parameter(name="*", group=SAMPLING)
@dataclass(frozen=True)
class SamplingOptions:
    """How realedit samples; other methods have their own settings."""

    steps: Annotated[int | None, value(integer(2, 1000), "N", "Steps of realedit and of its inversions.")] = (
        None
    )
    guidance_scale: Annotated[
        float | None, value(number(1, 30), "SCALE", "Guidance scale of the replay, with --reconstruct.")
    ] = None
    seed: Seed = 0


def bench(
    dataset: Annotated[
        Path, Parameter(help="Folder with manifest.jsonl, cases.jsonl, PIE-Bench, COCOEE or ReS.")
    ],
    /,
    *,
    what: BenchOptions = BenchOptions(),
    how: RunOptions = RunOptions(),
    talk: TalkOptions = TalkOptions(),
    measure: MeasureOptions = MeasureOptions(),
    sampling: SamplingOptions = SamplingOptions(),
    model: BackboneOptions = BackboneOptions(),
) -> None:
    """Measure edits of a data set against the truth, and compare ways of making them."""
    _check_installed(measure.metric)
    # errors that need no torch come before it is loaded
    settings = _metric_settings(measure)
    cases = _cases(dataset, what)
    methods = chosen_methods(what, sampling)
    from realedit.bench.results import write_results
    from realedit.bench.run import run
    from realedit.bench.workbench import ModelSettings
    from realedit.bench.worker import RunSettings

    folder = how.output if how.output is not None else Path(f"bench-{dataset.resolve().name}")
    chosen = ModelSettings(
        model.model,
        device=model.device,
        dtype=model.dtype,
        offline=model.offline or None,
        working_size=model.working_size,
        profile=model.profile,
        loras=model.lora,
        vae=model.vae,
        offload=model.offload,
    )
    running = RunSettings(folder, chosen, settings, sampling.seed, debug=talk.debug, side=how.side)
    with progress_bars(quiet=talk.quiet) as progress:
        records = run(cases, methods, running, processes=how.jobs, resume=how.resume, progress=progress)
        title = f"realedit bench {dataset.resolve().name}"
        summary = write_results(folder, records, baseline=what.baseline, title=title)
    if how.sheet is not None:
        from realedit.bench.sheet import write_sheet

        write_sheet(how.sheet, folder, records)
    _tell(summary, folder, talk, search=what.search)


def chosen_methods(what: BenchOptions, sampling: SamplingOptions) -> list[MethodSpec]:
    """Returns the methods that the flags ask for, each once.

    Raises:
        UsageError: there is no such method or setting, or flags contradict each other.
    """
    from realedit.bench.methods import build
    from realedit.bench.methods.spec import unique

    found = unique(_replays(what, sampling) if what.reconstruct else _editors(what, sampling))
    for spec in found:
        build(spec)
    if what.baseline is not None and what.baseline not in {spec.label for spec in found}:
        raise UsageError(f"the baseline '{what.baseline}' is none of the methods", "name it as the tables do")
    return found


def _editors(what: BenchOptions, sampling: SamplingOptions) -> list[MethodSpec]:
    """Returns the methods that edit."""
    from realedit.bench.methods import expand, parse_method

    if sampling.guidance_scale is not None:
        raise UsageError(
            "--guidance-scale belongs to --reconstruct",
            "give a method its own setting: --method realedit:guidance_scale=3",
        )
    found = [spec for name in what.method or _DEFAULT for spec in parse_method(name)]
    if all(spec.name != "realedit" for spec in found):
        _refuse_without_realedit(what, sampling)
    if sampling.steps is not None:
        found = [
            _with(spec, steps=str(sampling.steps)) if spec.name == "realedit" else spec for spec in found
        ]
    if what.inversion:
        found = [
            variant
            for spec in found
            for variant in (
                [_with(spec, inversion=name) for name in _inversions(what)]
                if spec.name == "realedit"
                else [spec]
            )
        ]
    return [variant for spec in found for variant in expand(spec)] if what.search else found


def _refuse_without_realedit(what: BenchOptions, sampling: SamplingOptions) -> None:
    """Refuses flags that only realedit reads.

    Raises:
        UsageError: one of them was given.
    """
    given = {"--inversion": bool(what.inversion), "--steps": sampling.steps is not None}
    unread = [name for name, is_given in given.items() if is_given]
    if unread:
        raise UsageError(
            f"realedit is not among the methods, and nothing else reads {' or '.join(unread)}",
            "add --method realedit, or give a method settings of its own: inpaint:steps=20",
        )


def _replays(what: BenchOptions, sampling: SamplingOptions) -> list[MethodSpec]:
    """Returns the inversions that are replayed."""
    from realedit.bench.methods import MethodSpec

    if what.method or what.search:
        raise UsageError(
            "--reconstruct replays inversions and takes no --method or --search",
            "choose the inversions with --inversion",
        )
    options = {"guidance_scale": sampling.guidance_scale, "steps": sampling.steps}
    extra = {name: f"{given:g}" for name, given in options.items() if given is not None}
    return [MethodSpec("reconstruct", {"inversion": name, **extra}) for name in _inversions(what)]


def _inversions(what: BenchOptions) -> list[str]:
    """Returns the inversion methods asked for, or all."""
    from inversion import METHODS

    return list(METHODS) if "all" in what.inversion or not what.inversion else list(what.inversion)


def _with(spec: MethodSpec, **options: str) -> MethodSpec:
    from realedit.bench.methods import MethodSpec

    return MethodSpec(spec.name, {**options, **spec.options})


def _metric_settings(measure: MeasureOptions) -> MetricSettings:
    from realedit.bench.metrics.settings import METRICS, MetricSettings

    unknown = [name for name in measure.metric if name not in METRICS]
    if unknown:
        raise UsageError(f"no metric '{unknown[0]}'", f"use some of {', '.join(METRICS)}")
    for name, folder in (
        ("--structure-model", measure.structure_model),
        ("--clip-model", measure.clip_model),
    ):
        if folder is not None and not os.path.isdir(folder):
            raise UsageError(f"{name}: no such folder: {folder}", "download the model into one")
    return MetricSettings(
        tuple(measure.metric) or METRICS,
        measure.masking,
        measure.structure_model,
        measure.clip_model,
        measure.download,
    )


def _cases(dataset: Path, what: BenchOptions) -> Sequence[Case]:
    from realedit.bench.datasets import load_dataset
    from realedit.bench.selection import named, part_of

    found = load_dataset(dataset)
    chosen = named(found if what.part is None else part_of(found, what.part), what.case)
    cases = [case for case in chosen if not what.edit or case.edit.kind in what.edit]
    if what.reconstruct:  # several edits of one photo are one replay
        cases = list({(case.photo, case.prompt, case.object): case for case in cases}.values())
    cases = cases[what.first :][: what.limit]
    if not cases:
        raise UsageError(f"{dataset} has no such case", "change --edit, --part, --case, --first or --limit")
    return cases


def _check_installed(metrics: Sequence[str]) -> None:
    """Tells, before hours of work, which optional packages are not here and what will be missing.

    Args:
        metrics: those asked for by name.

    Raises:
        ForeignPackageError: one of the metrics needs such a package.
    """
    from importlib.util import find_spec

    for package, gives in _OPTIONAL.items():
        if find_spec(package) is not None:
            continue
        if gives in metrics:
            raise ForeignPackageError(f"{gives} needs {package}, which is not installed", _INSTALL)
        if gives == "plots" or not metrics:
            _LOG.warning("%s is not installed: the results will have no %s; %s", package, gives, _INSTALL)


def _tell(summary: Summary, folder: Path, talk: TalkOptions, *, search: bool) -> None:
    from realedit.bench.search import best_settings
    from realedit.bench.tables import differences, table

    best = best_settings(summary) if search else {}
    if talk.json:
        output.print_json({"output": folder, "best": best, **summary.fields()})
        return
    print(folder / "index.html")
    if talk.quiet:
        return
    for edit in summary.edits:
        print("", f"{edit}:", *table(summary, edit), "", *differences(summary, edit), sep="\n")
    for edit, by_name in best.items():
        for label in by_name.values():
            print(f"best for {edit}: {label}")
    for name, reason in sorted(summary.missing.items()):
        print(f"missing: {name}: {reason}")
