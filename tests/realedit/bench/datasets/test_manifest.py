"""Our own manifest, and how its mistakes are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench_data import moved_case, save, scene, write_lines
from realedit.bench.case import LoadedCase
from realedit.bench.datasets import load_dataset
from realedit.bench.edit_spec import EditSpec, TextEdit
from realedit.errors import PhotoError, UsageError

LINE: dict[str, Any] = {
    "id": "a",
    "photo": "photo.png",
    "prompt": "a red box on a table",
    "object": "box",
    "edit": {"kind": "move", "dx": 0.25},
    "mask": "mask.png",
    "truth": "truth.png",
    "truth_mask": "truth_mask.png",
}


def write(folder: Path, *lines: dict[str, Any]) -> Path:
    moved_case(folder)
    write_lines(folder / "manifest.jsonl", lines)
    return folder


def test_a_line_becomes_a_case_with_its_pictures(tmp_path: Path) -> None:
    (case,) = load_dataset(write(tmp_path, LINE))
    assert case == moved_case(tmp_path)
    loaded = LoadedCase.of(case)
    assert (loaded.photo == scene()[0]).all()
    assert loaded.mask is not None
    assert (loaded.mask == scene()[1]).all()


@pytest.mark.parametrize(
    ("edit", "spec"),
    [
        ({"kind": "resize", "scale": 1.2}, EditSpec("resize", scale=1.2)),
        ({"kind": "rotate", "angle": -30}, EditSpec("rotate", angle=-30)),
        ({"kind": "remove"}, EditSpec("remove")),
        ({"kind": "replace", "new_object": "mug"}, EditSpec("replace", new_object="mug")),
        ({"kind": "recolour", "new_colour": "blue"}, EditSpec("recolour", new_colour="blue")),
        (
            {"kind": "text", "target_prompt": "a blue box on a table"},
            EditSpec(
                "text",
                target_prompt="a blue box on a table",
                own=(TextEdit("restyle", "box", "blue box", "word"),),
            ),
        ),
    ],
)
def test_every_kind_of_edit(tmp_path: Path, edit: dict[str, Any], spec: EditSpec) -> None:
    (case,) = load_dataset(write(tmp_path, LINE | {"edit": edit}))
    assert case.edit == spec


def test_a_mask_of_everything_makes_a_text_one_of_the_whole_picture(tmp_path: Path) -> None:
    edit = {"kind": "text", "target_prompt": "a red box on a table at night"}
    folder = write(tmp_path, LINE | {"edit": edit, "mask": "all.png"})
    save(folder / "all.png", np.ones((64, 64), bool))
    (case,) = load_dataset(folder)
    assert [own.shown for own in case.edit.own] == ["whole"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"colour": 3}, "colour"),
        ({"typo": 1}, "typo: extra inputs are not permitted"),
        ({"edit": {"kind": "move", "dx": 2}}, "edit.move.dx"),
        ({"edit": {"kind": "move", "scale": 2}}, "edit.move.scale"),
        ({"edit": {"kind": "fly"}}, "edit"),
        ({"edit": {"kind": "resize"}}, "edit.resize.scale: field required"),
        ({"id": "../a"}, "id '../a'"),
        ({"photo": "../photo.png"}, "leads out"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    folder = write(tmp_path, LINE, LINE | {"id": "b"} | change)
    with pytest.raises(UsageError, match=r"manifest\.jsonl:2: ") as caught:
        load_dataset(folder)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_id_is_there_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r":2: id 'a' is there twice"):
        load_dataset(write(tmp_path, LINE, LINE))


def test_what_is_not_json_and_what_is_missing(tmp_path: Path) -> None:
    write(tmp_path, LINE)
    (tmp_path / "manifest.jsonl").write_text('{"id": \n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"manifest\.jsonl:1: not JSON"):
        load_dataset(tmp_path)
    write_lines(tmp_path / "manifest.jsonl", [LINE | {"truth": "none.png"}])
    with pytest.raises(PhotoError, match=r"manifest\.jsonl:1: no such file"):
        load_dataset(tmp_path)
    write_lines(tmp_path / "manifest.jsonl", [LINE | {"truth": "n" * 300 + ".png"}])
    with pytest.raises(PhotoError, match=r"manifest\.jsonl:1: no such file"):
        load_dataset(tmp_path)


def test_what_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no manifest"):
        load_dataset(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        load_dataset(tmp_path / "none")
    (tmp_path / "manifest.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no case"):
        load_dataset(tmp_path)


def test_pictures_of_two_sizes_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, LINE)
    save(folder / "truth.png", scene(size=80)[0])
    with pytest.raises(PhotoError, match="truth has 80 x 80 pixels"):
        LoadedCase.of(load_dataset(folder)[0])


def test_a_digest_is_of_what_is_said_and_of_the_files(tmp_path: Path) -> None:
    case = moved_case(tmp_path)
    before = case.digest()
    assert moved_case(tmp_path).digest() == before
    save(tmp_path / "truth.png", scene(40)[0])
    assert case.digest() != before
