"""Where a command's files go, checked before any work, and how results are printed on stdout."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realedit.cli.boundary import say
from realedit.errors import UsageError
from realedit.report.fields import change_fields as change_fields
from realedit.report.fields import finite as finite
from realedit.report.fields import location_fields as location_fields
from realedit.system.destinations import check_free

if TYPE_CHECKING:
    from realedit.change import Change
    from realedit.location import Box
    from realedit.photo.encode import Compression
    from realedit.photo.photo import Photo


@dataclass(frozen=True)
class Destination:
    """The files that an edit writes.

    Attributes:
        image: the edited photo.
        report: the report's page and panel, or None where none was asked for.
        preview: the drawing of a dry run, likewise.
    """

    image: Path
    report: tuple[Path, Path] | None
    preview: Path | None = None


def plan_edit(
    photo: Photo,
    source: Path,
    output: Path | None,
    *,
    report: bool,
    preview: Path | None = None,
    force: bool,
    compression: Compression | None = None,
) -> Destination:
    """Decides where an edit's files go, and makes sure that they can be written.

    Args:
        photo: the photo; the output's format has to be able to hold it.
        source: the photo's file; the default output lies beside it.
        output: the file that the user asked for, if any.
        report: whether a report is wanted.
        preview: the file for the drawing of a dry run, if one is wanted.
        force: whether files may be replaced.
        compression: what the user wants of the file.

    Raises:
        UsageError: the suffix names no format, the folder is missing, or the format cannot hold the photo.
        OutputExistsError: a file exists already, or it is the photo itself.
    """
    from realedit.photo.encode import Compression, check_holds
    from realedit.photo.formats import format_for, own_suffix
    from realedit.photo.pictures import PICTURES
    from realedit.photo.provenance import sidecar_path

    if output is None:
        output = source.with_name(f"{source.stem}-edited{own_suffix(photo.metadata.format, source)}")
    if os.path.isdir(output):  # which bears names that are too long
        raise UsageError(f"{output} is a folder", "name a file in it")
    format_for(output.suffix)
    pages = (output.with_name(f"{output.name}.report.html"), output.with_name(f"{output.name}.report.png"))
    if preview is not None and preview.suffix.lower() not in PICTURES:
        raise UsageError(
            f"a preview is written as PNG or JPEG, not '{preview.suffix}'", "end its name in .png or .jpg"
        )
    others = [*(pages if report else ()), *([] if preview is None else [preview])]
    check_free([output, sidecar_path(output), *others], source=source, force=force)
    check_holds(photo.native, format_for(output.suffix), compression or Compression())
    return Destination(output, pages if report else None, preview)


def warn_of_replacing(photo: Path, output: Path, what: str) -> None:
    """Warns where an output that may be replaced is the photo itself.

    Args:
        photo: the photo's file.
        output: the file to write.
        what: what is written: "edited photo".
    """
    if os.path.exists(output) and output.samefile(photo):
        say(f"realedit: warning: -o names the photo itself: with --force the {what} replaces {photo}")


def print_json(fields: Mapping[str, Any]) -> None:
    """Prints one JSON object on one line of stdout; numbers that JSON lacks become null."""
    print(json.dumps(finite(fields), ensure_ascii=False, allow_nan=False))


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints aligned columns on stdout, never wrapped, so that other programs can read them."""
    print_columns([tuple(head), *(tuple(row) for row in rows)])


def print_columns(lines: Sequence[Sequence[str]], indent: str = "") -> None:
    """Prints rows of cells in aligned columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print(
            indent + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


def megabytes(count: int) -> str:
    """Returns a size in MB (2^20 bytes) with one decimal."""
    return f"{count / 2**20:.1f} MB"


def numbers(values: Iterable[float]) -> str:
    """Returns fractions as `0.123,0.456`, the form that --box and --point read."""
    return ",".join(f"{value:.3f}" for value in values)


_EXACT_DB = 100.0
"""PSNR in dB at which pictures count as equal; below, it is told. The bench cuts its figures there, too."""


def decibels(value: float) -> str:
    """Returns a PSNR in dB as text; "exact" at or above :data:`_EXACT_DB`."""
    return "exact" if value >= _EXACT_DB else f"{value:.1f} dB"


def seconds(timings: Mapping[str, float]) -> str:
    """Returns timings in one phrase: the sum, and each stage."""
    stages = ", ".join(f"{name} {value:.1f}" for name, value in timings.items())
    return f"{sum(timings.values()):.1f} s ({stages})"


def make_folder(folder: Path) -> None:
    """Makes a folder for results, with those above it, where it is missing.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"{folder} cannot be made ({reason})", "name another with --output") from error


def print_changes(changes: Sequence[Change]) -> None:
    """Prints a line for each object that was changed: what was done, to what, from where to where."""
    rows: list[tuple[str, ...]] = []
    for change in changes:
        how = "" if change.source is None else f"by {change.source}, score {change.score:.2f}"
        boxes = [_box(box) for box in (change.before, change.after)]
        # a dry run does not look for what comes from another photo
        where = f"{boxes[0]} -> {boxes[1]}" if change.before or change.after else ""
        rows.append((change.edit.replace("_", "-"), change.word or _nameless(change), where, how))
    print_columns(rows, indent="  ")
    for change in changes:
        if change.perspective is not None and change.perspective != 1:
            name = "the object" if change.word is None else f"'{change.word}'"
            print(
                f"  {name} becomes {change.perspective:.2f} times as large, as perspective asks; "
                "--perspective off keeps its size"
            )


def _nameless(change: Change) -> str:
    return "object" if change.source else "photo"


def _box(box: Box | None) -> str:
    return "none" if box is None else numbers(box)
