"""Measures an edit of a large photo: seconds, CPU seconds and peak memory of the real command.

The aim: 50 megapixels in at most 3 GB, and 60 seconds beside the model's own. The photo is a sample enlarged,
with a camera's noise, because flat pixels compress and decode faster than a photo's.

    python scripts/large_photo.py
    python scripts/large_photo.py --megapixels 24 --suffix .png -- --move mug --dx 0.1
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SAMPLE = Path(__file__).resolve().parents[1] / "examples" / "photos" / "mug.jpg"
EDIT = ("--box", "0.16,0.39,0.42,0.73", "--dx", "0.15")
NOISE = 4.0
"""Standard deviation of the noise, of 255: that of a camera in the evening."""
ROWS = 256
"""Rows that noise is added to at once, to keep this script's own memory small."""
GIGABYTE = 1e9


def main() -> int:
    """Makes the photo, edits it and prints what that took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, default=50)
    parser.add_argument("--suffix", default=".jpg")
    parser.add_argument("edit", nargs="*", default=EDIT, help="flags of the edit, behind --")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / f"large{given.suffix}"
        size = make_photo(photo, given.megapixels * 1e6)
        print(f"{size[0]} x {size[1]} pixels, {photo.stat().st_size / 1e6:.1f} MB")
        measure(photo, given.edit)
    return 0


def make_photo(path: Path, pixels: float) -> tuple[int, int]:
    """Writes a photo of so many pixels and returns its width and height."""
    with Image.open(SAMPLE) as sample:
        factor = (pixels / (sample.width * sample.height)) ** 0.5
        size = (round(sample.width * factor), round(sample.height * factor))
        values = np.array(sample.convert("RGB").resize(size, Image.Resampling.BICUBIC))
    chance = np.random.default_rng(0)
    for at in range(0, size[1], ROWS):
        part = values[at : at + ROWS]
        part[:] = np.clip(part + chance.normal(0, NOISE, part.shape), 0, 255)
    options: dict[str, Any] = {"quality": 92, "subsampling": 2} if path.suffix in (".jpg", ".jpeg") else {}
    Image.fromarray(values).save(path, **options)
    return size


def measure(photo: Path, edit: Sequence[str]) -> None:
    """Edits a photo by the command, and prints seconds and memory."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    words = [sys.executable, "-m", "realedit", str(photo), *edit, "--json", "--no-cache", "--quiet"]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"the command ended with {done.returncode}: {done.stdout}")
    told = json.loads(done.stdout)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    unit = 1 if sys.platform == "darwin" else 1024
    print(f"{wall:.1f} s, {cpu:.1f} s of CPU, {after.ru_maxrss * unit / GIGABYTE:.2f} GB at the peak")
    stages = ", ".join(f"{name} {seconds:.1f}" for name, seconds in told["timings"].items())
    print(f"of these, seconds by stage: {stages}; the rest is starting, reading and writing")
    print(f"changed outside the region: {told['metrics']['changed_outside_region']:.0f} pixels")


if __name__ == "__main__":
    sys.exit(main())
