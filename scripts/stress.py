"""Lets four threads and four processes work on one cache and one folder, and compares all that they write.

The threads share one pipeline; the processes are the real command, for one photo or as a batch, some of them
killed. Every result must be byte for byte what the same edit gives alone, no entry of the cache unsound, and
nothing left behind.

    python scripts/stress.py --minutes 5
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from realedit import Move, RealEditPipeline
from realedit.batch import JOURNAL
from realedit.inverted.cache import Cache

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "examples" / "photos" / "mug.jpg"
BOX = (0.24, 0.42, 0.42, 0.7)
STEPS, STRENGTH, SIDE = 2, 0.7, 64
"""So that each edit inverts its photo, keeps that in the cache, and takes about a second."""
SHIFTS = (0.05, 0.1, -0.05, 0.15)


def main() -> int:
    """Runs for as long as the command line says; returns 1 if anything was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--processes", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        until = time.monotonic() + 60 * given.minutes
        workers = [
            *(threading.Thread(target=run.thread, args=(number, until)) for number in range(given.threads)),
            *(
                threading.Thread(target=run.processes, args=(number, until))
                for number in range(given.processes)
            ),
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        run.check_what_is_left()
        print(", ".join(f"{count} {what}" for what, count in sorted(run.done.items())))
        for wrong in run.wrong:
            print(f"WRONG: {wrong}")
        return 1 if run.wrong else 0


class Run:
    """What all of them share: photos, a cache, a folder of results, and what was seen."""

    def __init__(self, folder: Path) -> None:
        self.photos = folder / "photos"
        self.out = folder / "out"
        self.photos.mkdir()
        self.out.mkdir()
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "REALEDIT_CACHE": str(folder / "cache"),
            # so small that entries are dropped while others read them
            "REALEDIT_CACHE_GIB": "0.01",
        }
        self.cache = Cache(folder / "cache", int(0.01 * 2**30))
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []
        with Image.open(SAMPLE) as sample:
            small = np.asarray(sample.convert("RGB").resize((144, 96), Image.Resampling.LANCZOS))
        for number in range(len(SHIFTS)):
            shade = np.clip(small.astype(int) + 3 * number, 0, 255).astype(np.uint8)
            Image.fromarray(shade).save(self.photos / f"{number}.png")
        self.pipeline = RealEditPipeline.from_pretrained(cache=self.cache, working_size=SIDE, device="cpu")
        alone = RealEditPipeline.from_pretrained(cache=False, working_size=SIDE, device="cpu")
        self.truth = [self.edited(alone, number) for number in range(len(SHIFTS))]

    def edited(self, pipeline: RealEditPipeline, number: int) -> bytes:
        """Returns the pixels of a photo's edit."""
        move = Move(None, SHIFTS[number])
        photo = self.photos / f"{number}.png"
        result = pipeline.edit(photo, move, box=BOX, steps=STEPS, strength=STRENGTH, allow_crop=True)
        return result.photo.rgb.tobytes()

    def thread(self, number: int, until: float) -> None:
        """Edits photos by the shared pipeline until the time is over."""
        chance = random.Random(number)
        while time.monotonic() < until:
            photo = chance.randrange(len(SHIFTS))
            try:
                self.compare(f"thread {number}, photo {photo}", self.edited(self.pipeline, photo), photo)
            except Exception as error:
                self.wrong.append(f"thread {number}: {type(error).__name__}: {error}")
            self.done["edits by threads"] += 1

    def processes(self, number: int, until: float) -> None:
        """Runs the command, one process after the other, until the time is over."""
        chance = random.Random(100 + number)
        turn = 0
        while time.monotonic() < until:
            turn += 1
            if chance.random() < 0.4:
                self.batch(number, chance)
            else:
                self.single(number, turn, chance)

    def single(self, number: int, turn: int, chance: random.Random) -> None:
        """Edits one photo into the folder that all share; some are killed."""
        photo = chance.randrange(len(SHIFTS))
        output = self.out / f"process{number}-{turn}.png"
        process = self.started([str(self.photos / f"{photo}.png"), "-o", str(output), *self.how(photo)])
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0, 15))
            process.kill()
            process.wait()
            self.done["edits killed"] += 1
            if output.exists() != output.with_name(f"{output.name}.realedit.json").exists():
                self.done["killed between two files"] += 1
            if output.exists():
                self.compare(output.name, pixels(output), photo)
            return
        _, said = process.communicate()
        if process.returncode != 0:
            self.wrong.append(f"{output.name}: exit code {process.returncode}: {said.decode()[-300:]}")
        else:
            self.compare(output.name, pixels(output), photo)
        self.done["edits by processes"] += 1

    def batch(self, number: int, chance: random.Random) -> None:
        """Makes a batch in the folder that all share; of those at once, all but one are told to wait."""
        process = self.started_batch()
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0, 20))
            process.kill()
            process.wait()
            self.done["batches killed"] += 1
            return
        _, said = process.communicate()
        if process.returncode == 8 and b"another run is at work" in said:
            self.done["batches told to wait"] += 1
        elif process.returncode != 0:
            self.wrong.append(f"batch of {number}: exit code {process.returncode}: {said.decode()[-300:]}")
        else:
            self.done["batches"] += 1

    def how(self, photo: int) -> Sequence[str]:
        """Returns the flags of a photo's edit; those of its shift come last."""
        box = ",".join(map(str, BOX))
        flags = [
            "--box",
            box,
            "--steps",
            str(STEPS),
            "--strength",
            str(STRENGTH),
            "--working-size",
            str(SIDE),
        ]
        return [*flags, "--allow-crop", "-q", "--dx", str(SHIFTS[photo])]

    def started(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        """Starts the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "realedit", *words],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def started_batch(self) -> subprocess.Popen[bytes]:
        """Starts the batch in the folder that all share."""
        return self.started(["batch", str(self.photos), "-o", str(self.out / "batch"), *self.how(0)])

    def compare(self, what: str, found: bytes, photo: int) -> None:
        """Notes a result that is not what the edit gives alone."""
        if found != self.truth[photo]:
            digest = hashlib.sha256(found).hexdigest()[:8]
            self.wrong.append(f"{what}: other pixels ({digest})")

    def check_what_is_left(self) -> None:
        """Finishes the batch alone, then looks through the folder and the cache."""
        process = self.started_batch()
        _, said = process.communicate()
        if process.returncode != 0:
            self.wrong.append(f"the last batch: exit code {process.returncode}: {said.decode()[-300:]}")
        names = {file.name for file in (self.out / "batch").iterdir()}
        wanted = {f"{number}.png{end}" for number in range(len(SHIFTS)) for end in ("", ".realedit.json")}
        if names != wanted | {JOURNAL}:
            self.wrong.append(f"the batch's folder holds {sorted(names ^ (wanted | {JOURNAL}))}")
        self.compare("the batch's first photo", pixels(self.out / "batch" / "0.png"), 0)
        for entry in self.cache.entries():
            if self.cache.get(entry.key) is None:
                self.wrong.append(f"an unsound entry in the cache: {entry.key[:12]}")
        self.done["cache entries, all sound"] = len(self.cache.entries())


def pixels(file: Path) -> bytes:
    """Returns a picture's pixels."""
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB")).tobytes()


if __name__ == "__main__":
    sys.exit(main())
