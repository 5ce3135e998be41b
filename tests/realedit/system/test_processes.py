"""Processes that share jobs: how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, time
from pathlib import Path
from realedit.system.processes import run_jobs

class Slow:
    def run(self, job, on_result):
        Path(sys.argv[1], str(os.getpid())).touch()
        Path(sys.argv[1], f"job{job}").touch()
        time.sleep(0.2)
        on_result(job)

if __name__ == "__main__":
    run_jobs(Slow, range(200), 2, lambda job: None)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_processes_end_with_the_one_that_started_them(tmp_path: Path, end: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = tmp_path / "done"
    done.mkdir()
    running = subprocess.Popen([sys.executable, str(program), str(done)])
    until = time.monotonic() + 120
    while len(list(done.glob("job*"))) < 3:
        assert time.monotonic() < until
        time.sleep(0.1)
    running.send_signal(getattr(signal, end))
    code = running.wait(60)
    assert code == (128 + signal.SIGTERM if end == "SIGTERM" else -signal.SIGKILL)
    workers = [int(file.name) for file in done.iterdir() if file.name.isdigit()]
    until = time.monotonic() + 20
    while any(map(_alive, workers)):
        assert time.monotonic() < until, "a process is left"
        time.sleep(0.1)
    assert len(list(done.glob("job*"))) < 100


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # who has ended stays on the list until somebody asks
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
