"""Lets one run at a time write into a folder; the system gives the folder free when the run ends, however.

It is written here because the package ``filelock`` leaves a file of its own; here the folder is locked.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from realedit.errors import OutputExistsError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_WAIT_SECONDS = 3.0
"""Seconds that another run may take to end: after them the folder counts as taken, before them it is waited
for, because the processes of a run that was killed live on for a moment. Not measured."""
_POLL_SECONDS = 0.1
"""Seconds between looks: more notice an end later, fewer cost time. Not measured."""


@contextmanager
def only_one(folder: Path) -> Generator[None]:
    """Holds a folder, which exists, while the block runs.

    Where the file system or the system knows no locks, the block runs without.

    Raises:
        OutputExistsError: another run holds it.
    """
    if fcntl is None:
        yield
        return
    handle = _opened(folder)
    if handle is None:
        yield
        return
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)  # and with it the lock


def _opened(path: Path) -> int | None:
    """Returns the folder's handle, which no started process inherits; None where it cannot be opened."""
    try:
        return os.open(path, os.O_RDONLY)
    except OSError:
        return None


def _lock(handle: int, folder: Path) -> None:
    until = time.monotonic() + _WAIT_SECONDS
    while fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                return  # a network's file system without locks
        if time.monotonic() > until:
            raise OutputExistsError(
                f"another run is at work in {folder}",
                "wait for it to end, or name another folder with --output",
            )
        time.sleep(_POLL_SECONDS)
