"""Bars appear on a terminal alone."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from realedit.system.progress import progress_bars, silent

ROOT = Path(__file__).resolve().parents[3]
RUN = """
from realedit.system.progress import progress_bars
with progress_bars(quiet={quiet}) as progress:
    progress("loading the model", 0, 0)
    for step in range(5):
        progress("inverting", step + 1, 5)
    progress("editing", 1, 20)
print("the result")
"""


def on_a_terminal(quiet: bool) -> tuple[str, str]:
    """Return stdout and what a terminal at stderr was sent."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
    words = [sys.executable, "-c", RUN.format(quiet=quiet)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True)
    os.close(theirs)
    sent = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            # How Linux says that the other end of a terminal is closed.
            break
        if not data:
            break
        sent += data
    os.close(ours)
    result = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    return result, sent.decode()


def test_a_terminal_is_shown_stages_with_their_steps() -> None:
    result, sent = on_a_terminal(quiet=False)
    assert result == "the result\n"
    for text in ("loading the model", "inverting", "5/5", "editing", "1/20"):
        assert text in sent


def test_quiet_shows_nothing_on_a_terminal() -> None:
    assert on_a_terminal(quiet=True) == ("the result\n", "")


def test_what_is_no_terminal_is_sent_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with progress_bars() as progress:
        assert progress is silent
        progress("inverting", 1, 2)
    assert capfd.readouterr() == ("", "")
