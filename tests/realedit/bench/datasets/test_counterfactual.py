"""The rendered cases, in today's layout and in the older one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench_data import save, scene, write_lines
from realedit.bench.datasets import load_dataset
from realedit.bench.edit_spec import EditSpec
from realedit.errors import PhotoError, UsageError


def test_todays_layout(tmp_path: Path) -> None:
    photo, mask = scene()
    for name in ("m", "r", "x"):
        for kind, array in (("photo", photo), ("mask", mask), ("truth", photo), ("truth_mask", mask)):
            save(tmp_path / f"{name}_{kind}.webp", array)
    common = {"prompt": "a red box", "object": "box", "colour": "red"}
    lines = [
        {"id": "m", "edit": "move", "dx": 0.25, "dy": 0.0, **common},
        {"id": "r", "edit": "rotate", "angle": 30.0, **common},
        {"id": "x", "edit": "replace", "new_object": "mug", "new_colour": "blue", **common},
    ]
    write_lines(tmp_path / "cases.jsonl", lines)
    move, rotate, swap = load_dataset(tmp_path)
    assert move.edit == EditSpec("move", 0.25, 0.0)
    assert rotate.edit == EditSpec("rotate", angle=30.0)
    assert swap.edit == EditSpec("replace", new_object="mug", new_colour="blue")
    assert move.truth == tmp_path / "m_truth.webp"
    assert move.colour == "red"
    assert swap.edit.prompt_after(swap.prompt, swap.object, swap.colour) == "a blue mug"


def older(folder: Path) -> None:
    photo, mask = scene()
    for kind, array in (("photo", photo), ("mask", mask), ("moved", photo), ("moved_mask", mask)):
        save(folder / f"000_{kind}.png", array)
    line = {
        "id": "000",
        "prompt": "a box",
        "object": "box",
        "color": "red",
        "dx": 0.25,
        "dy": 0.0,
        "area": 1.0,
    }
    write_lines(folder / "cases.jsonl", [line])


def test_the_older_layout_is_a_move_and_a_removal(tmp_path: Path) -> None:
    older(tmp_path)
    (move,) = load_dataset(tmp_path)
    assert move.id == "000-move"
    save(tmp_path / "000_removed.png", scene(None)[0])
    moved, removed = load_dataset(tmp_path)
    assert moved == move
    assert removed.edit == EditSpec("remove")
    assert removed.truth == tmp_path / "000_removed.png"
    assert removed.truth_mask is None


def test_a_lacking_number_and_a_lacking_picture(tmp_path: Path) -> None:
    older(tmp_path)
    write_lines(tmp_path / "cases.jsonl", [{"id": "000", "edit": "resize", "prompt": "", "object": "box"}])
    with pytest.raises(UsageError, match=r"cases\.jsonl:1: .*a resize needs scale"):
        load_dataset(tmp_path)
    write_lines(tmp_path / "cases.jsonl", [{"id": "001", "prompt": "", "object": "box", "dx": 0, "dy": 0}])
    with pytest.raises(PhotoError, match="001_photo"):
        load_dataset(tmp_path)
