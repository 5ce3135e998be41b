"""One JSON record for each case and method, appended whole to ``records.jsonl``.

A record's key hashes everything that decides it: the case with its files, the method with its settings, the
model, the seed, what is measured. A rerun skips the keys that are there; a changed setting makes another key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from realedit.system.json_lines import append_line, foreign_line, read_lines

RECORDS = "records.jsonl"
OK, FAILED, UNSUPPORTED, ERROR = "ok", "failed", "unsupported", "error"
"""How a record ended: edited; refused with an error of realedit's family (then the untouched photo is
measured, which the user is left with); not something that the method does; broken (the next run computes it
again)."""


@dataclass(frozen=True)
class Record:
    """The result of a method on a case.

    Args:
        key: see :func:`record_key`.
        case: the case's id.
        edit: what it asks for.
        method: the method's name with its settings.
        status: ``ok``, ``failed``, ``unsupported`` or ``error``.
        reason: why it is not ``ok``.
        category: the data set's own class of edit.
        figures: numbers by name; those that are missing are null.
        missing: why, by the same names.
        times: seconds by stage.
        seconds: their sum.
        evaluations: noise predictions, one per picture of a batch.
        peak_memory: bytes, or null where it is not known.
        picture: file beside the records.
        before: file of the picture before the composite.
        photo: the case's photo, for the page.
        truth: the case's truth, for the page.
        mask: the case's mask of the object, for the sheet.
        found: the object as the method itself found it, for the sheet.
        warnings: what the method told the user.
        scene: what the case shows: cases of one scene are not independent.
        made: seed, model, versions and threads.
    """

    key: str
    case: str
    edit: Mapping[str, Any]
    method: str
    status: str
    reason: str | None = None
    category: str | None = None
    figures: Mapping[str, float | None] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None
    evaluations: int | None = None
    peak_memory: int | None = None
    picture: str | None = None
    before: str | None = None
    photo: str | None = None
    truth: str | None = None
    mask: str | None = None
    found: str | None = None
    warnings: Sequence[str] = field(default_factory=list[str])
    scene: str | None = None
    made: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds_again(self) -> float | None:
        """Seconds of a second edit of the same photo: all stages but the inversion."""
        return None if self.seconds is None else round(self.seconds - self.times.get("invert", 0.0), 4)

    @property
    def kind(self) -> str:
        """The kind of edit."""
        return str(self.edit.get("kind", ""))


def record_key(**parts: object) -> str:
    """Returns the SHA-256 over what decides a record, 16 hexadecimal digits."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def append_record(folder: Path, record: Record) -> None:
    """Appends a record in one write, so that it is there whole or not at all.

    Raises:
        PhotoError: the disk refused.
    """
    append_line(folder / RECORDS, asdict(record))


def read_records(folder: Path) -> dict[str, Record]:
    """Reads the last record of each key.

    Raises:
        OutputExistsError: the file holds something else than records.
    """
    found: dict[str, Record] = {}
    for number, fields in read_lines(folder / RECORDS):
        try:
            record = Record(**fields)
            found[record.key] = record
        except TypeError as error:  # other fields, or a key that is none
            raise foreign_line(folder / RECORDS, number) from error
    return found


def done(records: Mapping[str, Record], keys: Iterable[str]) -> set[str]:
    """Returns those of the keys that need not be computed again."""
    return {key for key in keys if key in records and records[key].status != ERROR}
