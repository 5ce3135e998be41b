"""Which photos a batch edits, under which names, and what tells each of its tasks from all others."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from realedit.batch.records import sha256, sha256_of
from realedit.errors import PhotoError, RealEditError, UsageError
from realedit.photo.formats import HEAD_BYTES, MOST_FILE_BYTES, READABLE, SUFFIXES, own_suffix, sniff
from realedit.system.installation import distribution_version
from realedit.system.outside_json import read_at_most
from realedit.system.whole_files import TEMPORARY

_OUR_OWN = (".realedit.json", ".report.html")
"""Ends of the names of files that lie beside edited photos."""
_MASK_ENDS = ("", "-mask")
"""What a mask's name has behind its photo's: nothing, or what `realedit locate` writes."""


@dataclass(frozen=True)
class Task:
    """A photo to edit.

    Args:
        photo: the photo's file.
        output: where the edited photo goes.
        key: see :func:`tasks_for`.
        written: (name, SHA-256) of each file that earlier runs wrote for it, or began to write.
        mask: the photo's own mask, if it has one.
        line: the number of the line of a manifest that asks for it, or None.
        problem: why it cannot be done, where that is known already.
    """

    photo: Path
    output: Path
    key: str = ""
    written: frozenset[tuple[str, str]] = frozenset()
    mask: Path | None = None
    line: int | None = None
    problem: RealEditError | None = None

    def owns(self, files: Iterable[Path]) -> bool:
        """Returns whether some of the files exist and an earlier run wrote all that do, for this task.

        Args:
            files: files beside the output.
        """
        there = [file for file in files if os.path.lexists(file)]
        return bool(there) and all(
            file.is_file() and (file.name, sha256_of(file)) in self.written for file in there
        )

    @property
    def leftovers(self) -> list[Path]:
        """The files that earlier runs wrote for the task, whether they are still there or not."""
        return sorted(self.output.with_name(name) for name in {name for name, _ in self.written})


@dataclass(frozen=True)
class Wanted:
    """A photo that somebody asked for, before it is known where its result goes.

    Args:
        photo: the photo's file.
        place: the result's name in the folder of results.
        settings: what decides the edited photo besides the photo, if it is this photo's alone.
        mask: see :class:`Task`.
        line: see :class:`Task`.
        problem: see :class:`Task`.
    """

    photo: Path
    place: Path
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    mask: Path | None = None
    line: int | None = None
    problem: RealEditError | None = None


def tasks_for(
    photos: Sequence[Path],
    folder: Path,
    *,
    files: Iterable[str | os.PathLike[str]] = (),
    masks: Path | None = None,
    **settings: object,
) -> list[Task]:
    """Returns the tasks of photos; a folder stands for all photos in it and below, which keep their places.

    A task's key is a digest (SHA-256) of the photo's path, size and time of change, of the settings, of the
    content of the files that the settings name, and of realedit's version. A photo that cannot be done is a
    task with a problem.

    Args:
        photos: files and folders.
        folder: where the edited photos go, under the photos' own names.
        files: the files that the settings name.
        masks: a folder with a mask for each photo, under the photo's name, or with "-mask" behind it.
        **settings: everything else that decides the edited photos.

    Raises:
        PhotoError: nothing can be done: no file is there, or the folder holds no photos.
        UsageError: likewise: the folder of results is the photos' own.
    """
    wanted = list(_listed(photos, folder))
    if masks is not None:
        wanted = [_masked(one, masks) for one in wanted]
    return tasks_of(wanted, folder, files=files, **settings)


def tasks_of(
    wanted: Sequence[Wanted],
    folder: Path,
    *,
    files: Iterable[str | os.PathLike[str]] = (),
    **settings: object,
) -> list[Task]:
    """Returns the tasks of photos that are listed one by one; the rest is as of :func:`tasks_for`."""
    named = {str(file): sha256(_content(file)) for file in {Path(file) for file in files}}
    shared = [distribution_version("realedit") or "source", named, settings]
    taken: dict[Path, Path] = {}
    tasks: dict[int, Task] = {}
    # photos that keep their names come first: "a.png" is not to give way to what "a.gif" becomes
    for number, one in sorted(enumerate(wanted), key=lambda item: _is_renamed(item[1])):
        tasks[number] = _task(one, folder, taken, shared)
    found = [tasks[number] for number in range(len(wanted))]
    problems = [task.problem for task in found if task.problem is not None]
    if problems and len(problems) == len(found):
        raise problems[0]
    return found


def _is_renamed(one: Wanted) -> bool:
    return _suffix(one) != one.place.suffix


def _suffix(one: Wanted) -> str:
    """Returns the suffix of a result: by the photo's content, unless it was given a name."""
    if one.place.name != one.photo.name:
        return one.place.suffix
    return own_suffix(_kind(one.photo), one.photo)


