"""`-` in the place of a file: the photo comes from standard input, the edited one goes to standard output."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from realedit.cli.boundary import say
from realedit.cli.output import Destination
from realedit.cli.streams import is_open
from realedit.errors import PhotoError, UsageError

if TYPE_CHECKING:
    from realedit.photo.encode import Compression
    from realedit.photo.photo import Photo
    from realedit.result import EditResult

STANDARD = Path("-")


def read(photo: Path) -> Photo:
    """Reads a photo from its file, or from standard input.

    Raises:
        PhotoError: it cannot be read, or is too small.
    """
    from realedit.photo.formats import MOST_FILE_BYTES
    from realedit.photo.inputs import as_photo
    from realedit.photo.photo import read_photo

    if photo != STANDARD:
        return as_photo(photo)
    if sys.stdin.isatty():
        raise PhotoError("no photo comes from standard input", "pipe one in, or name a file")
    # no more than is taken: a device may have no end
    return as_photo(read_photo(sys.stdin.buffer.read(MOST_FILE_BYTES + 1), "standard input"))


def goes_out(photo: Path, output: Path | None) -> bool:
    """Tells whether the edited photo goes to standard output: by ``-o -``, or as the photo came in."""
    return output == STANDARD or (output is None and photo == STANDARD)


def plan_out(photo: Photo, compression: Compression, *, json: bool, files: bool, server: bool) -> Destination:
    """Makes sure that an edited photo can go to standard output.

    Args:
        photo: the photo.
        compression: what the user wants of the file.
        json: whether JSON is to be printed.
        files: whether a report or a preview is wanted.
        server: whether a server does the edit.

    Raises:
        UsageError: it cannot, or something else is to be printed or written beside it.
    """
    from realedit.photo.encode import check_holds

    if json or files or server:
        named = "--json" if json else "--report or --preview" if files else "--server"
        raise UsageError(f"{named} does not go with a photo on standard output", "name a file: -o moved.png")
    if not is_open("stdout"):
        raise UsageError(
            "standard output is closed, the photo has nowhere to go", "name a file: -o moved.png"
        )
    check_holds(photo.native, out_format(photo), compression)
    return Destination(STANDARD, None)


def out_format(photo: Photo) -> str:
    """Returns the format of a photo on standard output: its own, or PNG where that is not written."""
    from realedit.photo.formats import FORMATS

    own = photo.metadata.format
    return own if own is not None and own in FORMATS else "PNG"


def write_out(result: EditResult, compression: Compression, *, quiet: bool) -> None:
    """Writes an edited photo to standard output, and nothing else there; warnings go to standard error."""
    content, kept = result.encoded(out_format(result.source), compression)
    if not quiet:
        for warning in (*result.warnings, *kept.warnings):
            say(f"realedit: warning: {warning}")
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
