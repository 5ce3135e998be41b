from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from examples.tabletop.asset import Asset
from examples.tabletop.captions import full_caption, write_caption
from examples.tabletop.scene import draw_scene
from examples.tabletop.shapes import MAKERS
from examples.tabletop.vocabulary import SYNONYMS

pytestmark = pytest.mark.usefixtures("opengl")

NOUNS = ("apple", "ball", "can", "mug")


@pytest.fixture
def render(opengl: None, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The renderer with four nouns, two tables and a wall, and no furniture."""
    pytest.importorskip("trimesh")
    from examples.tabletop import render

    monkeypatch.setattr(render, "MAKERS", {noun: MAKERS[noun] for noun in NOUNS})
    monkeypatch.setattr(render, "TABLE_KINDS", ("slate", "painted"))
    monkeypatch.setattr(render, "WALL_KINDS", ("stucco",))
    monkeypatch.setattr(render, "load", lambda folder: [])
    return render


def test_a_scene_reads_back_as_it_was_and_is_what_captions_speak_of(render: ModuleType) -> None:
    rng = np.random.default_rng(0)
    assets = [MAKERS[noun](rng) for noun in NOUNS]
    for _ in range(20):
        scene = draw_scene(assets, ["wooden", "plain"], (0,), (1,), rng)
        again = json.loads(json.dumps(render.described(scene)))
        assert again.pop("surface") == "wooden" == again["room"]["surface"]
        assert again == json.loads(json.dumps(asdict(scene)))
        line = render.described(scene)
        text = full_caption(line)
        assert all(thing.noun in text for thing in scene.objects)
        named = write_caption(line, rng).nouns
        known = {thing["noun"] for thing in line["objects"]}
        known.update(word for noun in tuple(known) for word in SYNONYMS.get(noun, ()))
        assert {noun for _, noun in named} <= known


def test_in_a_visible_scene_every_object_can_be_seen(render: ModuleType) -> None:
    with render.draw_stage([], 1, np.random.default_rng(0)) as stage:
        assert sorted(asset.noun for asset in stage.assets) == sorted(NOUNS)
        for seed in range(6):
            scene = render.draw_visible(stage, np.random.default_rng(seed), 2)
            counts = np.bincount(stage.instances(scene).ravel(), minlength=len(scene.objects) + 1)
            assert len(counts) == len(scene.objects) + 1
            assert counts[1:].min() >= 120
            assert scene.room.table in (0, 1)
            assert scene.room.wall == 2


def test_half_of_a_nouns_assets_are_found_and_half_generated(
    render: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Kept:
        def __init__(self, assets: list[Asset], surfaces: list[Any]) -> None:
            self.assets, self.surfaces = assets, surfaces

    monkeypatch.setattr(render, "Stage", Kept)
    monkeypatch.setattr(render, "_LAID", 0.0)  # what is laid on its side is another asset
    rng = np.random.default_rng(0)
    found = [MAKERS["mug"](rng) for _ in range(7)] + [MAKERS["vase"](rng) for _ in range(7)]
    stage = render.draw_stage(found, 4, rng)
    for noun, expected in {**dict.fromkeys(NOUNS, 0), "mug": 2, "vase": 4}.items():
        kept = [asset in found for asset in stage.assets if asset.noun == noun]
        assert (len(kept), sum(kept)) == (4, expected), noun
    assert len(stage.surfaces) == 3


@pytest.fixture
def shard(render: ModuleType, tmp_path: Path) -> Callable[[str], tuple[np.ndarray, np.ndarray, list[str]]]:
    def draw(name: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
        render.main(tmp_path / name, frames=2, seed=4, per_noun=1)
        files = (np.load(tmp_path / name / f"{part}.npy") for part in ("images", "instances"))
        return (*files, (tmp_path / name / "scenes.jsonl").read_text().splitlines())

    return draw


def test_a_stopped_run_goes_on_where_it_was(
    shard: Callable[[str], tuple[np.ndarray, np.ndarray, list[str]]], tmp_path: Path
) -> None:
    images, instances, lines = shard("whole")
    assert (images.shape, images.dtype) == ((2, 256, 256, 3), np.uint8)
    assert (instances.shape, instances.dtype) == ((2, 256, 256), np.uint8)
    for line, mask in zip(lines, instances, strict=True):
        assert set(np.unique(mask)) <= set(range(len(json.loads(line)["objects"]) + 1))
    assert images.std(axis=(1, 2, 3)).min() > 3
    # As one that was stopped after its first frame.
    stopped = tmp_path / "stopped"
    stopped.mkdir()
    np.save(stopped / "images.npy", np.concatenate([images[:1], np.zeros_like(images[1:])]))
    np.save(stopped / "instances.npy", np.concatenate([instances[:1], np.zeros_like(instances[1:])]))
    (stopped / "scenes.jsonl").write_text(lines[0] + "\n")
    again = shard("stopped")
    assert np.array_equal(again[0], images)
    assert np.array_equal(again[1], instances)
    assert again[2] == lines
