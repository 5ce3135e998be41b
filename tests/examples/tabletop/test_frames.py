from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from examples.tabletop.frames import VISIBLE, half_width, read_frames, tracked

WriteScenes = Callable[[Path, Sequence[dict[str, Any]], int], Path]


def scene(name: str) -> dict[str, Any]:
    return {"objects": [{"noun": name, "colour": None}], "surface": "plain"}


@pytest.fixture
def folders(new_scenes: WriteScenes, tmp_path: Path) -> list[Path]:
    return [
        new_scenes(tmp_path / "a", [scene(f"a{k}") for k in range(4)], 0),
        new_scenes(tmp_path / "b", [scene(f"b{k}") for k in range(5)], 1),
    ]


def names(frames: Sequence[Any]) -> list[str]:
    return [frame.scene["objects"][0]["noun"] for frame in frames]


def test_frames_come_in_order_with_their_pictures(folders: list[Path]) -> None:
    frames = read_frames(folders)
    assert names(frames) == ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3", "b4"]
    assert np.array_equal(frames[6].image, np.load(folders[1] / "images.npy")[2])
    assert np.array_equal(frames[6].instances, np.load(folders[1] / "instances.npy")[2])


@pytest.mark.parametrize(
    ("limit", "expected"), [(3, ["a0", "b0", "b4"]), (1, ["a0"]), (2, ["a0", "b4"]), (50, 9), (9, 9)]
)
def test_a_few_frames_are_spread_over_all(folders: list[Path], limit: int, expected: list[str] | int) -> None:
    found = names(read_frames(folders, limit))
    assert found == expected if isinstance(expected, list) else len(found) == expected


def test_frames_that_are_not_rendered_yet_are_left_out(folders: list[Path]) -> None:
    lines = (folders[0] / "scenes.jsonl").read_text().splitlines(keepends=True)
    (folders[0] / "scenes.jsonl").write_text("".join(lines[:2]))
    assert names(read_frames(folders[:1])) == ["a0", "a1"]


def test_what_is_hardly_seen_does_not_count(folders: list[Path]) -> None:
    (frame, *_) = read_frames(folders[:1])
    frame.scene["objects"] = [{"noun": noun, "colour": None} for noun in ("mug", "bowl", "fork")]
    mask = np.zeros((256, 256), np.uint8)
    mask[:10, : VISIBLE // 10] = 1
    mask[20, : VISIBLE - 100] = 2
    mask[50:80, 50:90] = 3
    found = list(type(frame)(frame.image, mask, frame.scene).visible())
    assert [thing["noun"] for thing, _ in found] == ["mug", "fork"]
    assert np.array_equal(found[1][1], mask == 3)


def test_half_the_interval_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(size=(4000, 25))
    widths = np.array([half_width(row) for row in values])
    covered = np.abs(values.mean(1)) < widths
    # The normal quantile stands for Student's: a little too narrow for so few.
    assert covered.mean() == pytest.approx(0.938, abs=0.012)
    assert half_width([1, 0, 1, 0]) == pytest.approx(1.96 * (1 / 3) ** 0.5 / 2)
    assert np.isnan(half_width([1.0]))


def test_tracked_items_are_the_items(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(tracked(iter("abc"), "letters", 3)) == ["a", "b", "c"]
    assert capsys.readouterr().out == ""
