"""One run at a time in a folder; the system frees it when the run ends, however that is."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from realedit.errors import OutputExistsError
from realedit.system import folder_lock
from realedit.system.folder_lock import only_one
from realedit.system.whole_files import clear_leftovers, temporary_name

ROOT = Path(__file__).resolve().parents[3]
HOLD = """
import sys, time
from pathlib import Path
from realedit.system.folder_lock import only_one
from realedit.system.whole_files import temporary_name
with only_one(Path(sys.argv[1])):
    (Path(sys.argv[1]) / temporary_name()).write_text("half")
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_lock, "_WAIT_SECONDS", 0.2)


def held(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.usefixtures("quick")
def test_a_second_run_is_told_and_a_killed_one_gives_the_folder_free(tmp_path: Path) -> None:
    process = held(tmp_path)
    with pytest.raises(OutputExistsError, match="another run is at work in "):
        with only_one(tmp_path):
            pass
    clear_leftovers(tmp_path)
    assert len(list(tmp_path.glob(".realedit-*.tmp"))) == 1  # its maker lives
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with only_one(tmp_path):
        clear_leftovers(tmp_path)
    assert list(tmp_path.glob(".realedit-*.tmp")) == []


@pytest.mark.usefixtures("quick")
def test_a_run_gives_free_when_it_ends_in_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), only_one(tmp_path):
        raise ZeroDivisionError
    with only_one(tmp_path):
        pass


def test_a_folder_that_takes_no_file_is_worked_in_without_a_lock(tmp_path: Path) -> None:
    worked = False
    with only_one(tmp_path / "nowhere"):
        worked = True
    assert worked
    assert not list(tmp_path.iterdir())


def test_what_another_machine_made_stays_until_it_is_old(tmp_path: Path) -> None:
    own = tmp_path / temporary_name()
    foreign = tmp_path / ".realedit-00000000-1-000000000000.tmp"
    for file in (own, foreign):
        file.write_bytes(b"")
    clear_leftovers(tmp_path)
    assert own.exists()
    assert foreign.exists()
    when = time.time() - 3600
    os.utime(foreign, (when, when))
    clear_leftovers(tmp_path)
    assert not foreign.exists()
