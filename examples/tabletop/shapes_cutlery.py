"""Spoons, forks and knives."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset
from examples.tabletop.asset import RGB, Asset, Finish
from examples.tabletop.solids import (
    Mesh,
    join,
    loft,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def _stem(rng: np.random.Generator, length: float, wide: float) -> tuple[Mesh, bool]:
    """Return cutlery's handle from x = 0 to -length, and whether it is of another material than steel."""
    t = np.linspace(0, 1, 18)
    swell = np.interp(t, [0, 0.25, 0.9, 1], [0.45, 0.5, rng.uniform(0.8, 1.3), 0.7])
    arch = 0.004 + 0.006 * np.sin(math.pi * np.minimum(1, 1.3 * t)) * rng.uniform(0.5, 1)
    path = np.column_stack([-length * t, 0 * t, arch])
    grip = rng.random() < 0.35
    thick = np.interp(t, [0, 0.3, 1], [0.0025, 0.009, 0.01]) if grip else np.full(18, 0.0028)
    return tube(path, wide * swell, thick, square=3), grip


def _cutlery(rng: np.random.Generator, noun: str, head: Mesh, stem: Mesh, grip: bool) -> Asset:
    finish: Finish = "metal" if rng.random() < 0.75 else "satin"
    if grip and rng.random() < 0.7:
        return asset(
            rng, noun, [head.part(labels.steel(rng), "metal"), stem.part(finish="satin", paint=True)]
        )
    return asset(rng, noun, [Mesh(m.vertices, m.faces).part(finish=finish, paint=True) for m in (head, stem)])


def spoon(rng: np.random.Generator) -> Asset:
    """Make a spoon: an oval hollow bowl on an arched stem, of metal, plastic or wood."""
    length, wide = rng.uniform(0.05, 0.07), rng.uniform(0.034, 0.046)
    deep = rng.uniform(0.006, 0.011)
    turn = np.linspace(0, 2 * math.pi, 36, endpoint=False)
    pear = 1 + 0.12 * np.cos(turn)
    rings = []
    levels = [
        (0.0, -deep),
        (0.5, -0.8 * deep),
        (0.85, -0.4 * deep),
        (1.0, 0),
        (0.95, 0),
        (0.8, -0.35 * deep),
        (0.45, -0.7 * deep),
        (0.0, -0.88 * deep),
    ]
    for k, z in levels:
        rings.append(
            np.column_stack([k * length / 2 * np.cos(turn), k * wide / 2 * np.sin(turn) * pear, 0 * turn + z])
        )
    head = loft(np.stack(rings)).moved(length / 2 - 0.004, 0, deep + 0.001)
    stem, grip = _stem(rng, rng.uniform(0.1, 0.14), rng.uniform(0.012, 0.017))
    return _cutlery(rng, "spoon", head, stem.moved(z=deep - 0.004), grip)


def fork(rng: np.random.Generator) -> Asset:
    """Make a fork: three or four tines on a neck that widens into a root."""
    count, wide, tine = int(rng.choice([3, 4, 4])), rng.uniform(0.022, 0.028), rng.uniform(0.035, 0.05)
    t = np.linspace(0, 1, 8)
    root = tube(
        np.column_stack([0.024 * t - 0.004, 0 * t, 0.004 - 0.002 * np.sin(math.pi * t)]),
        np.interp(t, [0, 0.4, 1], [0.008, 0.7 * wide, wide]),
        0.0025,
        square=3,
    )
    meshes = [root]
    for y in np.linspace(-1, 1, count) * (wide / 2 - 0.0022):
        bend = 0.004 - 0.003 * np.sin(math.pi * 0.9 * t) + 0.004 * t**2
        path = np.column_stack([0.018 + tine * t, 0 * t + y, bend])
        meshes.append(tube(path, np.interp(t, [0, 0.7, 1], [0.004, 0.0035, 0.0012]), 0.0022, sides=8))
    stem, grip = _stem(rng, rng.uniform(0.1, 0.13), rng.uniform(0.012, 0.017))
    return _cutlery(rng, "fork", join(meshes), stem, grip)


def knife(rng: np.random.Generator) -> Asset:
    """Make a knife: a table or kitchen knife, its blade flat on the table."""
    length, wide = rng.uniform(0.09, 0.16), rng.uniform(0.018, 0.036)
    t = np.linspace(0, 1, 20)
    edge = -wide * (0.5 + 0.5 * np.minimum(1, (1 - t) / 0.25) ** 0.5) + 0.5 * wide
    back = np.full(20, 0.5 * wide) - wide * rng.uniform(0.1, 0.9) * np.maximum(0, (t - 0.7) / 0.3) ** 2
    back = np.maximum(back, edge + 0.001)
    x = length * t
    thick = 0.0016
    rings = np.stack(
        [
            np.column_stack([x, edge, np.full(20, 0.001 + thick / 2)]),
            np.column_stack([x, back, np.full(20, 0.001)]),
            np.column_stack([x, back, np.full(20, 0.001 + thick)]),
        ],
        1,
    )
    blade = loft(rings, caps=True).moved(0, 0, 0.004)
    hilt = rng.uniform(0.085, 0.12)
    s = np.linspace(0, 1, 14)
    swell = np.interp(s, [0, 0.15, 0.5, 0.9, 1], [0.75, 0.9, 0.8, 1.0, 0.7]) * min(wide, 0.026)
    path = np.column_stack([0.004 - hilt * s, 0 * s, np.full(14, 0.006)])
    handle = tube(path, swell, 0.011, square=3)
    parts = [blade.part(labels.steel(rng), "metal"), handle.part(finish="satin", paint=True)]
    return asset(rng, "knife", parts)
