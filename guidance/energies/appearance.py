"""Appearance: the activations of an object, of a region or of the background, wherever it is.

The energies are relative to their target's mean magnitude: 1 means off by as much as the target is large.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from guidance.capture import Observation
from guidance.energies.target import Activations, Image, in_full, observed, region_at, resized
from guidance.properties import EPS, appearance, centroid, object_attention, shape
from guidance.terms import State
from guidance.warp import IDENTITY, Transform, warp, warp_objects


def appearance_vectors(seen: Observation, tokens: Sequence[int]) -> dict[str, Tensor]:
    """Returns an object's mean activations by layer, ``[B, D]``.

    Each captured map of activations is paired with the last captured attention of the same resolution.

    Raises:
        ValueError: no attention was captured at the size of an activation map.
    """
    return {
        name: appearance(
            object_attention(in_full(seen.attention[_attention_beside(name, seen)]).to(f.device), tokens),
            in_full(f),
        )
        for name, f in seen.features.items()
    }


@dataclass(frozen=True)
class Appearance:
    """Distance of the object's mean activations from a target's, relative to the target's mean magnitude.

    Args:
        tokens: the object's token positions.
        target: the reference's object by default; another image's; or given vectors ``[B, D]`` by level and
            layer (see :func:`appearance_vectors`). Layers that the target lacks do not count.
    """

    tolerance: ClassVar[float] = 0.05
    tokens: tuple[int, ...]
    target: Image | Activations | None = None

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0; 1 means off by the target's own magnitude."""

        def distance(now: Tensor, goal: Tensor) -> Tensor:
            return (now - goal).abs().mean() / goal.abs().mean().clamp_min(EPS)

        return _over_layers(state, self.target, self.tokens, of=appearance_vectors, distance=distance)


@dataclass(frozen=True)
class Features:
    """Distance of the activations inside a region from a target's, warped.

    Cells outside the region do not count, nor do cells that the warp would fill from beyond the frame: their
    target is unknown.

    With the identity transform and the background's region this is the "keep" term; with an edit's transform
    and the object's surroundings at the target it asks that light and shadow go along.

    Args:
        region: ``[1, 1, H, W]`` in [0, 1], of any size; averaged to each layer's.
        transform: carries the target's activations to the region.
        target: the reference's activations by default; another image's; or given maps ``[B, h, w, D]`` by
            level and layer. Layers that the target lacks do not count.
    """

    tolerance: ClassVar[float] = 0.05
    region: Tensor
    transform: Transform = IDENTITY
    target: Image | Activations | None = None

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0; 1 means off by the target's own magnitude."""

        def distance(now: Tensor, goal: Tensor) -> Tensor:
            goal = resized(goal, (now.shape[1], now.shape[2]))
            known = warp(torch.ones_like(goal[:1, :, :, :1]), self.transform)
            weight = region_at(self.region, now)[..., None] * known
            goal = warp(goal, self.transform)
            magnitude = (weight * goal.abs()).sum().clamp_min(EPS)
            return (weight * (now - goal).abs()).sum() / magnitude

        def maps(seen: Observation, _: Sequence[int]) -> Mapping[str, Tensor]:
            return {name: in_full(f) for name, f in seen.features.items()}

        return _over_layers(state, self.target, (), of=maps, distance=distance)


@dataclass(frozen=True)
class Background:
    r"""Distance from the reference's activations wherever no edited object was or is to be.

    .. math:: g = \frac{\sum m\,|\Psi - \Psi^*|}{\sum m\,|\Psi^*|}, \qquad
        m = \prod_k (1 - \hat A^*_k)\,(1 - T \hat A^*_k)

    with the reference's shapes :math:`\hat A^*_k` and the edit's transform T. It stands in for
    :class:`Features` where there is no mask to make a region of, as in a generated picture.

    Args:
        objects: the token positions of each object that may change.
        transform: how they are moved.
    """

    tolerance: ClassVar[float] = 0.05
    objects: tuple[tuple[int, ...], ...]
    transform: Transform = IDENTITY

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0; 1 means off by the reference's own magnitude."""
        reference = observed(state, None)
        distances: list[Tensor] = []
        for name, features in state.seen.features.items():
            now, then = in_full(features), in_full(reference.features[name].to(features.device))
            weight = self._free(in_full(reference.attention[_attention_beside(name, reference)]).to(now))
            magnitude = (weight * then.abs()).sum().clamp_min(EPS)
            distances.append((weight * (now - then).abs()).sum() / magnitude)
        return torch.stack(distances).mean()

    def _free(self, attention: Tensor) -> Tensor:
        """Finds where nothing is edited; attention ``[B, h, w, K]`` to ``[B, h, w, 1]`` in [0, 1]."""
        free = torch.ones_like(attention[..., 0])
        for tokens in self.objects:
            here = shape(object_attention(attention, tokens))
            there = warp_objects(here, self.transform, centroid(here))
            free = free * (1 - here) * (1 - there)
        return free[..., None]


def _over_layers(
    state: State,
    target: Image | Activations | None,
    tokens: Sequence[int],
    *,
    of: Callable[[Observation, Sequence[int]], Mapping[str, Tensor]],
    distance: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Averages a distance over the captured layers that the target has too."""
    now = of(state.seen, tokens)
    if target is None:
        goals = of(observed(state, None), tokens)
    elif isinstance(target, Image):
        goals = of(observed(state, target), target.tokens)
    else:
        goals = {name: goal.detach() for name, goal in target(state.level).items()}
    distances = [distance(x, goals[name].to(x)) for name, x in now.items() if name in goals]
    if not distances:
        raise ValueError(
            f"the target has activations of none of the captured layers at level {state.level}: "
            f"captured {list(now)}, target {list(goals)}"
        )
    return torch.stack(distances).mean()


def _attention_beside(feature: str, seen: Observation) -> str:
    """Finds the last captured attention layer of the same resolution as a map of activations."""
    h, w = seen.features[feature].shape[1:3]
    beside = [name for name, a in seen.attention.items() if a.shape[1:3] == (h, w)]
    if not beside:
        raise ValueError(f"no attention was captured at the {h} x {w} of {feature}")
    return beside[-1]
