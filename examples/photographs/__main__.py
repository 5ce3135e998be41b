"""Make forty edits of photographs that nothing was set on, for looking at.

    python -m examples.photographs FOLDER --cocoee COCOEE --res ReS

writes ``FOLDER/records.jsonl`` (a line an edit: seconds by stage, warnings, why it was refused),
``FOLDER/pictures`` and the pages ``FOLDER/sheet/1.jpg``... of before | what was cut out | after. An edit that
is there already, made by the same code at the same side, is not made again. ``--table VERDICTS.json`` writes
the table of a person's verdicts (``examples.photographs.verdicts`` says how they are told) beside them.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

import cyclopts
import numpy as np
from cyclopts import Parameter
from PIL import Image

from examples.photographs.asked import EDITS, Asked, photographs, read_asked
from examples.photographs.verdicts import write_verdicts
from realedit import RealEditError, RealEditPipeline
from realedit.bench.case import Case, LoadedCase
from realedit.bench.records import FAILED, OK, Record, append_record, read_records, record_key
from realedit.bench.sheet import write_sheet
from realedit.bench.worker import code_digest
from realedit.edits.entries import read_entries

SIDE = 1024
"""Longer side, in pixels, that photographs are scaled down to: the edits at 1,700 px take twice as long."""
PICTURES = "pictures"

app = cyclopts.App(name="photographs", help=__doc__, help_format="plaintext")


@app.default
def main(
    folder: Path,
    /,
    *,
    cocoee: Path,
    res: Path,
    side: int = SIDE,
    only: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    table: Path | None = None,
    edits: Path = EDITS,
) -> None:
    """Make the edits and lay them out.

    Args:
        folder: Gets pictures, records and sheet.
        cocoee: PixelMan's COCOEE.
        res: PixelMan's ReS.
        side: Longer side, in pixels, that photographs are scaled down to.
        only: Only edits of these ids.
        table: Verdicts; writes their table beside them.
        edits: The list.
    """
    asked = [one for one in read_asked(edits) if not only or one.id in only]
    try:
        known = photographs(cocoee, res)
        (folder / PICTURES).mkdir(parents=True, exist_ok=True)
        records = [_record(folder, one, known, side) for one in asked]
        if table is not None:
            print(write_verdicts(table, asked, records))
            return
        pages = write_sheet(folder / "sheet", folder, records)
    except RealEditError as error:
        sys.exit(f"photographs: {error}")
    print(*pages, sep="\n")


def _record(folder: Path, one: Asked, known: dict[str, Case], side: int) -> Record:
    """Makes an edit, or takes the one that is there."""
    key = record_key(asked=repr(one), code=code_digest(), side=side)
    held = read_records(folder).get(key)
    if held is not None:
        return held
    loaded = LoadedCase.of(known[one.photo], side)
    entry = {name: _file(folder, known, value, side) for name, value in one.edit.items()}
    shown = [name for name, value in one.edit.items() if value is None]
    said = {name: value for name, value in one.edit.items() if value is not None}
    record = Record(
        key,
        one.id,
        {"kind": " ".join([f"by {one.by}:", *shown]), **said},
        "realedit",
        OK,
        photo=_picture(folder, f"{one.id}-before", loaded.photo),
    )
    began = perf_counter()
    try:
        edits = read_entries([entry])
        result = _pipeline().edit(loaded.photo, edits, **one.shown(loaded.mask))
    except RealEditError as error:
        record = replace(record, status=FAILED, reason=str(error), seconds=round(perf_counter() - began, 1))
    else:
        record = replace(
            record,
            picture=_picture(folder, f"{one.id}-after", result.photo.rgb),
            found=_picture(folder, f"{one.id}-found", result.mask_before > 0.5),
            seconds=round(perf_counter() - began, 1),
            times={stage: round(took, 2) for stage, took in result.timings.items()},
            warnings=list(result.warnings),
        )
    append_record(folder, record)
    told = {"id": one.id, "seconds": record.seconds, "refused": record.reason, "warnings": record.warnings}
    print(json.dumps(told), file=sys.stderr)
    return record


_made: list[RealEditPipeline] = []


def _pipeline() -> RealEditPipeline:
    """Loads the model when the first edit is made."""
    if not _made:
        _made.append(RealEditPipeline.from_pretrained(cache=False))
    return _made[0]


def _file(folder: Path, known: dict[str, Case], value: object, side: int) -> object:
    """Replaces a photograph's name by a file of it at the side."""
    if not isinstance(value, str) or value not in known:
        return value
    return str(folder / _picture(folder, value.replace(":", "-"), LoadedCase.of(known[value], side).photo))


def _picture(folder: Path, name: str, array: np.ndarray) -> str:
    file = f"{PICTURES}/{name}.png"
    Image.fromarray(array.astype(np.uint8) * 255 if array.dtype == bool else array).save(folder / file)
    return file


if __name__ == "__main__":
    app()
