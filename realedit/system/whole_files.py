"""Writes files that appear whole or not at all.

It is written here because the package ``atomicwrites`` is no longer maintained and knows one file at a time:
an edit's photo and its sidecar appear both or neither.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

TEMPORARY = (".realedit-", ".tmp")
"""Begin and end of the name of a file that is not whole yet."""
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


def clear_leftovers(folder: Path, *, below: bool = False) -> None:
    """Removes temporary files and folders that ended processes have left, if nobody may still write them.

    Those that cannot be removed stay.

    Args:
        folder: where names as in :data:`TEMPORARY` are looked for.
        below: whether also in the folders below it.
    """
    pattern = "*".join(TEMPORARY)
    old = time.time() - ABANDONED_SECONDS
    for leftover in list(folder.rglob(pattern) if below else folder.glob(pattern)):
        with contextlib.suppress(OSError):
            if leftover.lstat().st_mtime > old:
                continue
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()


def _temporary_beside(destination: Path) -> Path:
    # beside it, as os.replace is atomic only within one file system; a name of its own is never too long
    return destination.with_name(secrets.token_hex(8).join(TEMPORARY))


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
