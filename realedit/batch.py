"""The same edits of many photos: one model a process, a record a photo, a rerun goes on where one ended.

A photo that cannot be edited ends nothing: its record says why, and a rerun tries it again. A record's key
says everything that decides the edited photo; what has one, and its file, is not done again. Files are noted
before they are written: those that an interrupt leaves without a record are known as a task's own, by their
content, and a rerun replaces them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from realedit.errors import (
    CacheError,
    ForeignPackageError,
    ModelUnavailableError,
    PhotoError,
    RealEditError,
    UsageError,
)
from realedit.photo.encode import SUFFIXES
from realedit.system.json_lines import append_line, foreign_line, read_lines
from realedit.system.processes import run_jobs
from realedit.system.progress import Progress, silent
from realedit.system.whole_files import clear_leftovers, write_files

JOURNAL = "realedit-batch.jsonl"
_ONLY_READ = (".gif",)
_ENDS_ALL = (ModelUnavailableError, CacheError, ForeignPackageError)
"""What the next photo would meet as well."""


@dataclass(frozen=True)
class Task:
    """A photo to edit.

    Args:
        photo: its file.
        output: where the edited photo goes.
        key: see :func:`tasks_for`.
        written: (name, SHA-256) of each file that earlier runs wrote for it, or began to.
    """

    photo: Path
    output: Path
    key: str = ""
    written: frozenset[tuple[str, str]] = frozenset()

    def owns(self, files: Iterable[Path]) -> bool:
        """Whether some of the files exist, and each of those is one that an earlier run wrote for the task.

        Args:
            files: beside the output.
        """
        there = [file for file in files if os.path.lexists(file)]
        return bool(there) and all(
            file.is_file() and (file.name, _sha256(file.read_bytes())) in self.written for file in there
        )

    @property
    def leftovers(self) -> list[Path]:
        """Where the files of earlier runs would lie, whether they are there or not."""
        return sorted(self.output.with_name(name) for name in {name for name, _ in self.written})


@dataclass(frozen=True)
class PhotoRecord:
    """What came of a photo.

    Args:
        key: see :func:`tasks_for`.
        photo: its file.
        output: the edited photo's.
        status: whether it was edited (of a dry run: could be).
        error: why not, with the way out.
        exit_code: of the error's kind; see :mod:`realedit.errors`.
        metrics: of the edit.
        warnings: of the edit.
        changes: what was, or would be, done to each object.
        seconds: all of it.
    """

    key: str
    photo: str
    output: str
    status: Literal["done", "failed"]
    error: str | None = None
    exit_code: int = 0
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    changes: Sequence[Mapping[str, Any]] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class WriteRecord:
    """What is about to be written for a photo.

    Args:
        key: see :func:`tasks_for`.
        files: SHA-256 by the file's name.
        status: tells it from a :class:`PhotoRecord`.
    """

    key: str
    files: Mapping[str, str]
    status: Literal["writing"] = "writing"


class Editor:
    """Edits photos one after the other; see :class:`realedit.system.processes.Worker`.

    Args:
        edit: makes and saves a task's photo, and returns its record; made once a process.
        journal: where records are kept, or None.
    """

    def __init__(self, edit: Callable[[Task], PhotoRecord], journal: Path | None) -> None:
        self._edit = edit
        self._journal = journal

    def run(self, task: Task, told: Callable[[PhotoRecord], None], /) -> None:
        """Edit a photo, write its record, tell it.

        Raises:
            RealEditError: something that the next photo would meet too.
        """
        try:
            record = self._edit(task)
        except _ENDS_ALL:
            raise
        except RealEditError as error:
            record = _failed(task, str(error), error.exit_code)
        except Exception as error:  # a bug that one photo meets shall not end a run of hours
            record = _failed(task, f"{type(error).__name__}: {error}", RealEditError.exit_code)
        if self._journal is not None:
            append_line(self._journal, asdict(record))
        told(record)


def edit_photos(
    make_editor: Callable[[], Editor],
    tasks: Sequence[Task],
    folder: Path,
    *,
    processes: int = 1,
    force: bool = False,
    told: Callable[[PhotoRecord], None],
    progress: Progress = silent,
) -> tuple[list[Task], list[PhotoRecord]]:
    """Do tasks, but for those that an earlier run did.

    Args:
        make_editor: called once in each process.
        tasks: what is to be done.
        folder: with the journal of earlier runs.
        processes: how many work at once.
        force: do all of them again.
        told: called with each new record.
        progress: told how many are done.

    Returns:
        The tasks that were done before, and the new records.

    Raises:
        RealEditError: something that ends the run; what is done is kept.
    """
    kept, written = (set(), {}) if force else _earlier(folder / JOURNAL)
    before = [task for task in tasks if task.key in kept and task.output.exists()]
    left = [
        replace(task, written=frozenset(written.get(task.key, ())))
        for task in tasks
        if task.key not in kept or not task.output.exists()
    ]
    records: list[PhotoRecord] = []

    def listen(record: PhotoRecord) -> None:
        records.append(record)
        told(record)
        progress("photos", len(before) + len(records), len(tasks))

    progress("photos", len(before), len(tasks))
    try:
        run_jobs(make_editor, left, processes, listen)
    finally:
        for place in {task.output.parent for task in left}:
            clear_leftovers(place)
    return before, records


def write_outputs(task: Task, contents: Mapping[Path, bytes], journal: Path, *, force: bool = False) -> None:
    """Write a task's files, all or none, once the journal tells a later run which they are.

    Args:
        task: of which they are; a file that it owns is replaced.
        contents: bytes by file, beside the task's output.
        journal: where that is noted.
        force: whether other files may be replaced, too.

    Raises:
        FileExistsError: there is a file that the task does not own, and `force` is not set.
        OSError: a file could not be written.
        PhotoError: the journal could not.
    """
    digests = {file.name: _sha256(content) for file, content in contents.items()}
    append_line(journal, asdict(WriteRecord(task.key, digests)))
    write_files(contents, force=force or task.owns(contents))


def tasks_for(
    photos: Sequence[Path], folder: Path, *, files: Iterable[str | os.PathLike[str]] = (), **settings: object
) -> list[Task]:
    """The photos' tasks; of a folder, all photos in it and below, which keep their places.

    A task's key is the SHA-256 of the photo's path, size and time of change, of the settings, of the content
    of the files that they name, and of the version of realedit.

    Args:
        photos: files and folders.
        folder: where the edited photos go, under the photos' own names.
        files: those that the settings name.
        **settings: everything else that decides the edited photos.

    Raises:
        PhotoError: a file is not there, or a folder has no photos.
        UsageError: two photos would become one file, or a photo itself.
    """
    named = {str(file): _sha256(_content(file)) for file in {Path(file) for file in files}}
    shared = json.dumps([_version(), named, settings], sort_keys=True, default=str)
    tasks: dict[Path, Task] = {}
    for photo, place in _listed(photos, folder):
        # what can only be read goes on as PNG
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
    """Every photo, and its place in the folder of results."""
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
    """The keys of what earlier runs did, and by key what files they wrote or began to."""
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


def _version() -> str:
    try:
        return version("realedit")
    except PackageNotFoundError:
        return "source"  # a checkout that is not installed


def _failed(task: Task, error: str, exit_code: int) -> PhotoRecord:
    return PhotoRecord(task.key, str(task.photo), str(task.output), "failed", error, exit_code)
