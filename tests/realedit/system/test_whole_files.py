"""What is removed of files that were never finished, and what another process may still be writing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from realedit.system.whole_files import ABANDONED_SECONDS, clear_leftovers


def aged(path: Path, seconds: float) -> Path:
    """The file or folder, last written so long ago."""
    when = time.time() - seconds
    os.utime(path, (when, when))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder, and one in it, each with old and young leftovers and a file that only looks like one."""
    for place in (tmp_path, tmp_path / "deep"):
        place.mkdir(exist_ok=True)
        for name in ("old.png", ".realedit-1.tmp", ".realedit-2.tmp", ".realedit-notes.txt"):
            (place / name).write_bytes(b"half")
            aged(place / name, ABANDONED_SECONDS + 60)
        aged(place / ".realedit-2.tmp", ABANDONED_SECONDS - 60)
        for name, seconds in ((".realedit-3.tmp", 60), (".realedit-4.tmp", -60)):
            (place / name).mkdir()
            (place / name / "one.png").write_bytes(b"half")
            aged(place / name, ABANDONED_SECONDS + seconds)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "deep")


KEPT = [".realedit-2.tmp", ".realedit-4.tmp", ".realedit-notes.txt", "old.png"]


@pytest.mark.parametrize("below", [False, True])
def test_what_another_process_may_be_writing_stays(folder: Path, below: bool) -> None:
    untouched = names(folder / "deep")
    clear_leftovers(folder, below=below)
    assert names(folder) == KEPT
    assert names(folder / "deep") == (KEPT if below else untouched)


def test_a_folder_that_is_not_there_has_no_leftovers(tmp_path: Path) -> None:
    clear_leftovers(tmp_path / "nowhere", below=True)
    assert list(tmp_path.iterdir()) == []
