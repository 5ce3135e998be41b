"""How parts become an asset, and how kinds are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from examples.tabletop.asset import Asset, Part
from examples.tabletop.solids import Mesh


def pick(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """Draw a key with a probability in proportion to its weight."""
    share = np.array(list(weights.values()), float)
    return list(weights)[rng.choice(len(share), p=share / share.sum())]


def turned(parts: Sequence[Part], axis: int, angle: float) -> list[Part]:
    """Turn parts about an axis (0, 1, 2 for x, y, z) through the origin, radians."""
    return [replace(p, vertices=Mesh(p.vertices, p.faces).turned(axis, angle).vertices) for p in parts]


def moved(parts: Sequence[Part], x: float = 0.0, y: float = 0.0, z: float = 0.0) -> list[Part]:
    """Shift parts."""
    return [replace(p, vertices=p.vertices + np.array([x, y, z])) for p in parts]


def asset(rng: np.random.Generator, noun: str, parts: Sequence[Part], colour: str | None = None) -> Asset:
    """Stand parts on z = 0 with their box centred on the origin, under a name of their own."""
    return Asset(f"{noun} {rng.integers(1 << 32):08x}", noun, tuple(stood(parts)), colour)


def stood(parts: Sequence[Part]) -> list[Part]:
    """Parts shifted so that they stand on z = 0, their box centred on the origin."""
    every = np.concatenate([part.vertices for part in parts])
    low, high = every.min(0), every.max(0)
    return moved(parts, -(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2])


def laid(thing: Asset, rng: np.random.Generator) -> Asset:
    """The same thing fallen over: on one of its four sides."""
    spun = turned(thing.parts, 2, rng.integers(4) * np.pi / 2)
    parts = stood(turned(spun, 0, rng.choice([-1, 1]) * np.pi / 2))
    return replace(thing, name=f"{thing.name} laid {rng.integers(1 << 32):08x}", parts=tuple(parts))
