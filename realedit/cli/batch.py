"""`realedit batch`: makes the same edits of many photos; running it again continues where it ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from realedit.cli import output
from realedit.cli.boundary import say
from realedit.cli.edit_options import EditOptions
from realedit.cli.options import (
    OUTPUT,
    EditSampling,
    Force,
    ModelOptions,
    ObjectOptions,
    TalkOptions,
    flag,
    integer,
    value,
)
from realedit.errors import SomePhotosFailedError, UsageError
from realedit.system.destinations import disk_errors
from realedit.system.progress import progress_bars, silent

if TYPE_CHECKING:
    from realedit.batch import Editor, PhotoRecord, Task
    from realedit.cli.output import Destination
    from realedit.cli.request import EditCommand
    from realedit.pipeline import RealEditPipeline
    from realedit.result import EditResult


_STATUSES = ("done", "refused", "failed")


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class BatchOptions:
    """Where the results go, and how the work is done."""

    output: Annotated[
        Path | None,
        Parameter(name=("--output", "-o"), metavar="FOLDER", help="Where the edited photos go. Required."),
    ] = None
    jobs: Annotated[
        int, value(integer(1, 256), "N", "Processes that work at once; several have one thread each.")
    ] = 1
    force: Annotated[Force, Parameter(help="Do all photos again, and replace files that exist.")] = False
    report: Annotated[bool, flag("Also write a report beside each photo.")] = False
    dry_run: Annotated[bool, flag("Find the objects and say what would be done, without editing.")] = False


@dataclass(frozen=True)
class _Job:
    """What every process needs to know."""

    command: EditCommand
    to: BatchOptions
    model: ModelOptions
    journal: Path | None
    """None in a dry run."""
    quiet: bool


def batch(
    photos: Annotated[list[Path], Parameter(help="Photos, and folders of photos.")],
    /,
    *,
    what: EditOptions = EditOptions(),
    where: ObjectOptions = ObjectOptions(),
    to: BatchOptions = BatchOptions(),
    talk: TalkOptions = TalkOptions(),
    sampling: EditSampling = EditSampling(),
    model: ModelOptions = ModelOptions(),
) -> None:
    """Make the same edits of many photos. Photos that fail are skipped; run it again to continue."""
    if to.output is None:
        raise UsageError(
            "where do the edited photos go?", "name a folder for the edited photos: --output edited"
        )
    from realedit.batch import JOURNAL, edit_photos
    from realedit.cli import session
    from realedit.cli.request import asked

    command = asked(what, where, sampling, quiet=talk.quiet)
    model = command.on(model)
    tasks = _tasks(photos, to.output, command, model, report=to.report)
    journal = to.output / JOURNAL
    if not to.dry_run:
        for folder in {task.output.parent for task in tasks} | {to.output}:
            output.make_folder(folder)
    job = _Job(command, to, model, None if to.dry_run else journal, talk.quiet)
    session.announce(model, quiet=talk.quiet)
    with progress_bars(quiet=talk.quiet) as progress:
        before, records = edit_photos(
            partial(_editor, job, alone=to.jobs == 1),
            tasks,
            to.output,
            processes=to.jobs,
            force=to.force,
            on_record=partial(_print_record, talk=talk, dry_run=to.dry_run),
            progress=progress,
        )
    done = {status: [record for record in records if record.status == status] for status in _STATUSES}
    undone = len(done["failed"]) + len(done["refused"])
    if not talk.quiet:
        counts = {
            "done before": len(before),
            "could be done" if to.dry_run else "done": len(done["done"]),
        }
        summary = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing done"
        rest = "".join(f", {len(done[status])} {status}" for status in _STATUSES[1:] if done[status])
        say(f"realedit: {summary}{rest}")
    if undone:
        reasons = (
            "see above" if to.dry_run else f"{journal} has the reasons; the same command tries them again"
        )
        raise SomePhotosFailedError(f"{undone} of {len(tasks)} photos could not be edited", reasons)


def _tasks(
    photos: list[Path], folder: Path, command: EditCommand, model: ModelOptions, *, report: bool
) -> list[Task]:
    """Returns the photos' tasks; their keys stand for everything that decides an edited photo."""
    from realedit.batch import tasks_for
    from realedit.edits.entries import entries
    from realedit.edits.prepared import named_files
    from realedit.find.which_cutout import choose_cutout
    from realedit.models.choice import fetched, identity

    files = [
        *(file for file in (command.where.mask, model.inpainter) if file is not None),
        *(file for edit in command.plan.edits for file in named_files(edit).values()),
    ]
    tasks_for(photos, folder, files=files)  # its errors come before gigabytes are fetched
    here = fetched(model.model, device=model.device, dtype=model.dtype, offline=bool(model.offline))
    # another keyword here, or another name for one, makes all photos of earlier runs be edited again
    return tasks_for(
        photos,
        folder,
        files=files,
        edits=entries(command.plan.edits),
        where=asdict(command.where),
        sampling=asdict(command.sampling),
        crop=command.allow_crop,
        besides=command.recipe.model_dump(),
        model=identity(here),
        options=asdict(replace(model, cutout=choose_cutout(model.cutout, model.offline or None).name)),
        report=report,
    )


