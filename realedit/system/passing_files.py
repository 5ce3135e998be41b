"""Files that pass between libraries: on Linux they lie in memory, and are gone however the process ends."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


@contextmanager
def passing_file() -> Generator[BinaryIO]:
    """Gives an empty file to write and read, which has no name in any folder.

    Raises:
        OSError: the system has no room for it.
    """
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("realedit"), "w+b") as file:
            yield file
    else:
        with tempfile.TemporaryFile() as file:
            yield cast("BinaryIO", file)


@contextmanager
def as_file(content: bytes) -> Generator[Path]:
    """Gives content to a library that reads nothing but files.

    Raises:
        OSError: the system has no room for it.
    """
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        with passing_file() as file:
            file.write(content)
            file.flush()
            yield Path(f"/proc/self/fd/{file.fileno()}")
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "photo"
            path.write_bytes(content)
            yield path
