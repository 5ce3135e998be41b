"""Standard input, output and error where they are closed (`>&-`), as jobs without a terminal have them."""

from __future__ import annotations

import os
import sys

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_missing() -> None:
    """Opens the null device in the place of each standard stream that is closed.

    Else the next file that is opened would get its number, and what is printed would go into that file.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))


def is_open(name: str) -> bool:
    """Tells whether a standard stream (of Python's name) was open when the command began."""
    stream = getattr(sys, name)
    return stream is not None and getattr(stream, "name", None) != os.devnull


def drop_output() -> None:
    """Lets what is still to be printed on standard output go nowhere: Python would try again at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
