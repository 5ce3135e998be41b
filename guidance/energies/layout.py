"""Layout: an object's place, size and shape.

**Convention:** transforms and places as in :mod:`guidance.warp`: (x, y) in [0, 1] of the frame, x right,
y down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from guidance.energies.target import Image, in_full, over_layers, region_at, require_map, resized
from guidance.properties import EPS, centroid, object_attention, shape, size
from guidance.terms import State
from guidance.warp import IDENTITY, Transform, move_points, warp_objects

_LEAST_AREA = 1e-3
"""Twice the target's share of the frame below which a relative shape energy divides by this instead: a
smaller one lets specks outweigh everything, a larger one makes small objects count less. Not measured."""


@dataclass(frozen=True)
class Shape:
    r"""Distance of the object's shape from a target's, warped about the target's own centroid.

    .. math:: g = \frac{1}{|\Omega|} \sum |\hat A - T \hat A^*| \qquad \text{or, relative,} \qquad
        g = \frac{\sum |\hat A - T \hat A^*|}{2 \sum T \hat A^*}

    Args:
        tokens: the object's token positions.
        transform: applied to the target before it is compared.
        target: the reference's object by default; another image's; or a mask ``[1, 1, H, W]`` in [0, 1] of
            any size.
        relative: whether the distance is relative to the target's area instead of the frame's. A small
            object's shape then counts as much as a large one's, and an object of the target's size that does
            not overlap it is at 1.

    Raises:
        ValueError: the mask has another shape.
    """

    tokens: tuple[int, ...]
    transform: Transform = IDENTITY
    target: Image | Tensor | None = None
    relative: bool = False

    @property
    def tolerance(self) -> float:
        """Value of the energy at or below which the shape counts as reached."""
        return 0.2 if self.relative else 0.02

    def __post_init__(self) -> None:
        if isinstance(self.target, Tensor):
            require_map(self.target)

    def __call__(self, state: State) -> Tensor:
        """Scalar in [0, 1]; if relative, >= 0."""

        def distance(seen: Tensor, goal: Tensor) -> Tensor:
            goal = resized(goal, (seen.shape[1], seen.shape[2]))
            if given is not None:  # a shape's largest value is 1, but averaging lowers a thin mask's
                goal = goal / goal.amax().clamp_min(EPS)
            goal = warp_objects(goal, self.transform, centroid(goal))
            difference = (shape(seen) - goal).abs().mean()
            return difference / (2 * goal.mean()).clamp_min(_LEAST_AREA) if self.relative else difference

        given = self.target[0] if isinstance(self.target, Tensor) else None
        target = self.target if given is None else given
        return over_layers(state, self.tokens, target, of=shape, distance=distance)


@dataclass(frozen=True)
class Centroid:
    """Distance of the object's centre of mass from a target's, moved; in fractions of the frame.

    Args:
        tokens: the object's token positions.
        transform: applied to the target before it is compared.
        target: the reference's object by default; another image's; or a place (x, y) in [0, 1].
    """

    tolerance: ClassVar[float] = 0.01
    tokens: tuple[int, ...]
    transform: Transform = IDENTITY
    target: Image | tuple[float, float] | None = None

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0."""

        def distance(seen: Tensor, goal: Tensor) -> Tensor:
            goal = move_points(goal, self.transform, seen.shape[-1] / seen.shape[-2])
            return (centroid(shape(seen)) - goal).abs().mean()

        target = torch.tensor([self.target]) if isinstance(self.target, tuple) else self.target
        return over_layers(state, self.tokens, target, of=lambda a: centroid(shape(a)), distance=distance)


@dataclass(frozen=True)
class Size:
    """Relative difference of the object's share of the frame from a target's times ``scale`` squared.

    Args:
        tokens: the object's token positions.
        scale: factor on the target's width and height.
        target: the reference's object by default; another image's; or a share of the frame in (0, 1].

    Raises:
        ValueError: a given share does not lie in (0, 1].
    """

    tolerance: ClassVar[float] = 0.05
    tokens: tuple[int, ...]
    scale: float = 1.0
    target: Image | float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.target, int | float) and not 0 < self.target <= 1:
            raise ValueError(f"a size is a share of the frame in (0, 1], got {self.target}")

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0; 1 means off by the target's own size."""

        def distance(seen: Tensor, goal: Tensor) -> Tensor:
            goal = goal * self.scale**2
            return ((size(seen) - goal).abs() / goal.clamp_min(EPS)).mean()

        target = torch.tensor([self.target]) if isinstance(self.target, int | float) else self.target
        return over_layers(state, self.tokens, target, of=size, distance=distance)


@dataclass(frozen=True)
class Absence:
    """Share of the object's attention that falls into a region where the object must no longer be.

    Args:
        tokens: the object's token positions.
        region: ``[1, 1, H, W]`` in [0, 1], of any size; averaged to each layer's.

    Raises:
        ValueError: the region has another shape.
    """

    tolerance: ClassVar[float] = 0.02
    tokens: tuple[int, ...]
    region: Tensor

    def __post_init__(self) -> None:
        require_map(self.region)

    def __call__(self, state: State) -> Tensor:
        """Scalar in [0, 1]."""
        shares: list[Tensor] = []
        for seen in state.seen.attention.values():
            a = object_attention(in_full(seen), self.tokens)
            weight = region_at(self.region, a)
            shares.append(((weight * a).sum((-2, -1)) / a.sum((-2, -1)).clamp_min(EPS)).mean())
        return torch.stack(shares).mean()
