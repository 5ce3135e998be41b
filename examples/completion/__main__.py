"""Measure fillings of made holes in photographs, where what the hole should show is known.

    python -m examples.completion FOLDER... --count 40

Each photograph gets one hole of the shape of a thing (``examples/cutout/masks``), a quarter to a half of its
shorter side high or wide, at a place that a seed chooses. Told are the distance in CIELAB between filling and
photo, both blurred (what surface goes on where), ST-LPIPS in the hole (how it looks), and the seconds, with
95 % intervals over the photographs.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time

import cv2
import cyclopts
import numpy as np
from PIL import Image

from realedit.bench.metrics.perceptual import st_lpips
from realedit.bench.statistics import mean_interval
from realedit.pixels.hole_filling import fill_with_steps

MASKS = Path(__file__).parents[1] / "cutout" / "masks"
SIDE = 640
"""Longer side in pixels of the photographs, as that of the copies in which holes are filled."""
_SIZE = (0.22, 0.45)
"""Longer side of a hole in shorter sides of the photograph, from and to."""
_BLUR_PIXELS = 5.0
"""Standard deviation in pixels of the blur before colours are compared."""

app = cyclopts.App(name="completion", help=__doc__, help_format="plaintext")


def hole_in(photo: np.ndarray, masks: list[Path], rng: np.random.Generator) -> np.ndarray:
    """Returns a hole of a thing's shape somewhere in a photograph, bool ``[H, W]``."""
    shape = np.asarray(Image.open(masks[int(rng.integers(len(masks)))]).convert("L")) > 127
    x, y, w, h = cv2.boundingRect(shape.astype(np.uint8))
    part = shape[y : y + h, x : x + w].astype(np.float32)
    height, width = photo.shape[:2]
    factor = float(rng.uniform(*_SIZE)) * min(height, width) / max(w, h)
    size = (max(8, round(w * factor)), max(8, round(h * factor)))
    part = cv2.resize(part, size, interpolation=cv2.INTER_AREA) > 0.5
    top, left = int(rng.integers(height - size[1])), int(rng.integers(width - size[0]))
    out = np.zeros((height, width), bool)
    out[top : top + size[1], left : left + size[0]] = part
    return out


def lab_of(rgb: np.ndarray) -> np.ndarray:
    """Returns blurred CIELAB, float32 ``[H, W, 3]``."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return cv2.GaussianBlur(lab, (0, 0), _BLUR_PIXELS)


@app.default
def main(
    *photographs: Path, count: int = 40, first: int = 0, seed: int = 0, output: Path | None = None
) -> None:
    """Measure fillings of made holes.

    Args:
        photographs: Files, or folders of them.
        count: How many, evenly among all.
        first: Skip so many of them.
        seed: Chooses shapes and places.
        output: Gets each picture with its hole and filled, beside each other.
    """
    files = sorted(f for p in photographs for f in ([p] if p.is_file() else p.iterdir()))
    files = [f for f in files if f.suffix.lower() in (".jpg", ".png", ".webp") and "mask" not in f.name]
    files = [files[k] for k in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)][first:]
    masks = sorted(MASKS.glob("*.png"))
    network = st_lpips()
    rows = list[dict[str, float]]()
    for file in files:
        # a photograph's hole follows from its name, so that it is the same in every run
        rng = np.random.default_rng([seed, *file.name.encode()])
        rgb = np.asarray(Image.open(file).convert("RGB"))
        factor = min(1.0, SIDE / max(rgb.shape[:2]))
        size = (round(rgb.shape[1] * factor), round(rgb.shape[0] * factor))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        hole = hole_in(rgb, masks, rng)
        begun = process_time()
        filled = fill_with_steps(np.where(hole[..., None], np.uint8(255), rgb), hole).picture
        seconds = process_time() - begun
        off = float(np.linalg.norm(lab_of(filled) - lab_of(rgb), axis=-1)[hole].mean())
        seen = float(network.map(filled, rgb)[hole].mean())
        rows.append({"lab": off, "st_lpips": seen, "seconds": seconds})
        print(file.stem, json.dumps({k: round(v, 4) for k, v in rows[-1].items()}), flush=True)
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            gap = np.where(hole[..., None], np.uint8(128), rgb)
            Image.fromarray(np.hstack([gap, filled, rgb])).save(output / f"{file.stem}.jpg", quality=92)
    for name in rows[0] if rows else ():
        over = mean_interval([row[name] for row in rows])
        print(f"{name}: {over.mean:.4f} +- {over.half or 0:.4f} ({over.n} photographs)")


if __name__ == "__main__":
    app()
