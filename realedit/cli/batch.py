"""`realedit batch`: makes the same edits of many photos; running it again continues where it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from realedit.cli import output
from realedit.cli.boundary import say
from realedit.cli.edit_options import EditOptions
from realedit.cli.options import (
    OUTPUT,
    EditSampling,
    FileOptions,
    Force,
    ModelOptions,
    ObjectOptions,
    TalkOptions,
    flag,
    integer,
    value,
)
from realedit.errors import PhotoError, SomePhotosFailedError, UsageError
from realedit.system.destinations import disk_errors
from realedit.system.folder_lock import only_one
from realedit.system.progress import progress_bars, silent

if TYPE_CHECKING:
    from realedit.batch import Editor, PhotoRecord, Task
    from realedit.cli.output import Destination
    from realedit.cli.request import EditCommand
    from realedit.photo.encode import Compression
    from realedit.photo.save import Saved
    from realedit.pipeline import RealEditPipeline
    from realedit.result import EditResult


_MOST_SKIPPED = 20
"""Files that are no photos and are named one by one: of more, the rest is counted. Set by eye."""
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
    mask_dir: Annotated[
        Path | None,
        Parameter(
            name="--mask-dir",
            metavar="FOLDER",
            help="A mask for each photo, under the photo's name or with -mask behind it.",
        ),
    ] = None
    manifest: Annotated[
        Path | None,
        Parameter(
            metavar="FILE",
            help="Photos, each with an edit of its own: CSV or JSON Lines; see the README.",
        ),
    ] = None
    dry_run: Annotated[bool, flag("Find the objects and say what would be done, without editing.")] = False


@dataclass(frozen=True)
class _Job:
    """What every process needs to know."""

    command: EditCommand | None
    """What is asked of every photo; None where a manifest says it for each."""
    lines: Mapping[int, EditCommand]
    """What a manifest asks, by the numbers of its lines."""
    to: BatchOptions
    file: FileOptions
    compression: Compression
    model: ModelOptions
    journal: Path | None
    """None in a dry run."""
    quiet: bool

    def asked_of(self, task: Task) -> EditCommand:
        """Returns what is asked of a task's photo."""
        command = self.command if task.line is None else self.lines[task.line]
        if command is None:
            raise UsageError("no edit was asked for", "name one, or give a --manifest")
        return command if task.mask is None else command.with_mask(task.mask)


