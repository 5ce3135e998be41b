"""The network's parts, against closed forms, and that it takes windows of any shape."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from realedit.cutout.features import load_features
from realedit.cutout.hints import Hint
from realedit.cutout.network import ANSWERS, CutOutNetwork, Pyramid, _seeds, _similarities


@pytest.fixture(scope="module")
def pyramid() -> Pyramid:
    return Pyramid(load_features())


@pytest.fixture(scope="module")
def network() -> CutOutNetwork:
    torch.manual_seed(0)
    return CutOutNetwork().eval()


def told(*hints: Hint, size: tuple[int, int]) -> torch.Tensor:
    return torch.from_numpy(np.stack([hint.maps(size[0] // 4, size[1] // 4) for hint in hints]))[None]


@pytest.mark.parametrize("size", [(64, 64), (96, 160), (160, 64)])
def test_answers_are_at_half_the_window(
    network: CutOutNetwork, pyramid: Pyramid, size: tuple[int, int]
) -> None:
    pixels = torch.rand(2, 3, *size) * 255
    maps = told(Hint(((0.5, 0.5),)), size=size).repeat(2, 3, 1, 1, 1)
    with torch.no_grad():
        logits, sure = network(pixels, pyramid(pixels), maps)
    assert logits.shape == (2, 3, ANSWERS, size[0] // 2, size[1] // 2)
    assert sure.shape == (2, 3, ANSWERS)


def test_hints_that_are_asked_together_do_not_see_each_other(
    network: CutOutNetwork, pyramid: Pyramid
) -> None:
    pixels = torch.rand(1, 3, 96, 96) * 255
    maps = told(Hint(((0.3, 0.3),)), Hint(box=(0.4, 0.4, 0.9, 0.9)), size=(96, 96))
    with torch.no_grad():
        seen = pyramid(pixels)
        both, _ = network(pixels, seen, maps)
        apart = [network(pixels, seen, maps[:, k : k + 1])[0] for k in range(2)]
    torch.testing.assert_close(both, torch.cat(apart, 1), rtol=1e-3, atol=1e-3)


def test_seeds_of_each_kind_of_hint_weigh_one() -> None:
    mask = np.zeros((20, 20))
    mask[5:12, 5:12] = 1
    maps = told(Hint(((0.5, 0.5),)), Hint(((0.5, 0.5),), box=(0.2, 0.2, 0.7, 0.7), mask=mask), size=(80, 80))
    chosen, refused = _seeds(maps)
    torch.testing.assert_close(chosen.sum((2, 3)), torch.tensor([[1.0, 3.0]]), rtol=1e-3, atol=1e-3)
    # Only the second says what the thing is not: what is outside the box, what is outside the mask.
    torch.testing.assert_close(refused.sum((2, 3)), torch.tensor([[0.0, 2.0]]), rtol=1e-3, atol=1e-3)


def test_places_like_the_hint_have_a_cosine_of_one_and_others_of_none() -> None:
    level = torch.zeros(1, 2, 8, 8)
    level[:, 0, :, :4], level[:, 1, :, 4:] = 3.0, 0.5
    maps = told(Hint(((0.2, 0.5),), ((0.9, 0.5),)), size=(128, 128))
    (likes,) = _similarities([level], *_seeds(maps))
    expected = torch.zeros(1, 2, 8, 8)
    expected[:, 0, :, :4] = expected[:, 1, :, 4:] = 1
    torch.testing.assert_close(likes, expected, rtol=1e-3, atol=1e-3)


def test_the_features_are_not_trained(network: CutOutNetwork, pyramid: Pyramid) -> None:
    assert not any(parameter.requires_grad for parameter in pyramid.parameters())
    assert sum(parameter.numel() for parameter in network.parameters()) < 2e6
