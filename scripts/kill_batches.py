"""Kills batches at random times, goes on with each until it is done, and compares it with an undisturbed one.

Every photo must be there exactly once, each file byte for byte as the undisturbed run wrote it, and nothing
else. ``--stub`` puts a quick edit in the model's place, so that kills hit the writing more often.

    python scripts/kill_batches.py --kills 20
    python scripts/kill_batches.py --kills 200 --stub
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from realedit.batch import JOURNAL, Editor, PhotoRecord, Task, edit_photos, tasks_for, write_outputs
from realedit.system.folder_lock import only_one
from realedit.system.json_lines import read_lines

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "examples" / "photos" / "mug.jpg"
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
"""Two of four kills leave the process no time to clean up."""


def main() -> int:
    """Runs the kills that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--stub", action="store_true", help="a quick edit in the model's place")
    parser.add_argument("--photos", type=int, default=0, help="default: 3, with --stub 12")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", nargs=2, type=Path, metavar=("PHOTOS", "OUTPUT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker is not None:
        photos, output = given.worker
        return stub_batch(photos, output, given.jobs)
    with tempfile.TemporaryDirectory() as folder:
        return kill(Path(folder), given)


def kill(folder: Path, given: argparse.Namespace) -> int:
    """Returns 1 if any batch ended otherwise than the undisturbed one."""
    chance = random.Random(given.seed)
    photos = make_photos(folder / "photos", given.photos or (12 if given.stub else 3))
    began = time.monotonic()
    whole = started(photos, folder / "whole", given)
    assert whole.wait() == 0, "the undisturbed run failed"
    took = time.monotonic() - began
    truth, _ = told(folder / "whole")
    kills = batches = wrong = 0
    while kills < given.kills:
        batches += 1
        output = folder / f"batch{batches}"
        hit = 0
        while True:
            began = time.monotonic()
            process = started(photos, output, given)
            last = hit >= 8 or kills >= given.kills  # lets a batch end
            try:
                code = process.wait(None if last else chance.uniform(0, 1.1 * took))
                if code == 0:
                    # machines are busy now and idle then: the next kills are to fall within a run of today
                    took = time.monotonic() - began if hit == 0 else took
                    break
                if last:
                    raise SystemExit(f"a rerun of {output.name} ended with exit code {code}")
            except subprocess.TimeoutExpired:
                kills, hit = kills + 1, hit + 1
                sent = chance.choice(SIGNALS)
                # a terminal interrupts all processes of the run, a scheduler or the system one
                if chance.random() < 0.5:
                    os.killpg(process.pid, sent)
                else:
                    os.kill(process.pid, sent)
                process.wait()
        files, done = told(output)
        good = files == truth and sorted(done.values()) == [1] * len(list(photos.iterdir()))
        wrong += not good
        print(f"batch {batches}: killed {hit} times, {'as undisturbed' if good else 'WRONG'}", flush=True)
        if not good:
            names = {name for name in files.keys() | truth.keys() if files.get(name) != truth.get(name)}
            print(f"  differing files: {sorted(names)}; photos done: {done}", flush=True)
        shutil.rmtree(output)
    print(f"{kills} kills of {batches} batches, {wrong} of them wrong")
    return 1 if wrong else 0


def make_photos(folder: Path, count: int) -> Path:
    """Makes small photos that differ, as PNG and JPEG."""
    folder.mkdir()
    with Image.open(SAMPLE) as sample:
        small = np.asarray(sample.convert("RGB").resize((144, 96), Image.Resampling.LANCZOS))
    for number in range(count):
        shade = np.clip(small.astype(int) + number, 0, 255).astype(np.uint8)
        Image.fromarray(shade).save(folder / f"{number:02}.{'png' if number % 2 else 'jpg'}")
    return folder


def started(photos: Path, output: Path, given: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Starts a batch in a group of processes of its own."""
    if given.stub:
        words = [sys.executable, __file__, "--jobs", str(given.jobs), "--worker", str(photos), str(output)]
    else:
        words = [sys.executable, "-m", "realedit", "batch", str(photos), "--output", str(output), "-q"]
        words += ["--jobs", str(given.jobs), "--box", "0.24,0.42,0.42,0.7", "--dx", "0.1", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        words, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def told(output: Path) -> tuple[dict[str, str], dict[str, int]]:
    """Returns the digest of each file but the journal, and how often the journal's last word is "done"."""
    files = {
        file.relative_to(output).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in output.rglob("*")
        if file.name != JOURNAL
    }
    last = {fields["key"]: fields["status"] for _, fields in read_lines(output / JOURNAL)}
    return files, {key: int(status == "done") for key, status in last.items()}


def stub_batch(photos: Path, output: Path, jobs: int) -> int:
    """Does a batch whose edit takes a few milliseconds and writes several files."""
    output.mkdir(exist_ok=True)
    tasks = tasks_for([photos], output, stub=True)
    journal = output / JOURNAL
    with only_one(output):
        _, records = edit_photos(
            partial(stub_editor, journal), tasks, output, processes=jobs, on_record=lambda _: None
        )
    return 0 if all(record.status == "done" for record in records) else 12


def stub_editor(journal: Path) -> Editor:
    """Returns an editor that turns each photo's bytes around."""
    return Editor(partial(stub_edit, journal), journal)


def stub_edit(journal: Path, task: Task) -> PhotoRecord:
    """Writes a photo's bytes turned around, with two files beside it."""
    time.sleep(0.02)
    content = task.photo.read_bytes()[::-1] * 20
    files = {
        task.output: content,
        task.output.with_name(f"{task.output.name}.json"): json.dumps({"bytes": len(content)}).encode(),
        task.output.with_name(f"{task.output.name}.html"): content[:5000],
    }
    write_outputs(task, files, journal)
    return PhotoRecord(task.key, str(task.photo), str(task.output), "done")


if __name__ == "__main__":
    sys.exit(main())
