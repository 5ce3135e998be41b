"""`realedit calibrate`: measures which defaults suit a model, and keeps them as its profile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from realedit.cli import output
from realedit.cli.options import (
    EDIT,
    OUTPUT,
    BackboneOptions,
    Seed,
    TalkOptions,
    flag,
    integer,
    number,
    value,
)
from realedit.errors import UsageError
from realedit.system.progress import progress_bars


@Parameter(name="*", group=EDIT)
@dataclass(frozen=True)
class CalibrateOptions:
    """What is measured, and for how long."""

    minutes: Annotated[
        float,
        value(number(0, 10**5), "MINUTES", "Time to look for settings in; the report is measured beyond it."),
    ] = 60.0
    case: Annotated[
        tuple[str, ...],
        Parameter(negative=(), show_default=False, metavar="PATTERN", help="Only cases of these ids: '00*'."),
    ] = ()
    limit: Annotated[int | None, value(integer(1, 10**6), "N", "Only the first N cases.")] = None
    side: Annotated[
        int | None,
        value(integer(64, 10**5), "PIXELS", "Longer side that larger photos are scaled down to."),
    ] = None
    finding: Annotated[bool, flag("Only ways of finding words.")] = False
    seed: Seed = 0


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class KeepOptions:
    """Where the results go."""

    output: Annotated[
        Path | None,
        Parameter(
            name=("--output", "-o"),
            metavar="FOLDER",
            help="Page, profile and measurements; the same command goes on where it ended. Default: "
            "calibrate-MODEL here.",
        ),
    ] = None
    keep: Annotated[
        bool,
        Parameter(negative="--no-keep", help="Use the profile from now on wherever this very model is used."),
    ] = True


def calibrate(
    dataset: Annotated[
        Path | None,
        Parameter(
            help="Folder with cases whose truth is known (cases.jsonl, manifest.jsonl, ReS, PIE-Bench). "
            "Default: the cases that ship."
        ),
    ] = None,
    /,
    *,
    what: CalibrateOptions = CalibrateOptions(),
    to: KeepOptions = KeepOptions(),
    talk: TalkOptions = TalkOptions(),
    model: BackboneOptions = BackboneOptions(),
) -> None:
    """Measure which ways of finding words and which settings suit a model, and keep them as its profile."""
    from realedit.bench.datasets import load_dataset
    from realedit.bench.selection import named
    from realedit.models.choice import fingerprint
    from realedit.models.profile import calibrated_path

    source = dataset or shipped_cases()
    cases = named(load_dataset(source), what.case)[: what.limit]
    if not cases:
        raise UsageError(f"{source} has no such case", "change --case or --limit")
    from realedit.calibrate import page
    from realedit.calibrate.run import Calibrator, opened
    from realedit.opening import open_engine

    with progress_bars(quiet=talk.quiet) as progress:
        progress("loading the model", 0, 0)
        engine = open_engine(
            model.model,
            device=model.device,
            dtype=model.dtype,
            offline=model.offline or None,
            cache=False,
            working_size=model.working_size,
            loras=model.lora,
            vae=model.vae,
            profile=model.profile,
        )
        folder = to.output or Path(f"calibrate-{engine.ref.name}")
        output.make_folder(folder)
        records = opened(folder, engine, what.seed)
        run = Calibrator(engine, records, seed=what.seed, side=what.side, progress=progress)
        found = run.run(cases, what.minutes, finding_alone=what.finding)
    title = f"realedit calibrate {engine.ref.name}"
    written = page.write(folder, found, title=title, notes=_notes(source, len(cases), engine.names()))
    kept = calibrated_path(fingerprint(engine.ref)) if to.keep else None
    if kept is not None:
        from realedit.system.whole_files import write_files

        output.make_folder(kept.parent)
        write_files({kept: found.profile.dump().encode()}, force=True)
    if talk.json:
        output.print_json(
            {"page": written, "profile": kept or folder / page.PROFILE, **found.profile.values()}
        )
        return
    print(written)
    if talk.quiet:
        return
    print(*(f"  {line}" for line in page.summary(found)), sep="\n")
    if kept is not None:
        print(f"  kept as {kept}; remove the file to undo it")


def shipped_cases() -> Path:
    """Returns the folder of the cases that ship with the package, or lie in its checkout.

    Raises:
        UsageError: they are in neither place.
    """
    import realedit

    package = Path(realedit.__file__).parent
    for folder in (package / "assets" / "cases", package.parent / "examples" / "cases"):
        if folder.is_dir():
            return folder
    raise UsageError(
        "no cases ship with this installation", "name a folder of cases: realedit calibrate CASES"
    )


def _notes(source: Path, cases: int, names: dict[str, str | None]) -> list[str]:
    from realedit.edits.recipe import versions

    return [
        f"{cases} cases of {source.resolve().name}; every other scene is held back: settings are chosen on "
        "the rest and reported on these.",
        "Words are looked for by the model's own attention alone; edits are told the object's mask.",
        ", ".join(f"{role} {name}" for role, name in names.items() if name is not None),
        ", ".join(f"{name} {version}" for name, version in versions().items()),
    ]
