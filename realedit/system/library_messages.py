"""Keeps away from the user what C libraries print on standard error themselves.

libjpeg (inside jpeglib) and libtiff (inside Pillow) print a line about every fault of a file on the process's
standard error, past Python's, and so with ``--quiet`` too. Neither can be told to be silent from Python. What
is wrong is told by realedit, in its own words.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from realedit.system.passing_files import passing_file

_ONE_AT_A_TIME = threading.Lock()
"""Standard error is the whole process's."""
_LIBRARIES = re.compile(
    rb"Corrupt JPEG data|Premature end of JPEG|Invalid SOS parameters|Inconsistent progression|Bogus "
    rb"|Unsupported |Improper |Missing |Unexpected |Sorry, there are legal|JPEG datastream|Unknown Adobe"
    rb"|Warning: unknown JFIF|tempfile\.tif: "
    rb"|\w*(?:TIFF|Decode|Setup|Predictor|Fax3|Fax4|JPEGLib|OJPEG|ZIP|LZMA|ZSTD)\w*: "
)
"""How their lines begin."""


@contextmanager
def without_library_messages() -> Generator[None]:
    """Leaves out of standard error what libjpeg and libtiff print there while the block runs.

    What anything else prints meanwhile, in other threads too, is printed when the block ends. Where standard
    error cannot be turned aside, nothing is changed.
    """
    with _ONE_AT_A_TIME:
        try:
            if sys.stderr is not None:
                sys.stderr.flush()
            before = os.dup(2)
        except (OSError, ValueError):  # it is closed
            yield
            return
        try:
            with passing_file() as aside:
                os.dup2(aside.fileno(), 2)
                try:
                    yield
                finally:
                    os.dup2(before, 2)
                aside.seek(0)
                others = [
                    line for line in aside.read().splitlines(keepends=True) if not _LIBRARIES.match(line)
                ]
                if others:
                    os.write(2, b"".join(others))
        finally:
            os.close(before)
