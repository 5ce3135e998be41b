"""Counterfactual cases against what their lines say, on a stage of a few things, each in three sizes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from examples.tabletop.asset import Asset
from examples.tabletop.scene import Camera, Light, Placed, Room, Scene
from examples.tabletop.solids import ball, slab
from examples.tabletop.surfaces import Surface
from examples.tabletop.vocabulary import COLOURS, METALS

if TYPE_CHECKING:
    from examples.tabletop.stage import Stage

pytest.importorskip("trimesh")
pytestmark = pytest.mark.usefixtures("opengl")

SCALES = (1.0, 0.7, 1.35)
CASES = 2
NOUNS = {"ball", "box", "can", "vase", "pear"}
Case = tuple[dict[str, Any], dict[str, np.ndarray]]


def made() -> list[Asset]:
    """Painted things, and pears without paint, each with the two other sizes behind it."""
    parts = {
        "ball": lambda k: ball(0.03 * k, 24).moved(z=0.03 * k).part(paint=True),
        "box": lambda k: slab(0.07 * k, 0.04 * k, 0.03 * k).part(paint=True),
        "can": lambda k: slab(0.04 * k, 0.04 * k, 0.07 * k, 0.015 * k).part(paint=True),
        "vase": lambda k: slab(0.03 * k, 0.05 * k, 0.06 * k).part(paint=True),
        "pear": lambda k: slab(0.02 * k, 0.02 * k, 0.06 * k).part((0.2, 0.6, 0.2)),
    }
    return [
        Asset(f"{noun} {k}", noun, (part(k),), "green" if noun == "pear" else None)
        for noun, part in parts.items()
        for k in SCALES
    ]


@pytest.fixture(scope="module")
def stage(opengl: None) -> Iterator[Stage]:
    from examples.tabletop.stage import Stage

    rng = np.random.default_rng(0)
    textures = [rng.integers(90, 200, (512, 512, 3), np.uint8) for _ in range(4)]
    with Stage(made(), [Surface(texture, "plain", 0.5, 0.0) for texture in textures], samples=4) as stage:
        yield stage


@pytest.fixture(scope="module")
def cases(stage: Stage) -> dict[str, list[Case]]:
    from examples.tabletop.cases import EDITS, draw_case

    rng, found = np.random.default_rng(3), {}
    for edit in EDITS:
        draws = (draw_case(stage, edit, rng) for _ in range(300))
        whole = (case for case in draws if case is not None)
        found[edit] = [next(whole) for _ in range(CASES)]
    return found


def masks(case: Case) -> tuple[np.ndarray, np.ndarray]:
    return case[1]["mask"] > 0, case[1]["truth_mask"] > 0


def middle(mask: np.ndarray) -> np.ndarray:
    y, x = np.nonzero(mask)
    return np.array([x.mean(), y.mean()])


def difference(case: Case, where: np.ndarray) -> float:
    photo, truth = (case[1][name].astype(int) for name in ("photo", "truth"))
    return float(np.abs(photo - truth)[where].mean())


EVERY = ["move", "resize", "rotate", "remove", "replace", "recolour"]


@pytest.mark.parametrize("edit", EVERY)
def test_a_case_is_a_fair_photo_of_what_its_line_names(cases: dict[str, list[Case]], edit: str) -> None:
    for line, pictures in cases[edit]:
        assert line["edit"] == edit
        assert line["object"] in NOUNS
        assert (line["colour"] is None) == (line["colour"] not in COLOURS)
        assert line["object"] in line["prompt"]
        assert line["prompt"].startswith("a photo of")
        assert json.loads(json.dumps(line)) == line
        for name in ("photo", "truth"):
            assert (pictures[name].dtype, pictures[name].shape) == (np.uint8, (256, 256, 3))
        for name in ("mask", "truth_mask"):
            assert (pictures[name].dtype, pictures[name].shape) == (np.uint8, (256, 256))
            assert set(np.unique(pictures[name])) <= {0, 255}
        before, after = masks((line, pictures))
        for mask in (before, after) if edit != "remove" else (before,):
            assert 500 <= mask.sum() <= 16_000
            inner = np.zeros_like(mask)
            inner[1:-1, 1:-1] = True
            assert not (mask & ~inner).any()


@pytest.mark.parametrize("edit", EVERY)
def test_the_truth_differs_at_the_object_and_little_far_from_it(
    cases: dict[str, list[Case]], edit: str
) -> None:
    for case in cases[edit]:
        before, after = masks(case)
        changed = before | after if edit != "resize" else before ^ after
        rows, columns = np.nonzero(before | after)
        top, left = max(rows.min() - 60, 0), max(columns.min() - 60, 0)
        far = np.ones_like(before)
        far[top : rows.max() + 60, left : columns.max() + 60] = False
        if (edit, case[0]["object"]) != ("rotate", "ball"):
            assert difference(case, changed) > 4
        if far.any():
            # The same camera and the same noise; only a long shadow and the JPEG's blocks reach further.
            assert difference(case, far) < 0.5 * max(difference(case, changed), 1)
            photo, truth = (case[1][name].astype(int) for name in ("photo", "truth"))
            assert np.median(np.abs(photo - truth)[far]) <= 1


def test_a_move_is_from_centroid_to_centroid(cases: dict[str, list[Case]]) -> None:
    for line, pictures in cases["move"]:
        before, after = masks((line, pictures))
        shift = (middle(after) - middle(before)) / 256
        assert [line["dx"], line["dy"]] == pytest.approx(shift.tolist())
        # Along the camera's right: nothing comes nearer.
        assert abs(line["dx"]) > 0.1
        assert abs(line["dy"]) < 0.02
        assert after.sum() == pytest.approx(before.sum(), rel=0.15)


def test_a_resize_is_to_one_of_the_sizes(cases: dict[str, list[Case]]) -> None:
    for line, pictures in cases["resize"]:
        before, after = masks((line, pictures))
        assert line["scale"] == pytest.approx(math.sqrt(after.sum() / before.sum()))
        assert min(abs(line["scale"] / scale - 1) for scale in SCALES[1:]) < 0.12


def test_a_rotation_turns_clockwise_on_screen_for_positive_angles(stage: Stage) -> None:
    from examples.tabletop.cases import rotate

    thing = Placed(3, "box", "red", (0.7, 0.1, 0.1), (0.0, 0.0), 10.0)
    room = Room(0, 2, 1, "plain", (0, 0), (2, 2), 0.0, 6.0, ((1, 1, 1), (1, 1, 1), (1, 1, 1)), 0.0)
    light = Light((0.3, 0.2, 1.0), 0.0, (0, 0, 0), (0, 0, 0), (1, 1, 1))
    scene = Scene((thing,), room, Camera((0, 0, 0), 0.5, 170.0, -85.0, 40.0, 0.0), light, 0)

    def heading(of: Scene) -> float:
        """Degrees from x to y on screen, which runs down: clockwise."""
        y, x = np.nonzero(stage.instances(of))
        _, axes = np.linalg.eigh(np.cov(x, y))
        return math.degrees(math.atan2(axes[1, 1], axes[0, 1]))

    for seed in range(4):
        changed = rotate(stage, scene, 0, np.random.default_rng(seed))
        assert changed is not None
        turned, numbers = changed
        assert 20 <= abs(numbers["angle"]) <= 70
        away = heading(turned) - heading(scene) - numbers["angle"]
        assert (away + 90) % 180 - 90 == pytest.approx(0, abs=2)
    low = replace(scene, camera=replace(scene.camera, elevation=-40.0))
    assert rotate(stage, low, 0, np.random.default_rng(0)) is None


def test_what_is_removed_is_gone(cases: dict[str, list[Case]]) -> None:
    for line, pictures in cases["remove"]:
        assert not pictures["truth_mask"].any()
        assert not {"dx", "scale", "angle", "new_object", "new_colour"} & line.keys()


def test_a_replacement_is_another_thing_that_was_not_there(cases: dict[str, list[Case]]) -> None:
    for line, pictures in cases["replace"]:
        assert line["new_object"] in NOUNS - {line["object"]}
        assert f"{line['new_object']} " not in line["prompt"]
        colours = {"green"} if line["new_object"] == "pear" else set(COLOURS)
        assert line["new_colour"] in colours
        before, after = masks((line, pictures))
        assert (before & after).any()
        assert (before ^ after).any()


def test_a_new_colour_leaves_the_shape(cases: dict[str, list[Case]]) -> None:
    for line, pictures in cases["recolour"]:
        before, after = masks((line, pictures))
        assert np.array_equal(before, after)
        assert line["new_colour"] in set(COLOURS) - METALS - {line["colour"]}
        assert line["object"] != "pear"


def test_other_objects_stay(stage: Stage) -> None:
    from examples.tabletop.cases import EDITS

    things = (
        Placed(0, "ball", "red", (0.7, 0.1, 0.1), (0.0, 0.1), 0.0),
        Placed(3, "box", "blue", (0.1, 0.1, 0.7), (0.0, -0.1), 30.0),
    )
    room = Room(0, 2, 1, "plain", (0, 0), (2, 2), 0.0, 6.0, ((1, 1, 1), (1, 1, 1), (1, 1, 1)), 0.0)
    light = Light((0.3, 0.2, 1.0), 0.1, (0.4, 0.4, 0.4), (0.2, 0.2, 0.2), (0.3, 0.3, 0.3))
    scene = Scene(things, room, Camera((0, 0, 0), 0.6, 180.0, -80.0, 40.0, 0.0), light, 0)
    for name, edit in EDITS.items():
        for k in (0, 1):
            changed = edit(stage, scene, k, np.random.default_rng(1))
            assert changed is not None, name
            new, _ = changed
            other = things[1 - k]
            assert other in new.objects
            assert len(new.objects) == (1 if name == "remove" else 2)
            assert replace(new, objects=scene.objects) == scene
            if name != "remove":
                assert new.objects[k] != things[k]


def test_a_polished_table_mirrors_what_stands_on_it(stage: Stage) -> None:
    from examples.tabletop.cases import mirroring
    from examples.tabletop.render import draw_visible

    rng = np.random.default_rng(5)
    scene = mirroring(draw_visible(stage, rng, tables=2), rng)
    assert 0.12 <= scene.room.mirror <= 0.4
    assert -40 <= scene.camera.elevation <= -14
    dull = replace(scene, room=replace(scene.room, mirror=0.0))
    (shiny, instances), (plain, _) = stage.render(scene), stage.render(dull)
    changed = np.abs(shiny.astype(int) - plain).max(-1) > 8
    assert changed[instances == 0].sum() > 200
    assert changed[instances > 0].mean() < 0.05


def test_cases_are_written_without_loss(
    stage: Stage, cases: dict[str, list[Case]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from examples.tabletop import cases as module

    class Same:
        """The stage that is there, each time one is drawn."""

        def __enter__(self) -> Stage:
            return stage

        def __exit__(self, *error: object) -> None:
            pass

    expected = [
        (line, {name: pixels[96:160, 96:160] for name, pixels in pictures.items()})
        for line, pictures in (cases["move"][0], cases["remove"][0])
    ]
    ready = iter(expected)
    monkeypatch.setattr(module, "load", lambda folder: [])
    monkeypatch.setattr(module, "draw_case_stage", lambda things, rng, tables: Same())
    monkeypatch.setattr(module, "draw_case", lambda stage, edit, rng, *, mirrors: next(ready))
    module.main(tmp_path / "out", each=1, seed=1, edits=("move", "remove"))
    lines = [json.loads(line) for line in (tmp_path / "out" / "cases.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["000", "001"]
    for line, (said, pictures) in zip(lines, expected, strict=True):
        assert line == {"id": line["id"], **said}
        for name, pixels in pictures.items():
            with Image.open(tmp_path / "out" / f"{line['id']}_{name}.webp") as picture:
                found = np.asarray(picture.convert("RGB" if pixels.ndim == 3 else "L"))
            assert np.array_equal(found, pixels), name
