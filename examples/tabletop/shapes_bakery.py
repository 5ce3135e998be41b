"""Donuts, bread and cakes."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick
from examples.tabletop.asset import RGB, Asset, Part
from examples.tabletop.organic import skin, warped
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


def donut(rng: np.random.Generator) -> Asset:
    """Make a donut: a ring of dough with icing that takes the colour, and mostly sprinkles."""
    big, small = rng.uniform(0.028, 0.036), rng.uniform(0.015, 0.019)
    turn, side = np.linspace(0, 2 * math.pi, 49)[:-1], np.linspace(0, 2 * math.pi, 25)
    flat = rng.uniform(0.75, 0.95)

    def ring(angles: np.ndarray, size: float, edge: np.ndarray) -> np.ndarray:
        a = angles[:, None] * edge[None] + (1 - edge[None]) * math.pi / 2
        away = big + size * np.cos(a)
        return np.stack([away * np.cos(turn), away * np.sin(turn), size * flat * np.sin(a)], -1)

    plain = np.ones(48)
    dough = loft(ring(side, small, plain))
    drips = 1 + rng.uniform(0.05, 0.16) * np.sin(int(rng.integers(5, 9)) * turn + rng.uniform(0, 6))
    icing = loft(ring(np.linspace(-0.12, math.pi + 0.12, 16), small + 0.0014, drips))
    parts = [dough.part((0.75, 0.5, 0.25), "matte"), icing.part(finish="glossy", paint=True)]
    if rng.random() < 0.65:
        parts += _sprinkles(rng, big, small, flat)
    return asset(rng, "donut", parts)


def _sprinkles(rng: np.random.Generator, big: float, small: float, flat: float) -> list[Part]:
    groups: list[list[Mesh]] = [[], [], []]
    grain = ball(0.0011, 6).scaled(2.8, 1, 1)
    for k in range(45):
        a, turn, size = rng.uniform(0.35, math.pi - 0.35), rng.uniform(0, 2 * math.pi), small + 0.0018
        at = (
            (big + size * math.cos(a)) * math.cos(turn),
            (big + size * math.cos(a)) * math.sin(turn),
            flat * size * math.sin(a),
        )
        groups[k % 3].append(grain.turned(2, rng.uniform(0, math.pi)).moved(*at))
    return [
        join(group).part(labels.colour(rng) if k else labels.light(rng), "satin")
        for k, group in enumerate(groups)
    ]


def bread(rng: np.random.Generator) -> Asset:
    """Make bread: a tin loaf, a round or long loaf with cuts, or a baguette."""
    kind = pick(rng, {"tin": 2, "round": 2, "long": 2, "baguette": 1})
    crust = labels.rgb(np.array([0.66, 0.4, 0.18]) * rng.uniform(0.75, 1.15))
    texture = skin(rng, 0.3)
    if kind == "tin":
        return asset(rng, "bread", _tin_loaf(rng, crust), "brown" if sum(crust) < 1.3 else None)
    length, wide = {"round": (0.17, 0.16), "long": (0.22, 0.11), "baguette": (0.3, 0.06)}[kind]
    length, wide = length * rng.uniform(0.85, 1.05), wide * rng.uniform(0.85, 1.1)
    tall = min(wide, 0.12) * rng.uniform(0.45, 0.62)
    body = ball(0.5, 40, uv=True)
    power = 0.75 if kind != "round" else 0.95
    v = np.sign(body.vertices) * np.abs(2 * body.vertices) ** [power, 1, 1] / 2 * [length, wide, 2 * tall]
    v[:, 2] = np.where(v[:, 2] < 0, v[:, 2] * 0.25, v[:, 2])
    loaf = warped(rng, Mesh(v, body.faces, body.uv), 0.012)
    parts = [loaf.part(crust, "matte", texture=texture)]
    cuts = []
    for x in np.linspace(-0.3, 0.3, int(rng.integers(3, 6)) if kind != "round" else 3) * length:
        across = np.linspace(-0.3, 0.3, 9) * wide
        run = x + across * (0.9 if kind != "round" else 0.0)
        up = tall * np.sqrt(
            np.maximum(0, 1 - (2 * np.abs(run) / length) ** (2 / power) - (2 * across / wide) ** 2)
        )
        width = (0.014 if kind == "baguette" else 0.018) * np.sin(np.linspace(0.15, math.pi - 0.15, 9))
        cuts.append(tube(np.column_stack([run, across, up - 0.0005]), width, 0.005, hint=(1, 0, 0), sides=8))
    parts.append(join(cuts).part((0.87, 0.72, 0.48), "matte"))
    return asset(rng, "bread", parts, "brown" if sum(crust) < 1.3 else None)


def _tin_loaf(rng: np.random.Generator, crust: RGB) -> list[Part]:
    length, wide, tall = rng.uniform(0.13, 0.22), rng.uniform(0.085, 0.11), rng.uniform(0.085, 0.12)
    half = wide / 2
    section = [
        (-0.44 * wide, 0),
        (0.44 * wide, 0),
        (half, 0.1 * tall),
        (half * 0.98, 0.58 * tall),
        (half * 1.12, 0.66 * tall),
    ]
    section += [
        (half * 1.1, 0.85 * tall),
        (0.5 * half, tall),
        (-0.5 * half, tall),
        (-half * 1.1, 0.85 * tall),
    ]
    section += [
        (-half * 1.12, 0.66 * tall),
        (-half * 0.98, 0.58 * tall),
        (-half, 0.1 * tall),
        (-0.44 * wide, 0),
    ]
    outline = curve(section, 41, 2)[:-1]
    sliced = rng.random() < 0.6
    t = np.linspace(0, 1, 9)
    sizes = (
        np.interp(t, [0, 0.06, 1], [0.9, 1.0, 1.0])
        if sliced
        else np.interp(t, [0, 0.06, 0.94, 1], [0.9, 1, 1, 0.9])
    )
    middle = np.array([0, 0.5 * tall])
    rings = [
        np.column_stack([np.full(40, length * s), (outline - middle) * k + middle])
        for s, k in zip(t, sizes, strict=True)
    ]
    loaf = loft(np.stack(rings), caps=True, uv=True)
    parts = [loaf.part(crust, "matte", texture=skin(rng, 0.25))]
    if sliced:
        face = np.column_stack([np.full(40, length + 0.0006), (outline - middle) * 0.94 + middle])
        centre = np.broadcast_to(face.mean(0), face.shape)
        cut = loft(np.stack([face, centre]), uv=True)
        parts.append(cut.part((0.93, 0.84, 0.66), "matte", texture=labels.speckle(rng, 0.3)))
        for k in range(int(rng.integers(0, 3))):
            slice_ = loft(np.stack([rings[4] * [0, 1, 1], rings[4] * [0, 1, 1] + [0.012, 0, 0]]), caps=True)
            lean = slice_.turned(1, 0.25 + 0.3 * k).moved(length + 0.014 + 0.03 * k)
            parts.append(lean.part((0.9, 0.8, 0.6), "matte"))
    return parts


def cake(rng: np.random.Generator) -> Asset:
    """Make a cake: round with icing and toppings, a slice that shows its layers, or a cupcake."""
    kind = pick(rng, {"round": 3, "slice": 2, "cupcake": 2})
    sponge: RGB = (0.85, 0.65, 0.35) if rng.random() < 0.5 else (0.3, 0.16, 0.08)
    if kind == "cupcake":
        return asset(rng, "cake", _cupcake(rng, sponge))
    radius, height = rng.uniform(0.06, 0.11), rng.uniform(0.05, 0.085)
    turn = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    if kind == "slice":
        return asset(rng, "cake", _slice(rng, radius, height, sponge))
    edge = 0.008
    body = lathe([*curve([(radius, 0), (radius, height), (radius * 0.9, height)], 12), (0, height)], 64)
    parts = [body.part(finish="satin", paint=True)]
    tone = labels.print_on(rng)
    count = int(rng.integers(10, 18))
    puffs = [
        lathe([(edge, 0), (edge * 0.95, edge * 0.6), (edge * 0.4, edge * 1.2), (0, edge * 1.5)], 14).moved(
            (radius - edge) * math.cos(a), (radius - edge) * math.sin(a), height - 0.001
        )
        for a in 2 * math.pi * np.arange(count) / count
    ]
    if rng.random() < 0.75:
        parts.append(join(puffs).part(tone, "satin"))
    if rng.random() < 0.5:
        cherries = [
            ball(0.009, 16).moved(0.6 * radius * math.cos(a), 0.6 * radius * math.sin(a), height + 0.007)
            for a in turn[:: 64 // 8]
        ]
        parts.append(join(cherries).part((0.7, 0.04, 0.07), "glossy"))
    if rng.random() < 0.3:
        parts += _birthday(rng, radius, height)
    base = lathe([(0, -0.004), (radius * 1.18, -0.003), (radius * 1.2, 0), (0, 0)], 56)
    if rng.random() < 0.6:
        parts.append(base.part(labels.light(rng), "glossy"))
    return asset(rng, "cake", parts)


def _birthday(rng: np.random.Generator, radius: float, height: float) -> list[Part]:
    count = int(rng.integers(3, 8))
    at = [
        (0.4 * radius * math.cos(a), 0.4 * radius * math.sin(a))
        for a in 2 * math.pi * np.arange(count) / count
    ]
    sticks = [tube([(x, y, height - 0.002), (x, y, height + 0.045)], 0.005, sides=8).moved() for x, y in at]
    flames = [ball(0.004, 8).scaled(0.8, 0.8, 1.9).moved(x, y, height + 0.053) for x, y in at]
    return [join(sticks).part(labels.colour(rng), "satin"), join(flames).part((1.0, 0.8, 0.3), "matte")]


def _slice(rng: np.random.Generator, radius: float, height: float, sponge: RGB) -> list[Part]:
    half = rng.uniform(0.3, 0.45)
    turn = np.linspace(-half, half, 12)
    outline = np.concatenate([[(0.0, 0.0)], 1.5 * radius * np.stack([np.cos(turn), np.sin(turn)], 1)])
    layers = int(rng.integers(2, 4))
    parts: list[Part] = []
    step = height / layers
    filling = labels.light(rng) if rng.random() < 0.5 else (0.6, 0.06, 0.12)
    for k in range(layers):
        for low, high, tone in (
            (k * step, (k + 0.75) * step, sponge),
            ((k + 0.75) * step, (k + 1) * step, filling),
        ):
            rings = np.stack([np.column_stack([outline, np.full(13, z)]) for z in (low, high)])
            top = k == layers - 1 and tone is filling
            layer = loft(rings, caps=True)
            parts.append(layer.part(tone, "matte", paint=top))
    back = np.column_stack([1.502 * radius * np.cos(turn), 1.502 * radius * np.sin(turn), 0 * turn])
    parts.append(
        loft(np.stack([back, back + np.array([0, 0, height])]), closed=False).part(finish="satin", paint=True)
    )
    if rng.random() < 0.7:
        berry = lathe(curve([(0, 0), (0.013, 0.002), (0.011, 0.014), (0, 0.024)], 12), 24).moved(
            1.15 * radius, 0, height - 0.001
        )
        parts.append(berry.part((0.75, 0.06, 0.06), "glossy"))
    return parts


def _cupcake(rng: np.random.Generator, sponge: RGB) -> list[Part]:
    radius, height = rng.uniform(0.03, 0.036), rng.uniform(0.035, 0.042)
    turn = np.linspace(0, 2 * math.pi, 96, endpoint=False)
    pleat = 1 + 0.025 * np.sign(np.cos(24 * turn))
    rings = [
        np.column_stack([r * pleat * np.cos(turn), r * pleat * np.sin(turn), 0 * turn + z])
        for r, z in ((0.72 * radius, 0), (radius, height))
    ]
    paper = loft(np.stack(rings))
    parts = [
        paper.part(labels.colour(rng) if rng.random() < 0.5 else labels.light(rng), "matte", smooth=False)
    ]
    parts.append(
        lathe(
            curve([(radius, height - 0.002), (radius * 1.05, height + 0.006), (0, height + 0.01)], 10), 40
        ).part(sponge, "matte")
    )
    t = np.linspace(0, 1, 90)
    away = radius * 0.72 * (1 - t) ** 0.8
    path = np.column_stack([away * np.cos(20 * t), away * np.sin(20 * t), height + 0.008 + 0.032 * t])
    cream = tube(path, 0.018 * (1 - t) + 0.004, hint=(0, 0, 1), sides=10)
    parts.append(cream.part(finish="satin", paint=True))
    if rng.random() < 0.4:
        parts.append(ball(0.009, 20).moved(z=height + 0.046).part((0.7, 0.04, 0.07), "glossy"))
    return parts