def _task(one: Wanted, folder: Path, taken: dict[Path, Path], shared: Sequence[object]) -> Task:
    """Returns the task of one photo, and takes its output's name.

    Args:
        one: the photo.
        folder: where results go.
        taken: photos by the outputs that are theirs.
        shared: what decides all edited photos.
    """
    suffix = _suffix(one)
    output = folder / one.place.with_suffix(suffix)
    if output in taken and suffix != one.place.suffix:
        output = folder / f"{one.place}{suffix}"
    task = Task(one.photo, output, mask=one.mask, line=one.line, problem=one.problem)
    if task.problem is None:
        try:
            return replace(task, key=_key(one, taken, output, shared))
        except RealEditError as error:
            task = replace(task, problem=error)
        except OSError as error:
            task = replace(task, problem=PhotoError(f"{one.photo} cannot be read ({error.strerror})"))
    return replace(task, key=hashlib.sha256(os.fsencode(f"{one.photo} {one.line}")).hexdigest()[:16])


def _key(one: Wanted, taken: dict[Path, Path], output: Path, shared: Sequence[object]) -> str:
    """Returns a task's key.

    Raises:
        UsageError: another photo has the output's name, or it is the photo itself.
        PhotoError: the mask cannot be read.
    """
    if output in taken:
        raise UsageError(
            f"{taken[output]} and {one.photo} would both become {output}",
            "rename it, or do it in another run",
        )
    if output.exists() and output.samefile(one.photo):
        raise UsageError(f"{output} would replace the photo itself", "name another folder with --output")
    about = one.photo.stat()
    own = {**one.settings, **({} if one.mask is None else {"mask": sha256(_content(one.mask))})}
    decides = json.dumps([*shared, own], sort_keys=True, default=str)
    text = f"{one.photo.resolve()} {about.st_size} {about.st_mtime_ns} {decides}"
    taken[output] = one.photo
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


def _listed(photos: Sequence[Path], folder: Path) -> Iterator[Wanted]:
    """Yields every photo, and its place in the folder of results.

    Raises:
        UsageError: the folder of results is the photos' own.
    """
    for given in photos:
        if not os.path.isdir(given):
            problem = (
                None if os.path.isfile(given) else PhotoError(f"no such file: {given}", "check the path")
            )
            yield Wanted(given, Path(given.name), problem=problem)
            continue
        if given.resolve() == folder.resolve():
            raise UsageError(f"{folder} holds the photos themselves", "name another folder with --output")
        found = [file for file in _files(given, folder) if _is_photo(file)]
        if not found:
            problem = PhotoError(f"{given} has no photos", f"photos are {READABLE}")
            yield Wanted(given, Path(given.name), problem=problem)
        yield from (Wanted(file, file.relative_to(given)) for file in found)


def skipped(photos: Sequence[Path], folder: Path) -> list[tuple[Path, str]]:
    """Returns the files in folders that are not edited, and why: neither content nor name says a photo.

    Args:
        photos: files and folders, as of :func:`tasks_for`.
        folder: where the edited photos go; what is in it is not looked at.
    """
    folders = [given for given in photos if os.path.isdir(given)]
    found = [
        (file, "no picture that realedit reads" if file.stat().st_size else "empty")
        for given in folders
        for file in _files(given, folder)
        if not _is_photo(file) and not file.name.endswith(_OUR_OWN)
    ]
    others = [
        (path, "a link that leads nowhere" if path.is_symlink() else "no file but a pipe, socket or device")
        for given in folders
        for path in _entries(given, folder)
        if not path.is_file() and not path.is_dir()
    ]
    return sorted(found + others)


def _files(given: Path, folder: Path) -> list[Path]:
    """Returns a folder's files, but for those that are not whole yet and those in the folder of results."""
    begin, end = TEMPORARY
    return [
        file
        for file in _entries(given, folder)
        if file.is_file() and not (file.name.startswith(begin) and file.name.endswith(end))
    ]


def _entries(given: Path, folder: Path) -> list[Path]:
    """Returns all that is in a folder and below it, but for the folder of results."""
    return [path for path in sorted(given.rglob("*")) if not _within(path, folder)]


def _is_photo(file: Path) -> bool:
    """Whether a file is a photo by its content or, if it has any, by its name: broken ones are to be told."""
    return _kind(file) is not None or (file.suffix.lower() in SUFFIXES and file.stat().st_size > 0)


def _kind(file: Path) -> str | None:
    """Returns the format of a file's content, as Pillow names it; None if it is none or cannot be read."""
    try:
        with file.open("rb") as opened:
            return sniff(opened.read(HEAD_BYTES))
    except OSError:
        return None


def _masked(one: Wanted, masks: Path) -> Wanted:
    """Returns a photo with its mask in a folder of masks."""
    beside = (masks / one.place).parent
    for end in _MASK_ENDS:
        for suffix in dict.fromkeys((".png", one.place.suffix, *SUFFIXES)):
            mask = beside / f"{one.place.stem}{end}{suffix}"
            if mask.is_file():
                return replace(one, mask=mask)
    missing = PhotoError(f"no mask for {one.photo}", f"put it into {beside}, named {one.place.stem}.png")
    return replace(one, problem=one.problem or missing)


def _within(file: Path, folder: Path) -> bool:
    try:
        return file.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return False


def _content(file: Path) -> bytes:
    try:
        if file.exists() and not file.is_file():
            raise ValueError("it is no plain file")
        return read_at_most(file, MOST_FILE_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise PhotoError(f"{file} cannot be read ({reason})", "check the path") from error
