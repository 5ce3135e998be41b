"""PIE-Bench's layout and PixelMan's two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench_data import save
from realedit.bench.case import LoadedCase
from realedit.bench.datasets import load_dataset
from realedit.bench.edit_spec import EditSpec
from realedit.errors import PhotoError, UsageError

ENTRY: dict[str, Any] = {
    "image_path": "1_change_object/000.jpg",
    "original_prompt": "a [cat] on a chair",
    "editing_prompt": "a [dog] on a chair",
    "editing_instruction": "Change the cat into a dog",
    "editing_type_id": "1",
    "blended_word": "cat dog",
    "mask": [513, 2],
}


def pie_bench(folder: Path, **entries: dict[str, Any]) -> Path:
    save(folder / "annotation_images" / "1_change_object" / "000.jpg", np.zeros((512, 512, 3), np.uint8))
    (folder / "mapping_file.json").write_text(json.dumps(entries, indent=1), encoding="utf-8")
    return folder


def test_pie_bench(tmp_path: Path) -> None:
    delete = ENTRY | {"editing_type_id": "3", "blended_word": "", "editing_prompt": "a chair"}
    style = ENTRY | {"editing_type_id": "9", "blended_word": ""}
    change, remove, text = load_dataset(pie_bench(tmp_path, a=ENTRY, b=delete, c=style))
    assert change.prompt == "a cat on a chair"
    assert change.object == "cat"
    assert change.edit == EditSpec("replace", new_object="dog", target_prompt="a dog on a chair")
    assert change.category == "change object"
    assert remove.edit == EditSpec("remove", target_prompt="a chair")
    assert remove.object == "cat"
    assert text.edit == EditSpec("text", target_prompt="a dog on a chair")
    mask = LoadedCase.of(change).mask
    assert mask is not None
    assert np.argwhere(mask).tolist() == [[1, 1], [1, 2]]


@pytest.mark.parametrize(
    ("change", "told"),
    [({"mask": [1]}, "pairs"), ({"editing_type_id": "12"}, "no editing type"), ({"mask": "no"}, "mask")],
)
def test_a_mistake_in_the_mapping_is_told_with_its_line(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    folder = pie_bench(tmp_path, a=ENTRY, b=ENTRY | change)
    text = (folder / "mapping_file.json").read_text()
    line = 1 + text[: text.index('"b"')].count("\n")
    with pytest.raises(UsageError, match=rf"mapping_file\.json:{line}: .*{told}"):
        load_dataset(folder)


POINTS: dict[str, Any] = {
    "name": "p1_1",
    "original_image_path": "p1_1.jpg",
    "mask_path": "p1_1_mask.png",
    "max_resolution": 512,
    "prompt": "a cup on a table",
    "words": ["coffee", "cup"],
    "selected_points": [[100, 200], [228, 136]],
}


def test_res_measures_points_on_the_resized_upright_picture_and_has_the_twin_as_truth(tmp_path: Path) -> None:
    # stored on its side: upright it is 768 x 384, and 1024 x 512 once its shorter side is 512
    exif = Image.Exif()
    exif[274] = 6
    for name in ("p1_1", "p1_2"):
        Image.new("RGB", (384, 768)).save(tmp_path / f"{name}.jpg", exif=exif)
        Image.new("L", (384, 768)).save(tmp_path / f"{name}_mask.png", exif=exif)
    (tmp_path / "ReS_dataset.json").write_text(json.dumps({"p1_1": POINTS}))
    (case,) = load_dataset(tmp_path)
    assert case.edit == EditSpec("move", 128 / 1024, -64 / 512)
    assert case.object == "coffee cup"
    assert case.truth == tmp_path / "p1_2.jpg"
    assert case.truth_mask == tmp_path / "p1_2_mask.png"
    assert LoadedCase.of(case).photo.shape == (384, 768, 3)
    Image.new("RGB", (10, 10)).save(tmp_path / "p1_2.jpg")
    assert load_dataset(tmp_path)[0].truth is None


def test_cocoee_has_its_own_folders(tmp_path: Path) -> None:
    save(tmp_path / "COCOEE_images" / "p1_1.jpg", np.zeros((512, 512, 3), np.uint8))
    save(tmp_path / "COCOEE_masks" / "p1_1_mask.png", np.zeros((512, 512), bool))
    (tmp_path / "COCOEE_dataset.json").write_text(json.dumps({"a": POINTS}))
    (case,) = load_dataset(tmp_path)
    assert case.edit == EditSpec("move", 0.25, -0.125)
    assert case.truth is None


def test_points_outside_and_pictures_that_are_none(tmp_path: Path) -> None:
    save(tmp_path / "p1_1.jpg", np.zeros((512, 512, 3), np.uint8))
    save(tmp_path / "p1_1_mask.png", np.zeros((512, 512), bool))
    far = POINTS | {"selected_points": [[0, 0], [2000, 0]]}
    (tmp_path / "ReS_dataset.json").write_text(json.dumps({"p1_1": far}))
    with pytest.raises(UsageError, match="lead out of the picture"):
        load_dataset(tmp_path)
    (tmp_path / "p1_1.jpg").write_bytes(b"no picture")
    with pytest.raises(PhotoError, match="not a picture"):
        load_dataset(tmp_path)
