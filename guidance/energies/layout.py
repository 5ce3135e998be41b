"""Layout: where an object is, how large it is and which shape it has.

**Convention:** transforms and places as in :mod:`guidance.warp`: (x, y) in [0, 1] of the frame, x right,
y down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from guidance.energies.target import Image, in_full, over_layers, region_at, require_map, resized
from guidance.properties import centroid, object_attention, shape, size
from guidance.terms import State
from guidance.warp import Transform, move_points, warp_objects


@dataclass(frozen=True)
class Shape:
    r"""The object's shape against a target's, moved, scaled and rotated about its own centroid.

    .. math:: g = \frac{1}{|\Omega|} \sum |\hat A - T \hat A^*| \qquad \text{or, relative,} \qquad
        g = \frac{\sum |\hat A - T \hat A^*|}{2 \sum T \hat A^*}

    Args:
        tokens: the object's.
        transform: what is done to the target before it is compared.
        target: the reference's shape by default; a second image's object; or a mask ``[1, 1, H, W]`` in
            [0, 1] of any size.
        relative: to the target's area rather than the frame's: a small object's shape then counts as much as
            a large one's, and an object of the target's size that shares nothing with it is at 1.

    Raises:
        ValueError: the mask has another shape.
    """

    tokens: tuple[int, ...]
    transform: Transform = Transform()  # noqa: RUF009 - frozen
    target: Image | Tensor | None = None
    relative: bool = False

    @property
    def tolerance(self) -> float:
        """The energy at which the shape counts as reached."""
        return 0.2 if self.relative else 0.02

    def __post_init__(self) -> None:
        if isinstance(self.target, Tensor):
            require_map(self.target)

    def __call__(self, state: State) -> Tensor:
        """Scalar in [0, 1]; relative, >= 0."""

        def distance(seen: Tensor, goal: Tensor) -> Tensor:
            goal = resized(goal, (seen.shape[1], seen.shape[2]))
            if given is not None:  # a shape's largest value is 1, also where a thin mask is averaged away
                goal = goal / goal.amax().clamp_min(1e-6)
            goal = warp_objects(goal, self.transform, centroid(goal))
            difference = (shape(seen) - goal).abs().mean()
            return difference / (2 * goal.mean()).clamp_min(1e-3) if self.relative else difference

        given = self.target[0] if isinstance(self.target, Tensor) else None
        target = self.target if given is None else given
        return over_layers(state, self.tokens, target, shape, distance)


@dataclass(frozen=True)
class Centroid:
    """The object's centre of mass against a target's, moved; a fraction of the frame.

    Args:
        tokens: the object's.
        transform: what is done to the target before it is compared.
        target: the reference's by default; a second image's object; or a place (x, y) in [0, 1].
    """

    tolerance: ClassVar[float] = 0.01
    tokens: tuple[int, ...]
    transform: Transform = Transform()  # noqa: RUF009 - frozen
    target: Image | tuple[float, float] | None = None

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0."""

        def distance(seen: Tensor, goal: Tensor) -> Tensor:
            goal = move_points(goal, self.transform, seen.shape[-1] / seen.shape[-2])
            return (centroid(shape(seen)) - goal).abs().mean()

        target = torch.tensor([self.target]) if isinstance(self.target, tuple) else self.target
        return over_layers(state, self.tokens, target, lambda a: centroid(shape(a)), distance)


@dataclass(frozen=True)
class Size:
    """The object's share of the frame against a target's times ``scale`` squared, as a share of that.

    Args:
        tokens: the object's.
        scale: of lengths.
        target: the reference's by default; a second image's object; or a share of the frame in (0, 1].

    Raises:
        ValueError: a given share is none.
    """

    tolerance: ClassVar[float] = 0.05
    tokens: tuple[int, ...]
    scale: float = 1.0
    target: Image | float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.target, int | float) and not 0 < self.target <= 1:
            raise ValueError(f"a size is a share of the frame in (0, 1], got {self.target}")

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0; 1 means off by the target itself."""

        def distance(seen: Tensor, goal: Tensor) -> Tensor:
            goal = goal * self.scale**2
            return ((size(seen) - goal).abs() / goal.clamp_min(1e-6)).mean()

        target = torch.tensor([self.target]) if isinstance(self.target, int | float) else self.target
        return over_layers(state, self.tokens, target, size, distance)


@dataclass(frozen=True)
class Absence:
    """The share of the object's attention that falls into a region where it must no longer be.

    Args:
        tokens: the object's.
        region: ``[1, 1, H, W]`` in [0, 1], of any size; averaged down to each layer's.
    """

    tolerance: ClassVar[float] = 0.02
    tokens: tuple[int, ...]
    region: Tensor

    def __post_init__(self) -> None:
        require_map(self.region)

    def __call__(self, state: State) -> Tensor:
        """Scalar in [0, 1]."""
        shares = []
        for seen in state.seen.attention.values():
            a = object_attention(in_full(seen), self.tokens)
            weight = region_at(self.region, a)
            shares.append(((weight * a).sum((-2, -1)) / a.sum((-2, -1)).clamp_min(1e-6)).mean())
        return torch.stack(shares).mean()
