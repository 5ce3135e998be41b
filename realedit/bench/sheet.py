"""Lays a run's pictures out for looking at: a row a case, before | mask | after by each method | truth."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from realedit.bench.page import heading
from realedit.bench.records import OK, Record
from realedit.bench.tables import number
from realedit.errors import PhotoError
from realedit.photo.photo import load_photo
from realedit.report.panel import Tile, fit, outlined, panel, stacked
from realedit.system.whole_files import write_files

_PANEL_PIXELS = 500
"""Longer side of a panel, in pixels: smaller ones hide a hole's seams, larger ones make pages that a screen
does not hold. Set by eye."""
_ROWS = 5
"""Cases on a page: more make it longer than a viewer shows at full size. Set by eye."""
_QUALITY = 90
"""JPEG quality of a page: below it, blocks look like faults of the edit. Set by eye."""
_GIVEN, _FOUND = (255, 0, 200), (255, 150, 0)
"""Colours of outlines: the data set's mask, and what a method found itself."""
_FILES = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}


def write_sheet(target: Path, folder: Path, records: Sequence[Record]) -> list[Path]:
    """Writes the pages of a run's sheet; those of an earlier one are replaced.

    Args:
        target: a file (``.jpg``, ``.png``), whose name takes numbers where one page does not do; or a folder.
        folder: of the run's records and pictures.
        records: the run's records.

    Returns:
        The files.

    Raises:
        PhotoError: the disk refused.
    """
    by_case: dict[str, list[Record]] = {}
    for record in records:
        by_case.setdefault(record.case, []).append(record)
    rows = list(by_case.values())
    pages = [rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS)]
    files = _files(target, len(pages))
    try:
        for file, page in zip(files, pages, strict=True):
            file.parent.mkdir(parents=True, exist_ok=True)
            drawn = io.BytesIO()
            sheet = stacked([_row(folder, found) for found in page])
            sheet.save(drawn, _FILES[file.suffix.lower()], quality=_QUALITY)
            write_files({file: drawn.getvalue()}, force=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PhotoError(f"the sheet could not be written ({reason})", "name another with --sheet") from error
    return files


def is_file(target: Path) -> bool:
    """Tells whether a sheet's target is a picture; otherwise it is a folder."""
    return target.suffix.lower() in _FILES


def _files(target: Path, pages: int) -> list[Path]:
    numbers = [f"{page:0{len(str(pages))}d}" for page in range(1, pages + 1)]
    if not is_file(target):
        return [target / f"{page}.jpg" for page in numbers]
    if pages == 1:
        return [target]
    return [target.with_stem(f"{target.stem}-{page}") for page in numbers]


def _row(folder: Path, records: Sequence[Record]) -> Image.Image:
    """Draws one case's row."""
    first = records[0]
    photo = _read(folder, first.photo)
    tiles = [Tile("before", photo), Tile(*_marked(folder, photo, records))]
    done = [record for record in records if record.picture is not None]
    tiles += [Tile(_caption(record), _read(folder, record.picture)) for record in done]
    if first.truth is not None:
        tiles.append(Tile("truth", _read(folder, first.truth)))
    return panel(tiles, heading(first), _notes(records), columns=len(tiles))


def _marked(folder: Path, photo: Image.Image, records: Sequence[Record]) -> tuple[str, Image.Image]:
    """Draws the outlines of the case's mask, and over it that of the first that a method found itself."""
    caption, marked = [], photo
    found = next((record.found for record in records if record.found is not None), None)
    outlines = (("mask (pink)", records[0].mask, _GIVEN), ("found (orange)", found, _FOUND))
    for name, file, colour in outlines:
        if file is not None:
            mask = load_photo(folder / file).rgb[..., 0] / np.float32(255)
            marked = outlined(marked, mask, colour)
            caption.append(name)
    return ", ".join(caption) or "no mask", marked


def _caption(record: Record) -> str:
    """Names a method, with its figure over the whole picture."""
    value = record.figures.get("st_lpips_alex.whole")
    return record.method if value is None else f"{record.method}: {number(value)}"


def _notes(records: Sequence[Record]) -> list[str]:
    """Says what was refused, is broken or warned of."""
    ended = [
        f"{record.method}: {record.status}: {record.reason}" for record in records if record.status != OK
    ]
    return ended + [f"{record.method}: {warning}" for record in records for warning in record.warnings]


def _read(folder: Path, name: str | None) -> Image.Image:
    if name is None:
        raise ValueError("a run's record names its pictures")
    return fit(Image.fromarray(load_photo(folder / name).rgb), _PANEL_PIXELS)
