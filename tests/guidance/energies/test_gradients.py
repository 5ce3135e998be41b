"""Every energy's gradient against finite differences, in float64 and on maps that are not square."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch.nn.functional import log_softmax

from guidance import (
    Absence,
    Appearance,
    Centroid,
    Classifier,
    Clip,
    Cutouts,
    Energy,
    Features,
    Image,
    Mask,
    NoisyClassifier,
    Observation,
    Shape,
    Size,
    State,
    Transform,
)

TOKENS = (1, 2)
MOVE = Transform(dx=0.2, dy=-0.1, scale=1.1)
H, W = 5, 8


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _observation(seed: int) -> Observation:
    return Observation({"a": _random(1, H, W, 3, seed=seed)}, {"a.block": _random(1, H, W, 2, seed=seed + 1)})


REFERENCE = _observation(10)
OTHER = Image({2: _observation(20)}.get, TOKENS)
LEFT = torch.zeros(1, 1, 2 * H, W)
LEFT[..., : W // 2] = 1
BLOB = _random(1, 1, 3, 7, seed=30)
LATENT = _random(1, 4, H, W, seed=40)

LAYOUT: dict[str, Energy] = {
    "shape": Shape(TOKENS, MOVE),
    "shape of an image": Shape(TOKENS, MOVE, OTHER),
    "given shape": Shape(TOKENS, MOVE, BLOB),
    "centroid": Centroid(TOKENS, MOVE),
    "centroid of an image": Centroid(TOKENS, MOVE, OTHER),
    "given centroid": Centroid(TOKENS, target=(0.3, 0.6)),
    "size": Size(TOKENS, 1.3),
    "size of an image": Size(TOKENS, 1.3, OTHER),
    "given size": Size(TOKENS, target=0.1),
    "absence": Absence(TOKENS, LEFT),
}


@pytest.mark.parametrize("name", LAYOUT)
def test_layout(name: str) -> None:
    def energy(attention: Tensor) -> Tensor:
        return LAYOUT[name](State(LATENT, 2, Observation({"a": attention}), REFERENCE))

    assert gradcheck(energy, _random(1, H, W, 3).requires_grad_())


APPEARANCE: dict[str, Energy] = {
    "appearance": Appearance(TOKENS),
    "appearance of an image": Appearance(TOKENS, OTHER),
    "given vectors": Appearance(TOKENS, lambda _: {"a.block": _random(1, 2, seed=50)}),
    "features": Features(LEFT, MOVE),
    "features of an image": Features(LEFT, target=OTHER),
    "given maps": Features(LEFT, target=lambda _: {"a.block": _random(1, H, W, 2, seed=60)}),
}


@pytest.mark.parametrize("name", APPEARANCE)
def test_appearance(name: str) -> None:
    attention = _random(1, H, W, 3).requires_grad_()

    def energy(features: Tensor) -> Tensor:
        seen = Observation({"a": attention}, {"a.block": features})
        return APPEARANCE[name](State(LATENT, 2, seen, REFERENCE))

    features = _random(1, H, W, 2, seed=70).requires_grad_()
    assert gradcheck(lambda f: energy(f), features)
    energy(features).backward()
    assert attention.grad is None  # appearance changes by what is there, not by where one looks


def _classes(z: Tensor) -> Tensor:
    return log_softmax(
        torch.stack([z.sum((1, 2, 3)), z.square().sum((1, 2, 3)), z[:, 0].sum((1, 2))], -1), -1
    )


def _embed(pictures: Tensor) -> Tensor:
    return torch.cat([pictures.mean((2, 3)), pictures.square().mean((2, 3))], -1)


TARGET = _random(1, 6, seed=80)
ON_LATENTS: dict[str, Callable[[], Energy]] = {
    "mask": lambda: Mask(LEFT, LATENT + 0.3),
    "mask, L1": lambda: Mask(LEFT, LATENT + 0.3, 0.0),
    "mask on x_t": lambda: Mask(LEFT, lambda _: LATENT + 0.3),
    "classifier": lambda: Classifier(_classes, 2),
    "log-probability": lambda: Classifier(lambda z: -z.square().sum((1, 2, 3))),
    "noisy classifier": lambda: NoisyClassifier(lambda z, level: _classes(z) / level, 1),
    "clip": lambda: Clip(lambda z: z[:, :3].tanh(), _embed, TARGET),
    "clip of cutouts": lambda: Clip(lambda z: z[:, :3].tanh(), _embed, TARGET, Cutouts(3, 2)),
}


@pytest.mark.parametrize("name", ON_LATENTS)
def test_on_latents(name: str) -> None:
    energy = ON_LATENTS[name]()
    assert gradcheck(
        lambda z: energy(State(z, 2, Observation(), x_0=z)), _random(1, 4, H, W, seed=90).requires_grad_()
    )
