"""Potted plants."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.glazing import wall
from examples.tabletop.solids import (
    Mesh,
    ball,
    curve,
    join,
    lathe,
    loft,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def plant(rng: np.random.Generator) -> Asset:
    """Make a plant in a painted pot: broad leaves, blades, a bush of small leaves, a cactus, or flowers."""
    radius, height = rng.uniform(0.035, 0.06), rng.uniform(0.05, 0.095)
    base = radius * rng.uniform(0.65, 0.95)
    line = np.linspace([base, 0], [radius, height], 8)
    if rng.random() < 0.5:
        line = np.concatenate(
            [
                line[:6],
                [(radius * 0.97, height * 0.76), (radius * 1.1, height * 0.765), (radius * 1.12, height)],
            ]
        )
    outside, inside = wall(line, 0.004, 0.8 * height, 0.003)
    finish: Finish = "matte" if rng.random() < 0.5 else "glossy"
    parts = [join([lathe(outside), lathe(inside)]).part(finish=finish, paint=True)]
    parts.append(
        lathe([(radius * 0.96, height * 0.86), (0, height * 0.9)], 40).part((0.2, 0.13, 0.08), "matte")
    )
    green = labels.rgb(np.array([0.22, 0.48, 0.16]) * rng.uniform(0.6, 1.2) * rng.uniform(0.85, 1.15, 3))
    kind = pick(rng, {"leaves": 3, "blades": 2, "bush": 2, "cactus": 1.5, "flowers": 1.5})
    size = rng.uniform(0.08, 0.15)
    if kind == "cactus":
        return asset(rng, "plant", [*parts, *_cactus(rng, radius, height, green)])
    count = {"leaves": 14, "blades": 16, "bush": 40, "flowers": 12}[kind]
    long = size * (0.45 if kind == "bush" else 1)
    broad = {"leaves": 0.55, "blades": 0.16, "bush": 0.6, "flowers": 0.4}[kind]
    steep = (0.8, 1.35) if kind == "blades" else (0.25, 1.0)
    lengths = long * rng.uniform(0.5, 0.9, 8)
    shapes = [_blade(length, broad * length, rng.uniform(*steep)) for length in lengths]
    blades = []
    for k in range(count):
        start = height * 0.88 if kind != "bush" else height + size * rng.uniform(-0.05, 0.55)
        blades.append(shapes[k % 8].turned(2, 2.4 * k + rng.uniform(-0.3, 0.3)).moved(z=start))
    parts.append(join(blades).part(green, "satin"))
    if kind == "bush":
        parts.append(
            tube([(0, 0, 0.8 * height), (0, 0, height + 0.6 * size)], 0.006, sides=8).part(
                (0.35, 0.25, 0.14), "matte"
            )
        )
    if kind == "flowers":
        parts += _flowers(rng, height, size, green)
    return asset(rng, "plant", parts)


def _blade(length: float, wide: float, rise: float) -> Mesh:
    """Return a leaf, both its sides, that rises from the origin at an angle and arches over towards +x."""
    t = np.linspace(0, 1, 10)
    angle = rise - 1.1 * t**1.5
    step = length / 9 * np.stack([np.cos(angle), np.sin(angle)], 1)
    at = np.concatenate([[(0.0, 0.0)], np.cumsum(step[:-1], 0)])
    half = wide / 2 * np.sin(math.pi * np.clip(0.04 + 0.96 * t, 0, 1) ** 0.85)
    middle = np.column_stack([at[:, 0], 0 * t, at[:, 1]])
    left, right = (middle + np.column_stack([0 * t, s * half, 0.2 * half]) for s in (1, -1))
    under = np.stack([left, middle, right]) - [0, 0, 0.0004]
    return join([loft(np.stack([right, middle, left]), closed=False), loft(under, closed=False)])


def _cactus(rng: np.random.Generator, radius: float, height: float, green: RGB) -> list[Part]:
    wide, tall = radius * rng.uniform(0.5, 0.8), rng.uniform(0.05, 0.13)
    ribs, turn = int(rng.integers(8, 13)), np.linspace(0, 2 * math.pi, 96, endpoint=False)
    wave = 1 + 0.09 * np.cos(ribs * turn)
    line = curve(
        [(wide * 0.8, 0), (wide, 0.3 * tall), (wide * 0.95, 0.8 * tall), (wide * 0.5, tall), (0.001, tall)],
        14,
    )
    rings = [
        np.column_stack([r * wave * np.cos(turn), r * wave * np.sin(turn), 0 * turn + z]) for r, z in line
    ]
    parts = [loft(np.stack(rings)).moved(z=height * 0.86).part(green, "matte")]
    if rng.random() < 0.5:
        bloom = [
            ball(0.007, 12)
            .scaled(1, 1, 1.3)
            .moved(0.4 * wide * math.cos(a), 0.4 * wide * math.sin(a), height * 0.86 + tall)
            for a in (0, 2, 4)
        ]
        parts.append(join(bloom).part((0.9, 0.3, 0.5), "satin"))
    return parts


def _flowers(rng: np.random.Generator, height: float, size: float, green: RGB) -> list[Part]:
    stems, petals, hearts = [], [], []
    for k in range(int(rng.integers(3, 8))):
        turn, away, tall = 2.4 * k, rng.uniform(0.1, 0.45) * size, size * rng.uniform(0.7, 1.1)
        tip = (away * math.cos(turn), away * math.sin(turn), height + tall)
        stems.append(
            tube(
                [(0, 0, height * 0.88), (0.5 * tip[0], 0.5 * tip[1], height + 0.6 * tall), tip],
                0.003,
                hint=(1, 0.3, 0),
                sides=6,
            )
        )
        for p in range(6):
            petal = (
                ball(0.012, 10).scaled(1, 0.6, 0.25).moved(0.012).turned(1, -0.3).turned(2, p * math.pi / 3)
            )
            petals.append(petal.moved(*tip))
        hearts.append(ball(0.006, 10).moved(tip[0], tip[1], tip[2] + 0.003))
    tone = labels.colour(rng)
    return [
        join(stems).part(green),
        join(petals).part(tone, "satin"),
        join(hearts).part((0.9, 0.7, 0.15), "matte"),
    ]
