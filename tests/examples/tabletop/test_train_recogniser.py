from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from examples.tabletop.frames import read_frames
from examples.tabletop.image_features import halves, scaled
from examples.tabletop.train_recogniser import examples, fit, new_recogniser, train_recogniser
from examples.tabletop.vocabulary import NOUNS, SYNONYMS
from realedit.models.efficientnet_lite import CHANNELS, PLACE_PIXELS
from realedit.models.recogniser import Recogniser


def test_examples_are_an_objects_mean_its_places_and_bare_ones(scene_folders: tuple[Path, Path]) -> None:
    recogniser = Recogniser(NOUNS, SYNONYMS)
    # features that know their place: channel 0 the row, channel 1 the column
    recogniser.features = cast("Any", _Places())
    frames = read_frames([scene_folders[0]])
    features, nouns = examples(frames, recogniser, np.random.default_rng(0))
    assert (features.shape[1], features.dtype) == (CHANNELS, np.float32)
    expected = {"mug", "wine glass", "teddy bear", "pot", "moka pot", "apple"}
    assert set(nouns) == {NOUNS.index(n) for n in expected} | {len(NOUNS)}
    # the first object of the first scene: rows 40 to 60, columns 10 to 50 of 256, mirrored or not
    assert nouns[0] == NOUNS.index("mug")
    assert features[0, 0] == pytest.approx(50 / 16 - 0.5, abs=0.05)
    turned = features[0, 1] > 8
    assert features[0, 1] == pytest.approx(15 - (30 / 16 - 0.5) if turned else 30 / 16 - 0.5, abs=0.05)
    bare = features[nouns == len(NOUNS)]
    assert len(bare) == 3 * 3
    instances = frames[0].instances[:, ::-1] if turned else frames[0].instances
    for row, column in bare[:3, :2].astype(int):
        assert not instances[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16].any()


class _Places(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        side = pixels.shape[-1] // PLACE_PIXELS
        out = torch.zeros(len(pixels), CHANNELS, side, side)
        out[:, 0], out[:, 1] = torch.arange(side)[:, None], torch.arange(side)
        return out


def test_what_can_be_told_apart_is(scene_folders: tuple[Path, Path]) -> None:
    torch.manual_seed(0)
    recogniser = Recogniser(NOUNS, SYNONYMS)
    nouns = torch.arange(12).repeat(300)
    features = torch.randn(len(nouns), CHANNELS) + 8 * torch.eye(CHANNELS)[nouns]
    fit(recogniser, features, nouns, epochs=30)
    held_out = torch.randn(600, CHANNELS) + 8 * torch.eye(CHANNELS)[nouns[:600]]
    with torch.no_grad():
        assert (recogniser(held_out).argmax(-1) == nouns[:600]).float().mean() > 0.9


def test_its_features_are_efficientnets() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    pixels = torch.randint(0, 256, (2, 3, 64, 96)).float()
    recogniser = new_recogniser().eval()
    with torch.no_grad():
        fine = halves(11)[0](scaled(pixels))
        coarse = halves(16)[0](scaled(pixels))
        coarse = torch.nn.functional.interpolate(coarse, fine.shape[-2:], mode="bilinear")
        expected = torch.cat([fine, coarse], 1)
        torch.testing.assert_close(recogniser.features(pixels), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_the_recipe_writes_a_recogniser_into_the_pipelines_folder(
    scene_folders: tuple[Path, Path], tmp_path: Path
) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    train_recogniser(scene_folders, tmp_path / "model", epochs=1)
    found = Recogniser.load(tmp_path / "model")
    assert found is not None
    assert found.nouns == tuple(NOUNS)
    assert found.deviation.min() > 0