def _editor(job: _Job, *, alone: bool) -> Editor:
    """Returns a process's editor, with its model loaded and its threads set."""
    import cv2
    import torch

    from realedit.batch import Editor
    from realedit.cli import session

    if not alone:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
    pipeline = session.load(job.model, quiet=True, progress=silent)
    if not job.quiet:
        job.command.tell_other_models(pipeline)
    return Editor(partial(_one, job, pipeline), job.journal)


def _one(job: _Job, pipeline: RealEditPipeline, task: Task) -> PhotoRecord:
    """Edits a photo, or finds out what that would do."""
    from realedit.batch import PhotoRecord, write_outputs
    from realedit.cli.finding import ObjectFinder
    from realedit.photo.inputs import as_photo

    began = perf_counter()
    loaded = as_photo(task.photo)
    prepared = job.command.prepare(loaded)
    record = partial(PhotoRecord, task.key, str(task.photo), str(task.output), "done")
    replaced = job.to.force or task.owns(task.leftovers)
    planned = partial(output.plan_edit, loaded, task.photo, task.output, report=job.to.report, force=replaced)
    if job.journal is None:
        if task.output.parent.is_dir():  # a real run makes the folder
            planned()
        finder = ObjectFinder(job.model, lambda: pipeline, job.command.where.min_confidence, quiet=True)
        changes = job.command.dry_run(finder, prepared, silent).changes
        listed = [output.change_fields(change) for change in changes]
        return record(changes=listed, seconds=perf_counter() - began)
    files = planned()
    result = job.command.edit(pipeline, prepared, silent)
    with disk_errors(files.image):
        write_outputs(task, _contents(result, files), job.journal, force=job.to.force)
    return record(
        metrics=output.finite(result.metrics),
        warnings=result.warnings,
        changes=[output.finite(output.change_fields(change)) for change in result.changes],
        seconds=perf_counter() - began,
    )


def _contents(result: EditResult, files: Destination) -> dict[Path, bytes]:
    """Returns an edit's files before any is in its place, so that a report that fails leaves no photo."""
    from realedit.report.page import write_report
    from realedit.system.whole_files import TEMPORARY

    first, last = TEMPORARY
    with TemporaryDirectory(prefix=first, suffix=last, dir=files.image.parent) as folder:
        staged = Path(folder)
        result.save(staged / files.image.name)
        if files.report is not None:
            html, png = (staged / page.name for page in files.report)
            write_report(result.report(), html, png)
        return {files.image.with_name(file.name): file.read_bytes() for file in sorted(staged.iterdir())}


def _print_record(record: PhotoRecord, *, talk: TalkOptions, dry_run: bool) -> None:
    if talk.json:
        output.print_json({"dry_run": dry_run, **asdict(record)})
    elif record.status == "done":
        print(f"would write {record.output}" if dry_run else record.output, flush=True)
    if record.error is not None:
        what = "refused" if record.status == "refused" else "error"
        say(f"realedit: {what}: {record.photo}: {record.error}")
    if not talk.quiet:
        for warning in record.warnings:
            say(f"realedit: warning: {record.photo}: {warning}")
