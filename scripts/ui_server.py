"""A `realedit ui` of one's own, as a process, for the measurements of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager


@contextmanager
def started(flags: Sequence[str] = ()) -> Generator[tuple[str, int]]:
    """Runs a server on a free port; yields its address and its process's id.

    Args:
        flags: further flags of `realedit ui`.
    """
    command = [sys.executable, "-m", "realedit", "ui", "--port", "0", "--no-cache", *flags]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield _address(server), server.pid
    finally:
        server.terminate()
        server.wait(30)


def _address(server: subprocess.Popen[str]) -> str:
    """Returns the address that a server prints."""
    for line in server.stderr or ():
        if "http://" in line:
            return "http://" + line.split("http://")[1].split()[0].rstrip("/")
    raise SystemExit("the server has not started")
