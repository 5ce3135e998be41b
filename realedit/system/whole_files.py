"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

TEMPORARY = (".realedit-", ".tmp")
"""How the name of a file that is not whole yet begins and ends."""
ABANDONED_SECONDS = 600.0
"""Since the last write to a file that is not whole: a younger one may be another process at work."""


def write_files(contents: Mapping[Path, bytes], *, force: bool = False) -> None:
    """Write every file, or none: each under a temporary name beside its place first, then all renamed.

    Args:
        contents: bytes by destination.
        force: whether files that are already there may be replaced. Without it, a file that another process
            puts there in the meantime survives as well.

    Raises:
        FileExistsError: a destination exists and `force` is not set.
        OSError: a file could not be written; nothing new is left behind (what `force` had already replaced
            stays replaced).
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
    """Remove what processes that were ended while they wrote have left, unless another may still write it.

    What cannot be removed stays: it is in nobody's way.

    Args:
        folder: where files and folders named as :data:`TEMPORARY` says are looked for.
        below: whether in the folders below it, too.
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
    # os.replace is atomic only within one file system; a name of its own keeps clear of length limits.
    return destination.with_name(secrets.token_hex(8).join(TEMPORARY))


def _write(path: Path, content: bytes) -> None:
    # Not tempfile: its files are private to the user, while a photo should follow the umask.
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
        # Unlike os.replace, a hard link fails where the name is taken, with no moment in between.
        os.link(temporary, destination)
    except FileExistsError:
        raise
    except OSError:
        # FAT and some network file systems have no hard links.
        if os.path.lexists(destination):
            raise FileExistsError(str(destination)) from None
        os.replace(temporary, destination)
