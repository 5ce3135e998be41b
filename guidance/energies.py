r"""Energies: how far what the denoiser sees is from what an edit asks for.

Each is the L1 distance of a property (:mod:`guidance.properties`) to a target computed once, from the cached
reference of the same step: :math:`g = \lVert p(A_t, \Psi_t) - p^*(A^{ref}_t, \Psi^{ref}_t) \rVert_1`,
averaged over the captured layers, in fp32, never from the moving observation itself.

Reference: Epstein et al. 2023, arXiv 2306.00986, sections 3.2 and 3.3. What the paper calls "keep" terms are
the same energies with the identity transform.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from guidance.capture import Observation
from guidance.properties import appearance, centroid, object_attention, shape, size
from guidance.warp import Transform, warp
from guidance.windows import Window


@dataclass(frozen=True)
class State:
    """What an energy may look at, at one step.

    Args:
        x_t: the latent ``[B, C, h, w]``; the gradient is taken with respect to it.
        level: the noise level, 1..N.
        seen: attention and activations of the conditional branch at ``x_t``, attached to the graph.
        reference: the source's own at the same level; None where there is no source.
        x_0: the predicted clean latent, for terms that ask for it (``needs_x_0``), else None.
    """

    x_t: Tensor
    level: int
    seen: Observation
    reference: Observation | None = None
    x_0: Tensor | None = None


Energy = Callable[[State], Tensor]
"""A differentiable scalar of the state, 0 when its target is met."""


@dataclass(frozen=True)
class Term:
    """An energy with its weight and the window of steps in which it acts.

    Args:
        energy: any :data:`Energy`.
        weight: its share in the sum.
        window: fractions of the sampled steps.
        needs_x_0: whether the energy reads ``state.x_0``; costs a whole forward pass instead of a partial
            one.
    """

    energy: Energy
    weight: float = 1.0
    window: Window = Window(0.0, 0.4)  # noqa: RUF009 - frozen
    needs_x_0: bool = False


def _reference(state: State) -> Observation:
    if state.reference is None:
        raise ValueError("this energy needs a reference: give the sampler the source's observations")
    ref = state.reference  # a fixed target: no gradient may flow into it
    attention = {name: a.detach() for name, a in ref.attention.items()}
    return Observation(attention, {name: f.detach() for name, f in ref.features.items()})


def _over_layers(state: State, tokens: Sequence[int], distance: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Mean over the captured layers of a distance between the object's seen and reference attention."""
    reference = _reference(state).attention
    distances = [
        distance(
            object_attention(seen.float(), tokens),
            object_attention(reference[name].to(seen.device).float(), tokens),
        )
        for name, seen in state.seen.attention.items()
    ]
    return torch.stack(distances).mean()


@dataclass(frozen=True)
class Shape:
    """The object's shape against the reference shape, moved, scaled and rotated about its own centroid."""

    tokens: tuple[int, ...]
    transform: Transform = Transform()  # noqa: RUF009 - frozen

    def __call__(self, state: State) -> Tensor:
        """Scalar in [0, 1]."""
        return _over_layers(
            state,
            self.tokens,
            lambda seen, ref: (shape(seen) - warp(shape(ref), self.transform)).abs().mean(),
        )


@dataclass(frozen=True)
class Centroid:
    """The object's centre of mass against the reference's, moved; a fraction of the frame."""

    tokens: tuple[int, ...]
    transform: Transform = Transform()  # noqa: RUF009 - frozen

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0."""

        def distance(seen: Tensor, ref: Tensor) -> Tensor:
            target = self.transform.apply(centroid(shape(ref)), ref.shape[-1] / ref.shape[-2])
            return (centroid(shape(seen)) - target).abs().mean()

        return _over_layers(state, self.tokens, distance)


@dataclass(frozen=True)
class Size:
    """The object's share of the frame against the reference's times ``scale`` squared, as a share of that."""

    tokens: tuple[int, ...]
    scale: float = 1.0

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0; 1 means off by the target itself."""

        def distance(seen: Tensor, ref: Tensor) -> Tensor:
            target = size(ref) * self.scale**2
            return ((size(seen) - target).abs() / target.clamp_min(1e-6)).mean()

        return _over_layers(state, self.tokens, distance)


@dataclass(frozen=True)
class Appearance:
    """The object's mean activations against the reference's, relative to the latter's mean magnitude.

    Every captured map of activations is paired with the attention of the finest captured layer inside or at
    its own resolution.
    """

    tokens: tuple[int, ...]

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0; 1 means off by the reference's own magnitude."""
        reference = _reference(state)
        distances = []
        for name, seen in state.seen.features.items():
            layer = _attention_beside(name, state.seen)
            ref = appearance(
                object_attention(reference.attention[layer].to(seen.device).float(), self.tokens),
                reference.features[name].to(seen.device).float(),
            )
            now = appearance(object_attention(state.seen.attention[layer].float(), self.tokens), seen.float())
            distances.append((now - ref).abs().mean() / ref.abs().mean().clamp_min(1e-6))
        return torch.stack(distances).mean()


@dataclass(frozen=True)
class Features:
    """Activations inside a region against the reference's own, moved; what lies outside it does not count.

    With the identity transform and the background's region this is the "keep" term; with an edit's transform
    and the object's surroundings at the target it asks that light and shadow go along.

    Args:
        region: ``[1, 1, H, W]`` in [0, 1], of any size; averaged down to each layer's.
        transform: what carries the reference's activations to the region.
    """

    region: Tensor
    transform: Transform = Transform()  # noqa: RUF009 - frozen

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0; 1 means off by the reference's own magnitude."""
        reference = _reference(state)
        distances = []
        for name, seen in state.seen.features.items():
            target = warp(reference.features[name].to(seen.device).float(), self.transform)
            weight = adaptive_avg_pool2d(self.region.to(seen.device), (seen.shape[1], seen.shape[2]))[0, 0][
                None, ..., None
            ]
            magnitude = (weight * target.abs()).sum().clamp_min(1e-6)
            distances.append((weight * (seen.float() - target).abs()).sum() / magnitude)
        return torch.stack(distances).mean()


@dataclass(frozen=True)
class Absence:
    """The share of the object's attention that falls into a region where it must no longer be.

    Args:
        tokens: the object's.
        region: ``[1, 1, H, W]`` in [0, 1], of any size; averaged down to each layer's.
    """

    tokens: tuple[int, ...]
    region: Tensor

    def __call__(self, state: State) -> Tensor:
        """Scalar in [0, 1]."""
        shares = []
        for seen in state.seen.attention.values():
            a = object_attention(seen.float(), self.tokens)
            weight = adaptive_avg_pool2d(self.region.to(a.device), (a.shape[1], a.shape[2]))[0]
            shares.append(((weight * a).sum((-2, -1)) / a.sum((-2, -1)).clamp_min(1e-6)).mean())
        return torch.stack(shares).mean()


def _attention_beside(feature: str, seen: Observation) -> str:
    """The last captured attention layer of the same resolution as a map of activations."""
    h, w = seen.features[feature].shape[1:3]
    beside = [name for name, a in seen.attention.items() if a.shape[1:3] == (h, w)]
    if not beside:
        raise ValueError(f"no attention was captured at the {h} x {w} of {feature}")
    return beside[-1]
