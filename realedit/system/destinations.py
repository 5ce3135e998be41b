"""Where files may be written: checked before any work, with one wording for every command and call."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from realedit.errors import OutputExistsError, PhotoError, UsageError

_OTHER_NAME = "choose another name with -o, or --force (force=True) to replace it"


def check_free(paths: Sequence[Path], *, source: Path | None, force: bool) -> None:
    """Make sure that files can be written: their folder is there and takes files, their names are free.

    Args:
        paths: what is to be written.
        source: the photo that is edited, where it came from a file.
        force: whether files that are there may be replaced.

    Raises:
        UsageError: a folder is missing or cannot be written to, a folder has one of the names, or none can.
        OutputExistsError: a file has one of the names, unless ``force``.
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
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk says while files are written into errors of ours.

    Raises:
        OutputExistsError: a file is there already.
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
    """The error of a file that is there already."""
    return OutputExistsError(f"{path} exists already", _OTHER_NAME)


def _check_writable(folder: Path) -> None:
    # Permissions alone do not tell: root, read-only disks, full disks.
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written to ({error.strerror})", "name another folder with -o"
        ) from error
