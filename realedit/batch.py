"""Makes the same edits of many photos: one model per process, one record per photo. A rerun continues.

A photo that cannot be edited does not stop the others: its record says why, and a rerun tries it again. A
record's key stands for everything that decides the edited photo; a photo that has a record and a file is not
done again. Files are noted in the journal before they are written. So a rerun knows by their content those
that an interrupt left without a record, and replaces them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from realedit.errors import (
    CacheError,
    ForeignPackageError,
    ModelUnavailableError,
    PhotoError,
    RealEditError,
    UnsureError,
    UsageError,
)
from realedit.photo.encode import SUFFIXES
from realedit.system.installation import distribution_version
from realedit.system.json_lines import append_line, foreign_line, read_lines
from realedit.system.processes import run_jobs
from realedit.system.progress import Progress, silent
from realedit.system.whole_files import clear_leftovers, write_files

JOURNAL = "realedit-batch.jsonl"
"""Name of the file, in the folder of results, that holds the records."""
_ONLY_READ = (".gif",)
_ENDS_ALL = (ModelUnavailableError, CacheError, ForeignPackageError)
"""Errors that end the run, because the next photo would meet them too."""


@dataclass(frozen=True)
class Task:
    """A photo to edit.

    Args:
        photo: the photo's file.
        output: where the edited photo goes.
        key: see :func:`tasks_for`.
        written: (name, SHA-256) of each file that earlier runs wrote for it, or began to write.
    """

    photo: Path
    output: Path
    key: str = ""
    written: frozenset[tuple[str, str]] = frozenset()

    def owns(self, files: Iterable[Path]) -> bool:
        """Returns whether some of the files exist and an earlier run wrote all that do, for this task.

        Args:
            files: files beside the output.
        """
        there = [file for file in files if os.path.lexists(file)]
        return bool(there) and all(
            file.is_file() and (file.name, _sha256(file.read_bytes())) in self.written for file in there
        )

    @property
    def leftovers(self) -> list[Path]:
        """The files that earlier runs wrote for the task, whether they are still there or not."""
        return sorted(self.output.with_name(name) for name in {name for name, _ in self.written})


@dataclass(frozen=True)
class PhotoRecord:
    """What became of a photo.

    Args:
        key: see :func:`tasks_for`.
        photo: the photo's file.
        output: the edited photo's file.
        status: whether it was edited; in a dry run, whether it could be. "refused" is a photo in which what
            was found is less sure than is asked for.
        error: why not, with the way out.
        exit_code: the error's; see :mod:`realedit.errors`.
        metrics: the edit's figures.
        warnings: the edit's warnings.
        changes: what was, or would be, done to each object.
        seconds: time that the photo took.
    """

    key: str
    photo: str
    output: str
    status: Literal["done", "failed", "refused"]
    error: str | None = None
    exit_code: int = 0
    metrics: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    warnings: Sequence[str] = ()
    changes: Sequence[Mapping[str, Any]] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class WriteRecord:
    """The files that are about to be written for a photo.

    Args:
        key: see :func:`tasks_for`.
        files: their SHA-256, by their names.
        status: distinguishes it from a :class:`PhotoRecord`.
    """

    key: str
    files: Mapping[str, str]
    status: Literal["writing"] = "writing"


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
            record = replace(_failed(task, str(error), error.exit_code), status="refused")
        except RealEditError as error:
            record = _failed(task, str(error), error.exit_code)
        except Exception as error:  # a bug that one photo meets shall not end a run of hours
            record = _failed(task, f"{type(error).__name__}: {error}", RealEditError.exit_code)
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
    on_record: Callable[[PhotoRecord], None],
    progress: Progress = silent,
) -> tuple[list[Task], list[PhotoRecord]]:
    """Does the tasks that no earlier run has done.

    Args:
        make_editor: called once in each process.
        tasks: all tasks.
        folder: the folder of results, with the journal of earlier runs.
        processes: how many work at once.
        force: do all tasks again.
        on_record: called with each new record.
        progress: told how many tasks are done.

    Returns:
        The tasks that earlier runs had done, and the new records.

    Raises:
        RealEditError: an error that ends the run; what is done is kept.
    """
    kept: set[str] = set()
    written: dict[str, set[tuple[str, str]]] = {}
    if not force:
        kept, written = _earlier(folder / JOURNAL)
    before = [task for task in tasks if task.key in kept and task.output.exists()]
    left = [
        replace(task, written=frozenset(written.get(task.key, ())))
        for task in tasks
        if task.key not in kept or not task.output.exists()
    ]
    records: list[PhotoRecord] = []

    def listen(record: PhotoRecord) -> None:
        records.append(record)
        on_record(record)
        progress("photos", len(before) + len(records), len(tasks))

    progress("photos", len(before), len(tasks))
    try:
        run_jobs(make_editor, left, processes, listen)
    finally:
        for place in {task.output.parent for task in left}:
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
    digests = {file.name: _sha256(content) for file, content in contents.items()}
    append_line(journal, asdict(WriteRecord(task.key, digests)))
    write_files(contents, force=force or task.owns(contents))


def tasks_for(
    photos: Sequence[Path], folder: Path, *, files: Iterable[str | os.PathLike[str]] = (), **settings: object
) -> list[Task]:
    """Returns the tasks of photos; a folder stands for all photos in it and below, which keep their places.

    A task's key is a digest (SHA-256) of the photo's path, size and time of change, of the settings, of the
    content of the files that the settings name, and of realedit's version.

    Args:
        photos: files and folders.
        folder: where the edited photos go, under the photos' own names.
        files: the files that the settings name.
        **settings: everything else that decides the edited photos.

    Raises:
        PhotoError: a file is not there, or a folder holds no photos.
        UsageError: two photos would become one file, or an edited photo would replace the photo itself.
    """
    named = {str(file): _sha256(_content(file)) for file in {Path(file) for file in files}}
    shared = json.dumps(
        [distribution_version("realedit") or "source", named, settings], sort_keys=True, default=str
    )
    tasks: dict[Path, Task] = {}
    for photo, place in _listed(photos, folder):
        # a format that can be read but not written becomes PNG
        output = folder / (place.with_suffix(".png") if place.suffix.lower() in _ONLY_READ else place)
        if output in tasks:
            other = tasks[output].photo
            raise UsageError(f"{other} and {photo} would both become {output}", "do them in two runs")
        if output.exists() and output.samefile(photo):
            raise UsageError(f"{output} would replace the photo itself", "name another folder with --output")
        about = photo.stat()
        text = f"{photo.resolve()} {about.st_size} {about.st_mtime_ns} {shared}"
        tasks[output] = Task(photo, output, hashlib.sha256(os.fsencode(text)).hexdigest()[:16])
    return list(tasks.values())


def _listed(photos: Sequence[Path], folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yields every photo, and its place in the folder of results."""
    readable = {*SUFFIXES, *_ONLY_READ}
    for given in photos:
        if not given.is_dir():
            if not given.is_file():
                raise PhotoError(f"no such file: {given}", "check the path")
            yield given, Path(given.name)
            continue
        if given.resolve() == folder.resolve():
            raise UsageError(f"{folder} holds the photos themselves", "name another folder with --output")
        found = [
            file
            for file in sorted(given.rglob("*"))
            if file.suffix.lower() in readable and file.is_file() and not _within(file, folder)
        ]
        if not found:
            raise PhotoError(f"{given} has no photos", f"photos end in {', '.join(sorted(readable))}")
        yield from ((file, file.relative_to(given)) for file in found)


def _within(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def _earlier(journal: Path) -> tuple[set[str], dict[str, set[tuple[str, str]]]]:
    """Returns the keys of what earlier runs did, and the files that they wrote or began to write, by key."""
    done: set[str] = set()
    written: dict[str, set[tuple[str, str]]] = {}
    for number, fields in read_lines(journal):
        kind = WriteRecord if fields.get("status") == "writing" else PhotoRecord
        try:
            record = kind(**fields)
        except TypeError as error:
            raise foreign_line(journal, number) from error
        done.discard(record.key)  # the last record counts
        if isinstance(record, WriteRecord):
            written.setdefault(record.key, set()).update(record.files.items())
        elif record.status == "done":
            done.add(record.key)
    return done, written


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PhotoError(f"{file} cannot be read ({error.strerror})", "check the path") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _failed(task: Task, error: str, exit_code: int) -> PhotoRecord:
    return PhotoRecord(task.key, str(task.photo), str(task.output), "failed", error, exit_code)
