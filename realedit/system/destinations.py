"""Checks before any work that files may be written, with one wording for every command and call."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from realedit.errors import OutputExistsError, PhotoError, UsageError

_OTHER_NAME = "choose another name with -o, or --force (force=True) to replace it"


def check_free(paths: Sequence[Path], *, source: Path | None, force: bool) -> None:
    """Makes sure that files can be written: their folder exists and takes files, their names are free.

    Args:
        paths: the files to write.
        source: the photo that is edited, if it came from a file.
        force: whether existing files may be replaced.

    Raises:
        UsageError: a folder is missing or cannot be written to, or a path is a folder or no name for a file.
        OutputExistsError: a file exists already, unless ``force``.
    """
    for path in paths:
        try:
            is_folder = path.is_dir()
        except OSError as error:  # a name that is too long, for one
            raise UsageError(
                f"{path.name} cannot name a file ({error.strerror})", "choose another name with -o"
            ) from error
        if is_folder:
            raise UsageError(f"{path} is a folder", "name a file in it")
    for folder in {path.parent for path in paths}:
        if not folder.is_dir():
            raise UsageError(f"no such folder: {folder}", "make it first, or name another with -o")
        _check_writable(folder)
    if force:
        return
    for path in paths:
        if source is not None and path.exists() and source.exists() and path.samefile(source):
            raise OutputExistsError(f"{path} is the photo being edited", _OTHER_NAME)
        if os.path.lexists(path):
            raise exists_already(path)


@contextmanager
def disk_errors(path: Path) -> Generator[None]:
    """Turns the system's errors inside the block, where files are written, into errors of ours.

    Raises:
        OutputExistsError: a file exists already.
        PhotoError: the disk refused.
    """
    try:
        yield
    except FileExistsError as error:
        raise exists_already(path) from error
    except OSError as error:
        raise PhotoError(
            f"{path} could not be written ({error.strerror or error})", "check the folder and the disk"
        ) from error


def exists_already(path: Path) -> OutputExistsError:
    """Returns the error of a file that exists already."""
    return OutputExistsError(f"{path} exists already", _OTHER_NAME)


def _check_writable(folder: Path) -> None:
    # permissions alone do not tell it: root, read-only disks, full disks
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written to ({error.strerror})", "name another folder with -o"
        ) from error
