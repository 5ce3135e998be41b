"""Writes and reads the JSON Lines of a long run; each line is there whole or not at all.

It is written here because the package ``jsonlines`` neither waits for the disk nor takes back a line that a
full disk or a crash has cut short.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from realedit.errors import OutputExistsError, PhotoError
from realedit.system.outside_json import parse_json

_MOST_BYTES = 2**30
"""Bytes of a journal: a longer one is not read, a shorter one is. Each photo takes one or two thousand."""


def append_line(path: Path, fields: Mapping[str, Any]) -> None:
    """Appends an object in one write, and waits until it is on the disk.

    Raises:
        PhotoError: the disk refused.
    """
    line = (json.dumps(fields, allow_nan=False) + "\n").encode()
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            if (written := os.write(file, line)) < len(line):  # the disk filled up within the line
                os.ftruncate(file, os.fstat(file).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise PhotoError(f"{path} could not be written ({error.strerror})", "check the disk") from error


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the objects with their lines' numbers, from 1; none if there is no file.

    It cuts off a torn last line, which a crash of the machine leaves.

    Raises:
        OutputExistsError: a line is no JSON object.
    """
    if not path.exists():
        return
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:  # a pipe would never answer
        raise foreign_line(path, 1)
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) != len(data):
        os.truncate(path, len(whole))
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            fields = parse_json(line, any_text=True)  # the names of files may be in no encoding
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            raise foreign_line(path, number)
        yield number, cast("dict[str, Any]", fields)


def foreign_line(path: Path, number: int) -> OutputExistsError:
    """Returns the error of a line that realedit did not write."""
    return OutputExistsError(
        f"{path}:{number} is not a record of this version of realedit", "name another --output"
    )
