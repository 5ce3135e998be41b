"""PIE-Bench's layout and PixelMan's two."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench_data import save
from realedit import Background, Remove, Replace, Restyle, Retouch
from realedit.bench.case import LoadedCase
from realedit.bench.datasets import load_dataset
from realedit.bench.edit_spec import EditSpec, realedit_edits
from realedit.bench.methods.inpaint import Inpaint
from realedit.bench.methods.ledits import directions
from realedit.bench.methods.method import unsupported
from realedit.bench.methods.own import Own
from realedit.bench.selection import Part, named, part_of
from realedit.edits.kinds import Edit
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
    assert replace(text.edit, own=()) == EditSpec("text", target_prompt="a dog on a chair")
    assert text.object == "cat"
    mask = LoadedCase.of(change).mask
    assert mask is not None
    assert np.argwhere(mask).tolist() == [[1, 1], [1, 2]]


CATEGORIES: dict[str, tuple[str, str, str, str, list[Edit]]] = {
    "random": (
        "0",
        "a slanted bicycle",
        "a slanted [rusty] bicycle",
        "bicycle bicycle",
        [Restyle("bicycle", "slanted rusty bicycle")],
    ),
    "change object": ("1", "a [cat] on a chair", "a [dog] on a chair", "cat dog", [Replace("cat", "dog")]),
    "add object": ("2", "a cat on a chair", "a cat [with a hat] on a chair", "", [Retouch("a hat")]),
    "delete object": ("3", "a cat [and a butterfly] on a mat", "a cat on a mat", "", [Remove("butterfly")]),
    "change content": ("4", "a [sad] cat", "a [smiling] cat", "cat cat", [Restyle("cat", "smiling cat")]),
    "change pose": (
        "5",
        "a cat [sitting] on a chair",
        "a cat [standing] on a chair",
        "cat cat",
        [Restyle("cat sitting", "cat standing")],
    ),
    "change colour": (
        "6",
        "a [white] cat on a chair",
        "a [black] cat on a chair",
        "cat cat",
        [Restyle("cat", "black cat")],
    ),
    "change material": (
        "7",
        "a cat on a chair",
        "a cat on a [golden] chair",
        "",
        [Restyle("chair", "golden chair")],
    ),
    "change background": (
        "8",
        "a cat on [grass]",
        "a cat on [snow]",
        "grass snow",
        [Background("cat", "snow")],
    ),
    "change style": (
        "9",
        "a cat on a chair",
        "[a watercolor of] a cat on a chair",
        "",
        [Restyle("a cat on a chair", "a watercolor of a cat on a chair")],
    ),
}


def test_every_category_of_pie_bench_is_an_edit_of_ours(tmp_path: Path) -> None:
    entries = {
        f"c{kind}": ENTRY
        | {
            "editing_type_id": kind,
            "original_prompt": original,
            "editing_prompt": editing,
            "blended_word": blended,
        }
        for kind, original, editing, blended, _ in CATEGORIES.values()
    }
    cases = load_dataset(pie_bench(tmp_path, **entries))
    assert [case.category for case in cases] == list(CATEGORIES)
    for case in cases:
        assert unsupported(Own(), LoadedCase.of(case)) is None
        assert realedit_edits(case.edit, case.object) == CATEGORIES[case.category or ""][-1], case.category


def test_peers_are_told_the_prompts_and_not_what_we_make_of_them(tmp_path: Path) -> None:
    kind, original, editing, blended, _ = CATEGORIES["change colour"]
    change = {"editing_type_id": kind, "original_prompt": original, "editing_prompt": editing}
    (case,) = load_dataset(pie_bench(tmp_path, a=ENTRY | change | {"blended_word": blended}))
    assert (case.edit.kind, case.object, case.prompt) == ("text", "cat", "a white cat on a chair")
    assert directions(case) == (["a white cat on a chair", "a black cat on a chair"], [True, False])
    assert unsupported(Inpaint(), LoadedCase.of(case)) == "it does not text"


def test_brackets_that_hold_more_than_a_name_keep_the_object_and_give_us_its_name(tmp_path: Path) -> None:
    swap = {
        "blended_word": "",
        "original_prompt": "a chair [and a cat]",
        "editing_prompt": "a chair [and a dog]",
    }
    (case,) = load_dataset(pie_bench(tmp_path, a=ENTRY | swap))
    assert case.object == "and a cat"
    assert case.edit.new_object == "and a dog"
    assert realedit_edits(case.edit, case.object) == [Replace("cat", "a dog")]


@pytest.mark.parametrize(
    ("kind", "prompts", "edit"),
    [
        ("1", ("a cat on a chair", "a dog on a chair"), Replace("cat", "dog")),
        ("1", ("a [] cat", "a [] dog"), Replace("cat", "dog")),
        ("3", ("a cat and a dog on a chair", "a cat on a chair"), Remove("dog")),
    ],
)
def test_an_entry_that_does_not_name_its_object_goes_by_its_prompts(
    tmp_path: Path, kind: str, prompts: tuple[str, str], edit: Edit
) -> None:
    change = {"editing_type_id": kind, "original_prompt": prompts[0], "editing_prompt": prompts[1]}
    (case,) = load_dataset(pie_bench(tmp_path, a=ENTRY | change | {"blended_word": ""}))
    assert case.edit.kind == "text"
    assert case.object is None
    assert realedit_edits(case.edit, case.object) == [edit]


def test_prompts_that_do_not_differ_are_refused(tmp_path: Path) -> None:
    same = {"editing_type_id": "5", "editing_prompt": "a [cat] on a chair"}
    (case,) = load_dataset(pie_bench(tmp_path, a=ENTRY | same))
    with pytest.raises(UsageError, match="do not differ"):
        realedit_edits(case.edit, case.object)


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


def res(folder: Path, scenes: int = 1) -> Path:
    """ReS as it comes: its masks are smaller than its photos, and in the photo's shape only to a pixel."""
    entries = {}
    for number in range(1, scenes + 1):
        for side, x in ((1, 10), (2, 70)):
            photo = np.full((96, 127, 3), 40 * number, np.uint8)
            photo[30:60, x : x + 30] = (200, 40, 30)
            mask = np.zeros((48, 64), bool)
            mask[15:30, x // 2 : x // 2 + 15] = True
            name = f"p{number}_{side}"
            save(folder / f"{name}.jpg", photo)
            save(folder / f"{name}_mask.png", mask)
            files = {"original_image_path": f"{name}.jpg", "mask_path": f"{name}_mask.png"}
            points = [[x, 45], [80 - x, 45]]
            entries[name] = POINTS | files | {"selected_points": points, "max_resolution": 96}
    (folder / "ReS_dataset.json").write_text(json.dumps(entries))
    return folder


def test_masks_of_res_are_brought_to_its_photos_size(tmp_path: Path) -> None:
    loaded = LoadedCase.of(load_dataset(res(tmp_path))[0])
    assert loaded.mask is not None
    assert loaded.truth_mask is not None
    assert loaded.mask.shape == loaded.truth_mask.shape == (96, 127)
    for mask, x in ((loaded.mask, 10), (loaded.truth_mask, 70)):
        rows, columns = np.nonzero(mask)
        assert (rows.min(), rows.max()) == (30, 59)
        assert abs(columns.min() - x) <= 1
        assert abs(columns.max() - (x + 29)) <= 1


def test_a_case_is_read_at_a_smaller_side(tmp_path: Path) -> None:
    case = load_dataset(res(tmp_path))[0]
    small, whole = LoadedCase.of(case, 64), LoadedCase.of(case, 1000)
    assert whole.photo.shape == (96, 127, 3)
    assert small.photo.shape == (48, 64, 3)
    assert small.mask is not None
    assert whole.mask is not None
    assert small.truth is not None
    assert small.truth.shape == small.photo.shape
    assert small.mask.mean() == pytest.approx(whole.mask.mean(), abs=0.01)
    assert abs(small.photo.mean() - whole.photo.mean()) < 1


def test_a_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    folder = res(tmp_path)
    save(folder / "p1_1_mask.png", np.ones((48, 48), bool))
    case = load_dataset(folder)[0]
    with pytest.raises(PhotoError, match="mask has 48 x 48 pixels, its photo 127 x 96"):
        LoadedCase.of(case)


def test_parts_have_no_scene_in_common_and_are_all_together(tmp_path: Path) -> None:
    cases = load_dataset(res(tmp_path, scenes=5))
    assert len(cases) == 10
    pairs: tuple[tuple[Part, Part], ...] = (("first", "second"), ("odd", "even"))
    for one, other in pairs:
        halves = part_of(cases, one), part_of(cases, other)
        assert tuple(map(len, halves)) == (6, 4)
        scenes = [{case.shows for case in half} for half in halves]
        assert not scenes[0] & scenes[1]
        assert sorted(c.id for half in halves for c in half) == sorted(c.id for c in cases)
    assert {case.shows for case in part_of(cases, "even")} == {"p2", "p4"}
    assert [case.id for case in named(cases, ["p[34]_1", "p5*"])] == ["p3_1", "p4_1", "p5_1", "p5_2"]
    assert named(cases, []) == cases


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
