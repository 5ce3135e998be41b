"""Does the tasks of a batch: those that no earlier run has done, each once, none ended by another."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from realedit.batch.records import JOURNAL, Earlier, PhotoRecord, WriteRecord, sha256, sha256_of
from realedit.batch.tasks import Task
from realedit.errors import (
    CacheError,
    ForeignPackageError,
    ModelUnavailableError,
    RealEditError,
    UnsureError,
)
from realedit.system.json_lines import append_line
from realedit.system.memory import out_of_memory
from realedit.system.processes import run_jobs
from realedit.system.progress import Progress, silent
from realedit.system.whole_files import clear_leftovers, write_files

_ENDS_ALL = (ModelUnavailableError, CacheError, ForeignPackageError)
"""Errors that end the run, because the next photo would meet them too."""


class Editor:
    """Edits photos one after the other in one process; see :class:`realedit.system.processes.Worker`.

    Args:
        edit: edits and saves a task's photo, and returns its record.
        journal: the file that keeps the records, or None.
    """

    def __init__(self, edit: Callable[[Task], PhotoRecord], journal: Path | None) -> None:
        self._edit = edit
        self._journal = journal

    def run(self, task: Task, on_record: Callable[[PhotoRecord], None], /) -> None:
        """Edits a photo, writes its record and hands the record on.

        Args:
            task: the photo.
            on_record: called with its record.

        Raises:
            RealEditError: an error that the next photo would meet too.
        """
        try:
            record = self._edit(task)
        except _ENDS_ALL:
            raise
        except UnsureError as error:
            record = replace(_failed(task, error), status="refused")
        except RealEditError as error:
            record = _failed(task, error)
        except Exception as error:  # a bug that one photo meets shall not end a run of hours
            known = out_of_memory(error) or RealEditError(f"{type(error).__name__}: {error}")
            record = _failed(task, known)
        if self._journal is not None:
            append_line(self._journal, asdict(record))
        on_record(record)


def edit_photos(
    make_editor: Callable[[], Editor],
    tasks: Sequence[Task],
    folder: Path,
    *,
    processes: int = 1,
    force: bool = False,
    dry_run: bool = False,
    on_record: Callable[[PhotoRecord], None],
    on_start: Callable[[], None] = lambda: None,
    on_kept: Callable[[Path, Path], None] = lambda _file, _kept: None,
    progress: Progress = silent,
) -> tuple[list[Task], list[PhotoRecord]]:
    """Does the tasks that no earlier run has done.

    Args:
        make_editor: called once in each process that has something to do.
        tasks: all tasks.
        folder: the folder of results, with the journal of earlier runs.
        processes: how many work at once.
        force: do all tasks again.
        dry_run: write nothing.
        on_record: called with each new record.
        on_start: called before the first task begins, if there is one.
        on_kept: called with a finished file that somebody has changed, and where it is kept: its photo is
            done again.
        progress: told how many tasks are done.

    Returns:
        The tasks that earlier runs had done, and the new records.

    Raises:
        RealEditError: an error that ends the run; what is done is kept.
    """
    journal = folder / JOURNAL
    earlier = Earlier() if force else Earlier.read(journal)
    before = [task for task in tasks if task.problem is None and earlier.is_whole(task.key, task.output)]
    kept = {task.output for task in before}
    left = [
        replace(task, written=frozenset(earlier.written.get(task.key, ())))
        for task in tasks
        if task.output not in kept or task.problem is not None
    ]
    records: list[PhotoRecord] = []

    def listen(record: PhotoRecord) -> None:
        records.append(record)
        on_record(record)
        progress("photos", len(before) + len(records), len(tasks))

    progress("photos", len(before), len(tasks))
    places = {task.output.parent for task in left}
    if not dry_run:
        for place in places:
            clear_leftovers(place)
    try:
        for task in left:
            if task.problem is not None:
                record = _failed(task, task.problem)
                if not dry_run:
                    append_line(journal, asdict(record))
                listen(record)
            elif task.key in earlier.done and not dry_run:
                _set_aside(task, earlier.last.get(task.key, {}), on_kept)
        able = [task for task in left if task.problem is None]
        if able:  # nothing is loaded for nothing
            on_start()
            run_jobs(make_editor, able, processes, listen)
    finally:
        if not dry_run:
            for place in places:
                clear_leftovers(place)
    return before, records


def write_outputs(task: Task, contents: Mapping[Path, bytes], journal: Path, *, force: bool = False) -> None:
    """Writes a task's files, all or none, after noting them in the journal for a later run.

    Args:
        task: the task; files that it owns are replaced.
        contents: bytes by file; the files lie beside the task's output.
        journal: the journal.
        force: whether files of others may be replaced too.

    Raises:
        FileExistsError: there is a file that the task does not own, and `force` is not set.
        OSError: a file could not be written.
        PhotoError: the journal could not be written.
    """
    digests = {file.name: sha256(content) for file, content in contents.items()}
    append_line(journal, asdict(WriteRecord(task.key, digests)))
    write_files(contents, force=force or task.owns(contents))


def _set_aside(task: Task, files: Mapping[str, str], on_kept: Callable[[Path, Path], None]) -> None:
    """Renames files of a finished photo that are not as they were written, so that it can be done again.

    A damaged file is of no use, but one that somebody has retouched is work; they cannot be told apart.
    """
    for name, digest in files.items():
        file = task.output.with_name(name)
        if not file.is_file() or sha256_of(file) == digest:
            continue
        if not file.stat().st_size:
            file.unlink()
            continue
        number = 1
        while os.path.lexists(kept := file.with_name(f"{file.stem}-changed-{number}{file.suffix}")):
            number += 1
        file.rename(kept)
        on_kept(file, kept)


def _failed(task: Task, error: RealEditError) -> PhotoRecord:
    return PhotoRecord(task.key, str(task.photo), str(task.output), "failed", str(error), error.exit_code)
