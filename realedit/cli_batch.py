"""`realedit batch`: the same edits of many photos, each on its own; a rerun goes on where one ended."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from realedit import cli_output as output
from realedit.cli_boundary import say
from realedit.cli_edit import EditOptions
from realedit.cli_options import (
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
from realedit.progress import progress_bars, silent

if TYPE_CHECKING:
    from realedit.batch import Editor, PhotoRecord, Task
    from realedit.cli_output import Destination
    from realedit.cli_request import Request
    from realedit.edits import Edit
    from realedit.pipeline import RealEditPipeline
    from realedit.result import EditResult


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class BatchOptions:
    """Where the results go, and how the work is done."""

    output: Annotated[
        Path | None,
        Parameter(
            name=("--output", "-o"), metavar="FOLDER", help="Edited photos, under their names. Needed."
        ),
    ] = None
    jobs: Annotated[
        int, value(integer(1, 256), "N", "Processes, of one thread each where there are several.")
    ] = 1
    force: Annotated[Force, Parameter(help="Do all again, and replace files that exist.")] = False
    report: Annotated[bool, flag("Also write a report beside each photo.")] = False
    dry_run: Annotated[bool, flag("Find the objects and say what would be done, no more.")] = False


@dataclass(frozen=True)
class _Work:
    """What every process needs to know."""

    request: Request
    to: BatchOptions
    model: ModelOptions
    journal: Path | None
    """None of a dry run."""
    quiet: bool


def batch(
    photos: Annotated[list[Path], Parameter(help="Photos, and folders of photos.")],
    /,
    *,
    what: EditOptions = EditOptions(),  # noqa: B008 - frozen
    where: ObjectOptions = ObjectOptions(),  # noqa: B008 - frozen
    to: BatchOptions = BatchOptions(),
    talk: TalkOptions = TalkOptions(),  # noqa: B008 - frozen
    sampling: EditSampling = EditSampling(),  # noqa: B008 - frozen
    model: ModelOptions = ModelOptions(),  # noqa: B008 - frozen
) -> None:
    """Edit many photos alike; one that fails is left out, and the same command goes on where it ended."""
    if to.output is None:
        raise UsageError("where to?", "name a folder for the edited photos: --output edited")
    from realedit import cli_session as session
    from realedit.batch import JOURNAL, edit_photos, tasks_for
    from realedit.cli_request import asked
    from realedit.edit_entries import entries
    from realedit.models import fetched, identity

    request = asked(what, where, sampling, quiet=talk.quiet)
    model = request.on(model)
    files = list(_named_files(request.edits, where))
    tasks_for(photos, to.output, files=files)  # what is wrong with them is told before gigabytes are fetched
    here = fetched(model.model, device=model.device, dtype=model.dtype, offline=bool(model.offline))
    tasks = tasks_for(
        photos, to.output, files=files, edits=entries(request.edits), where=asdict(request.where),
        sampling=asdict(request.sampling), crop=request.allow_crop, besides=request.besides.model_dump(),
        model=identity(here), options=asdict(model), report=to.report,
    )  # fmt: skip
    journal = to.output / JOURNAL
    if not to.dry_run:
        _make_folders({task.output.parent for task in tasks} | {to.output})
    work = _Work(request, to, model, None if to.dry_run else journal, talk.quiet)
    session.announce(model, quiet=talk.quiet)
    with progress_bars(quiet=talk.quiet) as progress:
        before, records = edit_photos(
            partial(_editor, work, alone=to.jobs == 1), tasks, to.output, processes=to.jobs,
            force=to.force, told=partial(_tell, talk=talk, dry_run=to.dry_run),
            progress=progress,
        )  # fmt: skip
    failed = [record for record in records if record.status == "failed"]
    if not talk.quiet:
        counts = {"done before": len(before), "could" if to.dry_run else "done": len(records) - len(failed)}
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        say(f"realedit: {told or 'nothing done'}{f', {len(failed)} failed' if failed else ''}")
    if failed:
        where_told = (
            "see above" if to.dry_run else f"{journal} has the reasons; the same command tries them again"
        )
        raise SomePhotosFailedError(f"{len(failed)} of {len(tasks)} photos could not be edited", where_told)


def _named_files(edits: Sequence[Edit], where: ObjectOptions) -> Iterator[str | os.PathLike[str]]:
    """The pictures that edits and the object's options name."""
    from realedit.edits import Like, LookOf, Paste, Reshape

    if where.mask is not None:
        yield where.mask
    for edit in edits:
        match edit:
            case Paste(source=file) | Like(source=file) | LookOf(source=file) | Reshape(shape=file):
                if isinstance(file, str | os.PathLike):
                    yield file


def _make_folders(folders: set[Path]) -> None:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(f"{folder} cannot be made ({reason})", "name another with --output") from error


def _editor(work: _Work, *, alone: bool) -> Editor:
    """One process's: its model, and the threads that it may use."""
    import cv2
    import torch

    from realedit import cli_session as session
    from realedit.batch import Editor

    if not alone:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
    pipeline = session.load(work.model, quiet=True, progress=silent)
    if not work.quiet:
        work.request.tell_other_models(pipeline)
    return Editor(partial(_one, work, pipeline), work.journal)


def _one(work: _Work, pipeline: RealEditPipeline, task: Task) -> PhotoRecord:
    """Edit a photo, or find out what that would do."""
    from realedit import cli_session as session
    from realedit.batch import PhotoRecord, write_outputs
    from realedit.inputs import as_photo

    began = perf_counter()
    loaded = as_photo(task.photo)
    shown = session.region(work.request.where, loaded)
    record = partial(PhotoRecord, task.key, str(task.photo), str(task.output), "done")
    replaced = work.to.force or task.owns(task.leftovers)
    planned = partial(
        output.plan_edit, loaded, task.photo, task.output, report=work.to.report, force=replaced
    )
    if work.journal is None:
        if task.output.parent.is_dir():  # the run itself makes it
            planned()
        _, changes = work.request.plan(pipeline, loaded, shown, silent)
        told = [output.change_fields(change) for change in changes]
        return record(changes=told, seconds=perf_counter() - began)
    files = planned()
    result = work.request.edit(pipeline, loaded, shown, silent)
    with output.disk_errors(files.image):
        write_outputs(task, _contents(result, files), work.journal, force=work.to.force)
    return record(
        metrics=output.finite(result.metrics), warnings=result.warnings,
        changes=output.finite([output.change_fields(change) for change in result.changes]),
        seconds=perf_counter() - began,
    )  # fmt: skip


def _contents(result: EditResult, files: Destination) -> dict[Path, bytes]:
    """The files of an edit, before any is in its place: a report that fails leaves no photo without one."""
    from realedit.atomic_write import TEMPORARY
    from realedit.report import write_report

    first, last = TEMPORARY
    with TemporaryDirectory(prefix=first, suffix=last, dir=files.image.parent) as folder:
        staged = Path(folder)
        result.save(staged / files.image.name)
        if files.report is not None:
            html, png = (staged / page.name for page in files.report)
            write_report(result, html, png)
        return {files.image.with_name(file.name): file.read_bytes() for file in sorted(staged.iterdir())}


def _tell(record: PhotoRecord, *, talk: TalkOptions, dry_run: bool) -> None:
    if talk.json:
        output.print_json({"dry_run": dry_run, **asdict(record)})
    elif record.status == "done":
        print(f"would write {record.output}" if dry_run else record.output, flush=True)
    if record.error is not None:
        say(f"realedit: error: {record.photo}: {record.error}")
    if not talk.quiet:
        for warning in record.warnings:
            say(f"realedit: warning: {record.photo}: {warning}")
