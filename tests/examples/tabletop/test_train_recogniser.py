from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from examples.tabletop.alignment import CHANNELS, SIDE
from examples.tabletop.image_features import halves, scaled
from examples.tabletop.train_recogniser import examples, fit, new_recogniser, train_recogniser
from examples.tabletop.vocabulary import NOUNS, SYNONYMS
from realedit.recogniser import Recogniser


def test_examples_are_an_objects_mean_its_places_and_bare_ones(scene_folders: tuple[Path, Path]) -> None:
    # features that know their place: channel 0 the row, channel 1 the column, channel 2 the mirror image
    seen = np.zeros((2, 3, CHANNELS, SIDE, SIDE), np.float16)
    seen[:, :, 0], seen[:, :, 1] = np.mgrid[:SIDE, :SIDE]
    seen[1, :, 2] = 1
    features, nouns = examples(scene_folders[0], seen, np.random.default_rng(0))
    assert (features.shape[1], features.dtype) == (CHANNELS, np.float32)
    assert set(nouns) == {
        NOUNS.index(n) for n in ("mug", "wine glass", "teddy bear", "pot", "moka pot", "apple")
    } | {len(NOUNS)}
    # the first object of the first scene: rows 40 to 60, columns 10 to 50 of 256
    mean = features[0]
    assert nouns[0] == NOUNS.index("mug")
    assert mean[0] == pytest.approx(50 / 16 - 0.5, abs=0.05)
    assert mean[1] == pytest.approx(30 / 16 - 0.5, abs=0.05)
    mugs = features[nouns == NOUNS.index("mug")]
    assert set(mugs[:, 2]) == {0, 1}
    assert mugs[mugs[:, 2] == 1][0, 1] == pytest.approx(15 - mean[1], abs=0.05)
    bare = features[nouns == len(NOUNS)]
    instances = np.load(scene_folders[0] / "instances.npy")
    assert len(bare) == 3 * 2 * 3
    for row, column, mirrored in bare[:6, :3].astype(int):
        picture = instances[0][:, ::-1] if mirrored else instances[0]
        assert not picture[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16].any()


def test_what_can_be_told_apart_is(scene_folders: tuple[Path, Path]) -> None:
    torch.manual_seed(0)
    recogniser = Recogniser(NOUNS, SYNONYMS)
    nouns = torch.arange(12).repeat(300)
    features = torch.randn(len(nouns), CHANNELS) + 4 * torch.eye(CHANNELS)[nouns]
    fit(recogniser, features, nouns, epochs=30)
    held_out = torch.randn(600, CHANNELS) + 4 * torch.eye(CHANNELS)[nouns[:600]]
    with torch.no_grad():
        assert (recogniser(held_out).argmax(-1) == nouns[:600]).float().mean() > 0.9


def test_its_features_are_efficientnets() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    pixels = torch.randint(0, 256, (2, 3, 64, 96)).float()
    recogniser = new_recogniser().eval()
    with torch.no_grad():
        expected = halves(11)[0](scaled(pixels))
        torch.testing.assert_close(recogniser.features(pixels), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_the_recipe_writes_a_recogniser_into_the_pipelines_folder(
    scene_folders: tuple[Path, Path], tmp_path: Path
) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    train_recogniser(scene_folders, tmp_path / "cache", tmp_path / "model", epochs=1)
    found = Recogniser.load(tmp_path / "model")
    assert found is not None
    assert found.nouns == tuple(NOUNS)
    assert found.deviation.min() > 0
