"""Writes files that appear whole or not at all.

It is written here because the package ``atomicwrites`` is no longer maintained and knows one file at a time:
an edit's photo and its sidecar appear both or neither.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import secrets
import shutil
import time
import uuid
from collections.abc import Generator, Mapping
from pathlib import Path

TEMPORARY = (".realedit-", ".tmp")
"""Begin and end of the name of a file that is not whole yet."""
_MADE = re.compile(r"\.realedit-(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{12}\.tmp")
ABANDONED_SECONDS = 600.0
"""Seconds since the last write to such a file: an older one is left over and removed, a younger one may be
another process at work and stays. Not measured."""


def write_files(contents: Mapping[Path, bytes], *, force: bool = False) -> None:
    """Writes every file or none: each under a temporary name beside its place, then renames all.

    Args:
        contents: bytes by destination.
        force: whether existing files may be replaced. Without it, a file that another process writes in the
            meantime survives as well.

    Raises:
        FileExistsError: a destination exists and `force` is not set.
        OSError: a file could not be written; nothing new is left behind (files that `force` has replaced stay
            replaced).
    """
    staged: dict[Path, Path] = {}
    created: list[Path] = []
    try:
        for destination, content in contents.items():
            staged[destination] = _temporary_beside(destination)
            _write(staged[destination], content)
        for destination, temporary in staged.items():
            existed = os.path.lexists(destination)
            _publish(temporary, destination, force)
            if not existed:
                created.append(destination)
    except BaseException:
        for path in created:
            path.unlink(missing_ok=True)
        raise
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def temporary_name() -> str:
    """Returns a new name of a temporary file or folder; it tells which process of which machine made it."""
    return f"{_machine()}-{os.getpid()}-{secrets.token_hex(6)}".join(TEMPORARY)


@contextlib.contextmanager
def temporary_folder(beside: Path) -> Generator[Path]:
    """Gives a new folder in a folder, and removes it with all in it afterwards."""
    folder = beside / temporary_name()
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_leftovers(folder: Path, *, below: bool = False) -> None:
    """Removes temporary files and folders that ended processes have left, if nobody may still write them.

    What a process of this machine made goes as soon as that has ended, anything else when it is old. Those
    that cannot be removed stay.

    Args:
        folder: where names as in :data:`TEMPORARY` are looked for.
        below: whether also in the folders below it.
    """
    pattern = "*".join(TEMPORARY)
    old = time.time() - ABANDONED_SECONDS
    for leftover in list(folder.rglob(pattern) if below else folder.glob(pattern)):
        with contextlib.suppress(OSError):
            if leftover.lstat().st_mtime > old and not _maker_has_ended(leftover.name):
                continue
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()


def _temporary_beside(destination: Path) -> Path:
    # beside it, as os.replace is atomic only within one file system; a name of its own is never too long
    return destination.with_name(temporary_name())


def _machine() -> str:
    """Returns eight digits that stand for this machine; other machines may share the folder."""
    return hashlib.sha256(f"{platform.node()} {uuid.getnode()}".encode()).hexdigest()[:8]


def _maker_has_ended(name: str) -> bool:
    """Tells whether the process that made a temporary file has surely ended."""
    made = _MADE.fullmatch(name)
    if made is None or made["machine"] != _machine() or os.name != "posix":
        return False
    try:
        os.kill(int(made["process"]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return _is_zombie(made["process"])


def _is_zombie(process: str) -> bool:
    """Tells whether a process has ended, and only its parent has not taken note of that."""
    try:
        # "PID (name) state ...", and the name may hold anything
        return Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[:1] == ["Z"]
    except OSError:  # not Linux, or gone in the meantime
        return False


def _write(path: Path, content: bytes) -> None:
    # not tempfile: its files are private to the user, while a photo should follow the umask
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _publish(temporary: Path, destination: Path, force: bool) -> None:
    if force:
        if destination.is_file():
            shutil.copymode(destination, temporary)
        os.replace(temporary, destination)
        return
    try:
        # unlike os.replace, a hard link fails if the name is taken, with no moment in between
        os.link(temporary, destination)
    except FileExistsError:
        raise
    except OSError:
        # FAT and some network file systems have no hard links
        if os.path.lexists(destination):
            raise FileExistsError(str(destination)) from None
        os.replace(temporary, destination)
