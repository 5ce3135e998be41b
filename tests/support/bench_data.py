"""Small data sets for the benchmark's tests, made on the spot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from realedit.bench.case import Case, LoadedCase
from realedit.bench.edit_spec import EditSpec

SIDE = 64


def scene(x: int | None = 12, y: int = 24, side: int = 16, size: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """A red square on a smooth ground with some texture, and the square's mask; no square where x is None."""
    rows, columns = np.mgrid[:size, :size]
    ground = 120 + 40 * rows / size + 6 * np.sin(columns / 3)
    picture = np.stack([ground, ground, ground], -1)
    mask = np.zeros((size, size), bool)
    if x is not None:
        mask[y : y + side, x : x + side] = True
    picture[mask] = (200, 40, 30)
    return picture.round().astype(np.uint8), mask


def save(path: Path, array: np.ndarray) -> str:
    """Write a picture or a mask; return its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = array.astype(np.uint8) * 255 if array.dtype == bool else array
    Image.fromarray(values).save(path)
    return path.name


def write_lines(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def moved_case(folder: Path, dx: float = 0.25) -> Case:
    """A case whose red square moves to the right, with its truth."""
    photo, mask = scene()
    truth, truth_mask = scene(12 + round(dx * SIDE))
    names = {"photo": photo, "mask": mask, "truth": truth, "truth_mask": truth_mask}
    files = {name: folder / save(folder / f"{name}.png", array) for name, array in names.items()}
    return Case(
        "a",
        files["photo"],
        "a red box on a table",
        "box",
        EditSpec("move", dx=dx),
        files["mask"],
        files["truth"],
        files["truth_mask"],
    )


def moved(folder: Path, dx: float = 0.25) -> LoadedCase:
    return LoadedCase.of(moved_case(folder, dx))


def asking(loaded: LoadedCase, edit: EditSpec) -> LoadedCase:
    """The same pictures with another edit."""
    return replace(loaded, case=replace(loaded.case, edit=edit))
