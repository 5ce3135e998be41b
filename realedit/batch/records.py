"""The journal of a batch: what is about to be written for each photo, and what became of it."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from realedit.system.json_lines import foreign_line, read_lines

JOURNAL = "realedit-batch.jsonl"
"""Name of the file, in the folder of results, that holds the records."""


@dataclass(frozen=True)
class PhotoRecord:
    """What became of a photo.

    Args:
        key: see :func:`realedit.batch.tasks.tasks_for`.
        photo: the photo's file.
        output: the edited photo's file.
        status: whether it was edited; in a dry run, whether it could be. "refused" is a photo in which what
            was found is less sure than is asked for.
        error: why not, with the way out.
        exit_code: the error's; see :mod:`realedit.errors`.
        metrics: the edit's figures.
        warnings: the edit's warnings.
        changes: what was, or would be, done to each object.
        seconds: time that the photo took.
    """

    key: str
    photo: str
    output: str
    status: Literal["done", "failed", "refused"]
    error: str | None = None
    exit_code: int = 0
    metrics: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    warnings: Sequence[str] = ()
    changes: Sequence[Mapping[str, Any]] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class WriteRecord:
    """The files that are about to be written for a photo.

    Args:
        key: see :func:`realedit.batch.tasks.tasks_for`.
        files: their SHA-256, by their names.
        status: distinguishes it from a :class:`PhotoRecord`.
    """

    key: str
    files: Mapping[str, str]
    status: Literal["writing"] = "writing"


@dataclass(frozen=True)
class Earlier:
    """What earlier runs did, by the keys of their tasks.

    Args:
        done: the keys of photos that are done.
        written: (name, SHA-256) of each file that was written, or begun.
        last: SHA-256 by name of the files that were written, or begun, last.
    """

    done: set[str] = field(default_factory=set[str])
    written: dict[str, set[tuple[str, str]]] = field(default_factory=dict[str, set[tuple[str, str]]])
    last: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])

    @classmethod
    def read(cls, journal: Path) -> Earlier:
        """Reads a journal; nothing was done where there is none.

        Raises:
            OutputExistsError: a line is no record of this version of realedit.
        """
        earlier = cls()
        for number, fields in read_lines(journal):
            kind = WriteRecord if fields.get("status") == "writing" else PhotoRecord
            try:
                earlier._take(kind(**fields))
            except (TypeError, AttributeError) as error:  # other fields, or fields of other types
                raise foreign_line(journal, number) from error
        return earlier

    def _take(self, record: WriteRecord | PhotoRecord) -> None:
        self.done.discard(record.key)  # the last record counts
        if isinstance(record, WriteRecord):
            self.written.setdefault(record.key, set()).update(record.files.items())
            self.last[record.key] = dict(record.files)
        elif record.status == "done":
            self.done.add(record.key)

    def is_whole(self, key: str, output: Path) -> bool:
        """Returns whether a photo is done and each of its files is there as it was written.

        Args:
            key: its task's.
            output: the edited photo's file, beside which the others lie.
        """
        if key not in self.done or not output.is_file():
            return False
        return all(
            (file := output.with_name(name)).is_file() and sha256_of(file) == digest
            for name, digest in self.last.get(key, {}).items()
        )


def sha256(content: bytes) -> str:
    """Returns the SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_of(file: Path) -> str:
    """Returns a plain file's SHA-256 in hexadecimal.

    Raises:
        OSError: it cannot be read, or is a device or a pipe, which may have no end.
    """
    if file.exists() and not file.is_file():
        raise OSError(errno.EINVAL, "it is no plain file", str(file))
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
