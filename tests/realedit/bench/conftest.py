"""The real embedded model at a small working size, loaded once."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bench_data import save, write_lines
from realedit.bench.case import Case, LoadedCase
from realedit.bench.edit_spec import EditSpec
from realedit.bench.workbench import ModelSettings, Workbench

WORKING = 64
PHOTO = Path(__file__).resolve().parents[3] / "examples" / "photos" / "mug.jpg"


@pytest.fixture(scope="session")
def bench() -> Workbench:
    return Workbench(ModelSettings("tabletop", "cpu", "float32", offline=True, working_size=WORKING))


@pytest.fixture(scope="session")
def tabletop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small cases of a real photo, a move and a removal; the truth is a stand-in of the same size."""
    folder = tmp_path_factory.mktemp("cases")
    photo = np.asarray(Image.open(PHOTO).convert("RGB").resize((96, 64), Image.Resampling.LANCZOS))
    mask = np.zeros(photo.shape[:2], bool)
    mask[20:44, 16:40] = True
    truth_mask = np.roll(mask, 24, 1)
    for name, array in (("photo", photo), ("mask", mask), ("truth_mask", truth_mask)):
        save(folder / f"{name}.png", array)
    save(folder / "truth.png", cv2.GaussianBlur(photo, (0, 0), 1))
    common = {"photo": "photo.png", "prompt": "a mug on a table", "object": "mug", "mask": "mask.png"}
    lines = [
        common
        | {
            "id": "a",
            "edit": {"kind": "move", "dx": 0.25},
            "truth": "truth.png",
            "truth_mask": "truth_mask.png",
        },
        common | {"id": "b", "edit": {"kind": "remove"}, "truth": "truth.png"},
    ]
    write_lines(folder / "manifest.jsonl", lines)
    return folder


@pytest.fixture(scope="session")
def mug(tabletop_folder: Path) -> LoadedCase:
    """The move."""
    folder = tabletop_folder
    case = Case(
        "a",
        folder / "photo.png",
        "a mug on a table",
        "mug",
        EditSpec("move", 0.25),
        folder / "mask.png",
        folder / "truth.png",
        folder / "truth_mask.png",
    )
    return LoadedCase.of(case)
