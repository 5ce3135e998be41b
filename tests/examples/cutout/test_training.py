"""The cut-out network's data and training: the loss falls, a stopped run goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from examples.cutout.samples import Pool, box_about, composite, draw, heated, hint_at, points_in, roughened
from examples.cutout.sheets import Scenes, load_photographs
from examples.cutout.train import Batch, batch, load_pool, losses, made_ahead, main
from realedit.cutout.cutout import FOLDER, CutOut


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes of bright discs, and two photographs of one each with its mask."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for kind in ("scenes", "things"):
        shard = folder / kind / "0"
        shard.mkdir(parents=True)
        drawn = [disc(rng) for _ in range(6)]
        np.save(shard / "images.npy", np.stack([image for image, _ in drawn]))
        np.save(shard / "instances.npy", np.stack([mask.astype(np.uint8) for _, mask in drawn]))
        (shard / "scenes.jsonl").write_text("{}\n" * 6)
    for name in ("photos", "masks"):
        (folder / name).mkdir()
    lines: list[str] = []
    for k in range(2):
        image, mask = disc(rng)
        cv2.imwrite(str(folder / "photos" / f"{k:03}.png"), image)
        cv2.imwrite(str(folder / "masks" / f"{k:03}_0.png"), mask.astype(np.uint8) * 255)
        lines.append(json.dumps({"file": f"{k:03}.png", "held_out": False}))
    (folder / "photos" / "credits.jsonl").write_text("\n".join(lines))
    return folder


def disc(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    image = cv2.GaussianBlur(rng.integers(0, 160, (160, 160, 3)).astype(np.uint8), (0, 0), 4)
    ys, xs = np.mgrid[:160, :160]
    y, x = rng.uniform(50, 110, 2)
    mask = (ys - y) ** 2 + (xs - x) ** 2 < rng.uniform(25, 45) ** 2
    image[mask] = rng.integers(150, 255, 3)
    return image, mask


@pytest.fixture(scope="module")
def pool(data: Path) -> Pool:
    return load_pool(data)


def test_every_drawn_picture_shows_things_of_its_size(pool: Pool) -> None:
    rng = np.random.default_rng(1)
    for size in ((96, 96), (64, 128)) * 8:
        sheet = draw(pool, size, rng)
        assert sheet.image.shape == (*size, 3)
        assert sheet.image.dtype == np.uint8
        assert all(mask.shape == size and mask.any() for mask in sheet.masks)
        assert sheet.masks


def test_pieces_of_a_composite_hide_each_other(pool: Pool) -> None:
    rng = np.random.default_rng(2)
    masks = [mask for _ in range(6) for mask in [composite(pool, (96, 96), rng).masks]]
    assert any(masks)
    for some in masks:
        pasted = some[1:]
        assert not any((one & other).any() for k, one in enumerate(pasted) for other in pasted[k + 1 :])


def test_hints_point_at_the_thing() -> None:
    rng = np.random.default_rng(3)
    mask = np.zeros((80, 120), bool)
    mask[20:50, 30:70] = True
    for x, y in points_in(mask, 40, rng):
        assert mask[int(y * 80), int(x * 120)]
    boxes = np.array([box_about(mask, rng) for _ in range(200)])
    np.testing.assert_allclose(boxes.mean(0), (0.25, 0.25, 0.583, 0.625), atol=0.02)
    for rough in (roughened, heated):
        drawn = np.mean([cv2.resize(rough(mask, [], rng), (120, 80)) for _ in range(40)], axis=0)
        assert drawn[mask].mean() > 2 * drawn[~mask].mean()
    kinds = [hint_at(mask, [], rng)[0] for _ in range(100)]
    assert all(any((h.positive, h.box, h.mask is not None, h.heat is not None)) for h in kinds)


def test_a_right_answer_costs_less_than_a_wrong_one() -> None:
    truth = torch.zeros(1, 1, 32, 32)
    truth[..., 8:24, 8:24] = 1
    half = truth[:, :, ::2, ::2][:, :, None]
    right, wrong = (12 * (half - 0.5)).repeat(1, 1, 3, 1, 1), (12 * (0.5 - half)).repeat(1, 1, 3, 1, 1)
    open_ = torch.zeros(1, 1, dtype=torch.bool)
    sure = torch.full((1, 1, 3), 6.0)
    low, best, _ = losses(right, sure, truth, open_)
    high, worst, _ = losses(wrong, sure, truth, open_)
    assert low < 0.1 < 2 < high
    assert best.item() == pytest.approx(1, abs=1e-4)
    assert worst.item() == pytest.approx(0, abs=1e-4)
    # One right answer of three is enough where the hint can be taken in several ways.
    mixed = torch.cat([right[:, :, :1], wrong[:, :, 1:]], 2)
    assert losses(mixed, sure, truth, ~open_)[0] < 0.5 * losses(mixed, sure, truth, open_)[0]


def test_the_loss_falls_and_a_stopped_run_goes_on(data: Path, tmp_path: Path) -> None:
    small = {
        "data": data,
        "output": tmp_path,
        "pictures": 3,
        "hints": 2,
        "side": 96,
        "rate": 2e-3,
        "total": 200,
    }
    main(**small, minutes=2, steps=25)
    first = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert first["step"] == 25
    main(**small, minutes=2, steps=75)
    again = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert again["step"] == 75
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [25, 50, 75]
    assert lines[2]["loss"] < 0.85 * lines[0]["loss"]
    moved = [
        name for name, value in first["network"].items() if not torch.equal(value, again["network"][name])
    ]
    # Everything but the features' mean and spread, which are measured once.
    assert not any(name.startswith(("mean", "scale")) for name in moved)
    assert len(moved) > 50


def test_it_starts_from_what_ships_with_batches_made_ahead_and_a_rate_that_falls_with_the_time(
    data: Path, tmp_path: Path
) -> None:
    small = {"data": data, "output": tmp_path, "pictures": 1, "hints": 1, "side": 96, "total": 0}
    main(**small, minutes=0.15, steps=2, rate=0.0, workers=1, init=FOLDER)
    held = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert held["step"] == 2
    shipped = CutOut.load().network.state_dict()
    # at a rate of 0 nothing is learned
    assert all(torch.equal(value, held["mean"][name]) for name, value in shipped.items())


def test_batches_made_ahead_are_those_made_here_and_differ_between_processes(pool: Pool) -> None:
    def make(rng: np.random.Generator) -> Batch:
        return batch(pool, 1, 1, rng, 96)

    def pixels(made: Iterator[Batch], count: int) -> list[np.ndarray]:
        return [next(made)[0].numpy() for _ in range(count)]

    here, again = (pixels(made_ahead(make, (3, 0), 0), 2) for _ in range(2))
    assert all((one == other).all() for one, other in zip(here, again, strict=True))
    apart = pixels(made_ahead(make, (3, 0), 2), 2)
    assert apart[0].shape != apart[1].shape or (apart[0] != apart[1]).any()


def test_a_scene_of_nothing_has_no_masks(tmp_path: Path, data: Path) -> None:
    shard = tmp_path / "0"
    shard.mkdir()
    np.save(shard / "images.npy", np.zeros((1, 16, 16, 3), np.uint8))
    np.save(shard / "instances.npy", np.zeros((1, 16, 16), np.uint8))
    (shard / "scenes.jsonl").write_text("{}\n")
    assert Scenes([shard])[0].masks == ()
    assert len(load_photographs(data / "photos", tmp_path)) == 2
