from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from examples.tabletop.crops import Crops, load_crops

WriteScenes = Callable[[Path, Sequence[dict[str, Any]], int], Path]
SCENE = {"objects": [{"noun": "mug", "colour": None}], "surface": "plain"}


def ramp(height: int, width: int, blue: int) -> np.ndarray:
    """Red is the column, green the row, blue the picture."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[..., 0], picture[..., 1], picture[..., 2] = np.arange(width), np.arange(height)[:, None], blue
    return picture


def bytes_of(crops: torch.Tensor) -> np.ndarray:
    """[B, H, W, 3] again."""
    return ((crops.permute(0, 2, 3, 1) + 1) * 127.5).round().numpy().astype(int)


def test_crops_are_parts_of_pictures_half_of_them_mirrored() -> None:
    scenes = [np.stack([ramp(200, 200, k)]) for k in (10, 11)] + [
        np.stack([ramp(200, 200, k) for k in (12, 13)])
    ]
    source = Crops(scenes, [ramp(120, 250, 100), ramp(250, 90, 101)], scene_share=0.6)
    crops = source.draw(800, 64, np.random.default_rng(0))
    assert crops.shape == (800, 3, 64, 64)
    assert -1 <= crops.min() < crops.max() <= 1
    found = bytes_of(crops)
    steps = found[:, :, 1:, 0] - found[:, :, :-1, 0]
    mirrored = steps[:, 0, 0] == -1
    assert (steps == np.where(mirrored, -1, 1)[:, None, None]).all()
    assert (np.diff(found[..., 1], axis=1) == 1).all()
    assert mirrored.mean() == pytest.approx(0.5, abs=0.06)
    which = found[:, 0, 0, 2]
    assert (which < 20).mean() == pytest.approx(0.6, abs=0.06)
    shares = [np.mean(which == k) for k in (10, 11, 12, 13)]
    assert shares == pytest.approx([0.15] * 4, abs=0.05)  # each frame alike, whichever folder it is in
    lefts = found[which == 10].min((1, 2))[:, 0]
    assert lefts.min() < 15
    assert lefts.max() > 120


def test_without_scenes_all_crops_are_photographs() -> None:
    crops = Crops([], [ramp(80, 90, 100)]).draw(20, 80, np.random.default_rng(0))
    assert (bytes_of(crops)[..., 2] == 100).all()


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    records = []
    for number, (size, held_out) in enumerate([((600, 512), False), ((300, 280), False), ((512, 768), True)]):
        values = np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(values).save(folder / f"{number:03}.png")
        records.append({"file": f"{number:03}.png", "held_out": held_out})
    (folder / "credits.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


def test_what_is_held_out_is_not_trained_on(
    photographs: Path, new_scenes: WriteScenes, tmp_path: Path
) -> None:
    folders = [
        new_scenes(tmp_path / name, [SCENE] * count, seed)
        for seed, (name, count) in enumerate([("a", 15), ("b", 14)])
    ]
    crops = load_crops(photographs, folders)
    assert crops.held_out["scenes"].shape == (24, 3, 256, 256)
    assert crops.held_out["photographs"].shape == (1, 3, 256, 256)
    images = [np.load(folder / "images.npy") for folder in folders]
    held = bytes_of(crops.held_out["scenes"])
    assert np.array_equal(held, np.concatenate([images[0][:12], images[1][:12]]))
    assert [len(frames) for frames in crops.scenes] == [3, 2]
    assert np.array_equal(crops.scenes[0], images[0][12:])
    assert np.array_equal(crops.scenes[1], images[1][12:])
    # Photographs come in two sizes where they are large enough.
    assert [min(picture.shape[:2]) for picture in crops.photographs] == [512, 280, 320]


def test_frames_that_are_not_rendered_yet_are_left_out(
    photographs: Path, new_scenes: WriteScenes, tmp_path: Path
) -> None:
    folder = new_scenes(tmp_path / "a", [SCENE] * 30, 0)
    lines = (folder / "scenes.jsonl").read_text().splitlines(keepends=True)
    (folder / "scenes.jsonl").write_text("".join(lines[:26]))
    crops = load_crops(photographs, [folder])
    assert [len(frames) for frames in crops.scenes] == [2]


def test_a_folder_of_held_out_frames_alone_is_not_drawn_from(
    photographs: Path, new_scenes: WriteScenes, tmp_path: Path
) -> None:
    crops = load_crops(photographs, [new_scenes(tmp_path / "a", [SCENE] * 5, 0)])
    assert crops.scenes == []
    assert len(crops.held_out["scenes"]) == 5
    assert crops.draw(4, 64, np.random.default_rng(0)).shape == (4, 3, 64, 64)
