"""Realedit on PIE-Bench's layout, by the real embedded model at a small working size."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from bench_data import save
from realedit import Background, Restyle, Retouch
from realedit.bench.case import LoadedCase
from realedit.bench.datasets import load_dataset
from realedit.bench.methods.own import Own
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import ModelSettings, Workbench
from realedit.errors import UsageError

PHOTO = Path(__file__).resolve().parents[4] / "examples" / "photos" / "mug.jpg"
SIDE = 512
MUG = (slice(218, 366), slice(120, 214))
CORNER = (slice(380, 480), slice(30, 150))
STEPS = 4


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return Workbench(ModelSettings("tabletop", "cpu", "float32", offline=True, working_size=160))


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.array(Image.open(PHOTO).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def box(where: tuple[slice, slice], *, inside: bool = True) -> np.ndarray:
    mask = np.full((SIDE, SIDE), not inside)
    mask[where] = inside
    return mask


def run_lengths(mask: np.ndarray) -> list[int]:
    edges = np.diff(np.concatenate([[0], mask.ravel().astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [int(number) for pair in zip(starts, stops - starts, strict=True) for number in pair]


def case(
    folder: Path, photo: np.ndarray, kind: str, original: str, editing: str, mask: np.ndarray
) -> LoadedCase:
    save(folder / "annotation_images" / "mug.png", photo)
    entry: dict[str, Any] = {
        "image_path": "mug.png",
        "original_prompt": original,
        "editing_prompt": editing,
        "editing_type_id": kind,
        "blended_word": "",
        "mask": run_lengths(mask),
    }
    (folder / "mapping_file.json").write_text(json.dumps({"a": entry}), encoding="utf-8")
    loaded = LoadedCase.of(load_dataset(folder)[0])
    assert loaded.mask is not None
    assert (loaded.mask == mask).all()
    return loaded


def edited(outcome: Outcome, photo: np.ndarray) -> np.ndarray:
    """Where an outcome is not the photo; only where it says that it edited."""
    changed = (outcome.picture != photo).any(-1)
    assert outcome.region is not None
    assert not (changed & ~outcome.region).any()
    return changed


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def test_an_attribute_is_restyled_where_its_word_is_found(
    tmp_path: Path, bench: Workbench, photo: np.ndarray
) -> None:
    prompts = "a [red] mug on a wooden table", "a [blue] mug on a wooden table"
    loaded = case(tmp_path, photo, "6", *prompts, box(MUG))
    outcome = Own(steps=STEPS).edit(loaded, bench)
    changed = edited(outcome, photo)
    assert changed[MUG].mean() > 0.5
    # so small, in four steps, the book is a third as likely as the mug, and some of its shade is taken
    assert (changed & ~grown(box(MUG), 12)).sum() < 0.05 * changed.sum()
    assert outcome.found is not None
    assert (outcome.found & box(MUG)).sum() > 0.9 * outcome.found.sum()
    inverted = bench.pipeline.invert(photo, "a red mug on a wooden table", steps=STEPS)
    plain = bench.pipeline.edit(inverted, Restyle("mug", "blue mug"))
    assert (outcome.picture == plain.photo.rgb).all()


def test_a_background_changes_about_the_object_and_keeps_it(
    tmp_path: Path, bench: Workbench, photo: np.ndarray
) -> None:
    prompts = "a red mug on a [wooden] table", "a red mug on a [marble] table"
    loaded = case(tmp_path, photo, "8", *prompts, box(MUG, inside=False))
    outcome = Own(steps=STEPS).edit(loaded, bench)
    changed = edited(outcome, photo)
    assert outcome.found is not None
    kept = cv2.erode(outcome.found.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert kept[MUG].mean() > 0.3
    assert not changed[kept].any()
    assert changed[~grown(box(MUG), 12)].mean() > 0.95
    inverted = bench.pipeline.invert(photo, "a red mug on a wooden table", steps=STEPS)
    plain = bench.pipeline.edit(inverted, Background("red mug", "marble table"))
    assert (outcome.picture == plain.photo.rgb).all()


def test_a_background_of_several_things_is_all_that_the_mask_shows(
    tmp_path: Path, bench: Workbench, photo: np.ndarray
) -> None:
    prompts = "a mug and a bowl on a [wooden] table", "a mug and a bowl on a [marble] table"
    loaded = case(tmp_path, photo, "8", *prompts, box(MUG, inside=False))
    outcome = Own(steps=STEPS).edit(loaded, bench)
    changed = edited(outcome, photo)
    assert outcome.found is None
    assert not (grown(changed, 1) & box((slice(250, 340), slice(140, 180)))).any()
    assert changed[~grown(box(MUG), 12)].mean() > 0.95


def test_what_is_added_is_painted_inside_the_mask(
    tmp_path: Path, bench: Workbench, photo: np.ndarray
) -> None:
    prompts = "a red mug on a wooden table", "a red mug on a wooden table [and a bowl]"
    loaded = case(tmp_path, photo, "2", *prompts, box(CORNER))
    outcome = Own(steps=STEPS).edit(loaded, bench)
    changed = edited(outcome, photo)
    assert changed[CORNER].mean() > 0.8
    assert not (changed & ~box(CORNER)).any()
    inverted = bench.pipeline.invert(photo, "a red mug on a wooden table", steps=STEPS)
    plain = bench.pipeline.edit(inverted, Retouch("a bowl"), mask=box(CORNER).astype(np.float32))
    assert (outcome.picture == plain.photo.rgb).all()


def test_a_style_is_of_the_whole_picture_under_the_very_prompt(
    tmp_path: Path, bench: Workbench, photo: np.ndarray
) -> None:
    prompts = "a red mug on a wooden table.", "[a watercolor of] a red mug on a wooden table."
    loaded = case(tmp_path, photo, "9", *prompts, np.ones((SIDE, SIDE), bool))
    given = Own()._given(loaded)
    assert given is not None
    assert (given[1:-1, 1:-1] == 1).all()
    outcome = Own(steps=STEPS).edit(loaded, bench)
    assert edited(outcome, photo).mean() > 0.95
    result = bench.pipeline.edit(
        bench.pipeline.invert(photo, loaded.case.prompt, steps=STEPS),
        Restyle("a red mug on a wooden table", "a watercolor of a red mug on a wooden table"),
        mask=given,
    )
    assert (outcome.picture == result.photo.rgb).all()


def test_the_mask_stands_in_for_the_word_where_it_is_asked_to(tmp_path: Path, photo: np.ndarray) -> None:
    prompts = "a red mug on a [wooden] table", "a red mug on a [marble] table"
    background = case(tmp_path / "a", photo, "8", *prompts, box(MUG, inside=False))
    assert Own()._given(background) is None
    given = Own(mask=True)._given(background)
    assert given is not None
    assert (given == box(MUG)).all()  # what stays, not what changes
    colour = case(tmp_path / "b", photo, "6", "a [red] mug", "a [blue] mug", box(MUG))
    given = Own(mask=True)._given(colour)
    assert given is not None
    assert (given == box(MUG)).all()


def test_an_edit_that_no_word_tells_the_place_of_needs_a_mask(tmp_path: Path, photo: np.ndarray) -> None:
    loaded = case(tmp_path, photo, "2", "a mug", "a mug [and a bowl]", box(CORNER))
    with pytest.raises(UsageError, match="no mask to give"):
        Own()._given(replace(loaded, mask=None))