def batch(
    photos: Annotated[list[Path] | None, Parameter(help="Photos, and folders of photos.")] = None,
    /,
    *,
    what: EditOptions = EditOptions(),
    where: ObjectOptions = ObjectOptions(),
    to: BatchOptions = BatchOptions(),
    file: FileOptions = FileOptions(),
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
    from realedit.cli.batch_plan import Asked, plan_batch
    from realedit.photo.encode import Compression

    began = perf_counter()
    asked = Asked(
        photos or [],
        what,
        where,
        sampling,
        model,
        to.output,
        to.mask_dir,
        to.manifest,
        file,
        report=to.report,
        quiet=talk.quiet,
    )
    compression = Compression(file.quality, file.lossless)
    planned = plan_batch(asked)
    if not talk.quiet:
        tell_skipped(asked.photos, to.output)
    tasks, journal = planned.tasks, to.output / JOURNAL
    if not to.dry_run:
        for folder in {task.output.parent for task in tasks} | {to.output}:
            output.make_folder(folder)
    shown = None if to.dry_run else journal
    job = _Job(planned.command, planned.lines, to, file, compression, planned.model, shown, talk.quiet)
    with (
        nullcontext() if to.dry_run else only_one(to.output),
        progress_bars(quiet=talk.quiet) as progress,
    ):
        before, records = edit_photos(
            partial(_editor, job, alone=to.jobs == 1),
            tasks,
            to.output,
            processes=to.jobs,
            force=to.force,
            dry_run=to.dry_run,
            on_record=partial(_print_record, talk=talk, dry_run=to.dry_run),
            on_start=partial(session.announce, planned.model, quiet=talk.quiet),
            on_kept=partial(_tell_kept, quiet=talk.quiet),
            progress=progress,
        )
    counts = _counts(before, records)
    _tell_summary(counts, journal, to=to, talk=talk, seconds=perf_counter() - began)
    undone = counts["failed"] + counts["refused"]
    if undone:
        reasons = (
            "see above" if to.dry_run else f"{journal} has the reasons; the same command tries them again"
        )
        raise SomePhotosFailedError(f"{undone} of {len(tasks)} photos could not be edited", reasons)


def _counts(before: Sequence[Task], records: Sequence[PhotoRecord]) -> dict[str, int]:
    """Returns how many photos there are of each status."""
    statuses = Counter(record.status for record in records)
    return {"done_before": len(before), **{status: statuses[status] for status in _STATUSES}}


def _tell_summary(
    counts: Mapping[str, int], journal: Path, *, to: BatchOptions, talk: TalkOptions, seconds: float
) -> None:
    """Prints how many photos were done: with --json as the last line of stdout, else on stderr."""
    if talk.json:
        photos = sum(counts.values())
        output.print_json(
            {
                "summary": {**counts, "photos": photos, "seconds": round(seconds, 2)},
                "dry_run": to.dry_run,
                "journal": None if to.dry_run else journal,
            }
        )
    if talk.quiet:
        return
    names = {"done_before": "done before", "done": "could be done" if to.dry_run else "done"}
    said = [f"{count} {names.get(status, status)}" for status, count in counts.items() if count]
    if not (counts["done_before"] or counts["done"]):
        said.insert(0, "nothing done")
    say(f"realedit: {', '.join(said)}")


def _tell_kept(file: Path, kept: Path, *, quiet: bool) -> None:
    """Warns that a finished file was changed since it was written."""
    if not quiet:
        say(f"realedit: warning: {file} was changed since it was written: kept as {kept.name}, done again")


def tell_skipped(photos: Sequence[Path], folder: Path) -> None:
    """Says which files of the folders are no photos."""
    from realedit.batch import skipped

    left = skipped(photos, folder)
    for path, why in left[:_MOST_SKIPPED]:
        say(f"realedit: skipped {path}: {why}")
    if len(left) > _MOST_SKIPPED:
        say(f"realedit: skipped {len(left) - _MOST_SKIPPED} more files")


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
    if not job.quiet and job.command is not None:
        job.command.tell_other_models(pipeline)
    return Editor(partial(_one, job, pipeline), job.journal)


def _one(job: _Job, pipeline: RealEditPipeline, task: Task) -> PhotoRecord:
    """Edits a photo, or finds out what that would do."""
    from realedit.batch import PhotoRecord, write_outputs
    from realedit.photo.formats import format_for
    from realedit.photo.inputs import as_photo

    began = perf_counter()
    command = job.asked_of(task)
    loaded = job.file.stripped(as_photo(task.photo))
    prepared = command.prepare(loaded)
    record = partial(PhotoRecord, task.key, str(task.photo), str(task.output), "done")
    replaced = job.to.force or task.owns(task.leftovers)
    compression = job.compression.where_possible(format_for(task.output.suffix))
    planned = partial(
        output.plan_edit,
        loaded,
        task.photo,
        task.output,
        report=job.to.report,
        force=replaced,
        compression=compression,
    )
    if job.journal is None:
        if task.output.parent.is_dir():  # a real run makes the folder
            planned()
        changes = command.dry_run(pipeline, prepared, silent).changes
        listed = [output.change_fields(change) for change in changes]
        return record(changes=listed, seconds=perf_counter() - began)
    files = planned()
    result = command.edit(pipeline, prepared, silent)
    with disk_errors(files.image):
        saved, contents = _contents(result, files, compression)
        write_outputs(task, contents, job.journal, force=job.to.force)
    return record(
        metrics=output.finite({**result.metrics, **saved.figures}),
        warnings=(*result.warnings, *saved.warnings),
        changes=[output.finite(output.change_fields(change)) for change in result.changes],
        seconds=perf_counter() - began,
    )


def _contents(
    result: EditResult, files: Destination, compression: Compression
) -> tuple[Saved, dict[Path, bytes]]:
    """Returns an edit's files before any is in its place, so that a report that fails leaves no photo."""
    from realedit.report.page import write_report
    from realedit.system.whole_files import temporary_folder

    folder = files.image.parent
    with temporary_folder(folder) as staged:
        try:
            saved = result.save_measured(staged / files.image.name, compression=compression)
            if files.report is not None:
                html, png = (staged / page.name for page in files.report)
                write_report(result.report(), html, png)
        except PhotoError as error:  # the disk is full
            raise PhotoError(error.message.replace(str(staged), str(folder)), error.hint) from error
        written = sorted(staged.iterdir())
        return saved, {files.image.with_name(file.name): file.read_bytes() for file in written}


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
