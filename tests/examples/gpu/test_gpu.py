"""The bundle comes out as it went in, nothing is both trained on and held out, parts join to the whole."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from examples.cutout.sheets import Scenes, load_photographs
from examples.cutout.train import load_pool
from examples.gpu.bundle import EVERY, pack, unpack
from examples.gpu.parts import tar_in_parts

COUNT = 2 * EVERY + 1


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes whose every pixel tells their number, and four photographs of which one is held out."""
    folder = tmp_path_factory.mktemp("data")
    for kind in ("scenes", "things"):
        for shard in ("1", "2"):
            place = folder / kind / shard
            place.mkdir(parents=True)
            images = np.stack([np.full((64, 64, 3), 8 * k + int(shard), np.uint8) for k in range(COUNT)])
            instances = np.zeros((COUNT, 64, 64), np.uint8)
            instances[:, 10:30, 20:50] = 1
            np.save(place / "images.npy", images)
            np.save(place / "instances.npy", instances)
            lines = [json.dumps({"scene": f"{kind}/{shard}/{k}"}) for k in range(COUNT)]
            (place / "scenes.jsonl").write_text("\n".join(lines) + "\n")
    for name in ("photos", "masks"):
        (folder / name).mkdir()
    for k in range(4):
        smooth = cv2.GaussianBlur(
            np.random.default_rng(k).integers(0, 255, (90, 120, 3)).astype(np.uint8), (0, 0), 9
        )
        cv2.imwrite(str(folder / "photos" / f"{k:03}.png"), smooth)
        cv2.imwrite(str(folder / "masks" / f"{k:03}_0.png"), np.pad(np.full((40, 40), 255, np.uint8), 20))
    lines = [json.dumps({"file": f"{k:03}.png", "held_out": k == 3}) for k in range(4)]
    (folder / "photos" / "credits.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def told(folder: Path) -> list[str]:
    return [json.loads(line)["scene"] for line in (folder / "scenes.jsonl").read_text().splitlines()]


def test_a_bundle_holds_what_went_in_apart_for_training_and_for_measuring(data: Path, tmp_path: Path) -> None:
    counts = pack(data, tmp_path / "bundle.zip", 50)
    assert counts == {"photographs": 4, "scenes": 2 * COUNT, "things": 2 * COUNT}
    unpack(tmp_path / "bundle.zip", tmp_path / "work")
    for kind in ("scenes", "things"):
        trained, held = (
            [scene for shard in ("1", "2") for scene in told(tmp_path / "work" / part / kind / shard)]
            for part in ("train", "held")
        )
        assert not set(trained) & set(held)
        assert len(trained) + len(held) == 2 * COUNT
        assert len(held) == 4
    shard = tmp_path / "work" / "train" / "things" / "2"
    scenes = Scenes([shard])
    for k, scene in enumerate(told(shard)):
        number = int(scene.rsplit("/", 1)[1])
        assert np.abs(scenes[k].image.astype(int) - (8 * number + 2)).max() <= 2  # WebP's own loss
        (mask,) = scenes[k].masks
        assert mask.sum() == 20 * 30
        assert mask[10:30, 20:50].all()
    photographs = [
        load_photographs(tmp_path / "work" / part / "photos", tmp_path / "work" / part / "masks")
        for part in ("train", "held")
    ]
    assert [len(some) for some in photographs] == [3, 1]
    assert all(len(sheet.masks) == 1 for some in photographs for sheet in some)
    assert len(load_pool(tmp_path / "work" / "train").scenes) == 2 * COUNT - 4


def test_a_bundle_is_no_larger_than_asked_for(data: Path, tmp_path: Path) -> None:
    everything = tmp_path / "all.zip"
    pack(data, everything, 50)
    most = 0.045
    counts = pack(data, tmp_path / "small.zip", most)
    assert (tmp_path / "small.zip").stat().st_size <= most * 1e6 < everything.stat().st_size
    assert 0 < counts["scenes"] < 2 * COUNT
    assert abs(counts["scenes"] - counts["things"]) <= 8


@pytest.mark.parametrize("size", [0, 900, 100_000])
def test_parts_join_to_the_whole(tmp_path: Path, size: int) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    content = np.random.default_rng(0).bytes(size)
    (folder / "weights.safetensors").write_bytes(content)
    files = tar_in_parts(folder, tmp_path / "model.tar", 30_000)
    assert all(file.stat().st_size <= 30_000 for file in files)
    assert (len(files) > 1) == (size == 100_000)
    joined = tmp_path / "joined.tar"
    joined.write_bytes(b"".join(file.read_bytes() for file in sorted(files)))
    with tarfile.open(joined) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    assert (tmp_path / "out" / "model" / "weights.safetensors").read_bytes() == content
    assert (tmp_path / "model.tar").exists() == (len(files) == 1)
