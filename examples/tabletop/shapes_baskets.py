"""Baskets of wicker or wire, and trays."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.solids import (
    Mesh,
    Turned,
    ball,
    curve,
    join,
    loft,
    rectangle,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def _woven(rng: np.random.Generator, profile: np.ndarray, square: float, flat: float) -> tuple[Mesh, Mesh]:
    """Return the outside and the inside of wickerwork: strands that bulge out and in by turns."""
    rows, around = len(profile), int(rng.integers(14, 24)) * 2
    angle = np.linspace(0, 2 * math.pi, around * 2, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    size = (np.abs(c) ** square + np.abs(s) ** square) ** (1 / square)
    bulge = 0.0022 * np.cos(angle[None] * around / 2 + math.pi * np.arange(rows)[:, None])
    meshes = []
    for inset, order in ((0.0, 1), (0.0035, -1)):
        r = profile[:, :1] - inset + bulge
        rings = np.stack([r * c / size, flat * r * s / size, np.broadcast_to(profile[:, 1:], r.shape)], -1)
        meshes.append(loft(rings[::order], uv=True))
    return meshes[0], meshes[1]


def basket(rng: np.random.Generator) -> Asset:
    """Make a basket: wicker, round, oval or square, with an arched handle, two ears or none; or of wire."""
    radius, height = rng.uniform(0.07, 0.13), rng.uniform(0.06, 0.13)
    base = radius * rng.uniform(0.68, 0.95)
    square, flat = (
        (rng.uniform(3, 6), rng.uniform(0.6, 1))
        if rng.random() < 0.35
        else (2.0, rng.choice([1.0, 1.0, 0.75]))
    )
    if rng.random() < 0.2:
        return _wire_basket(rng, radius, base, height)
    belly = rng.uniform(0.0, 0.1) * radius
    rows = round(height / rng.uniform(0.0075, 0.011))
    t = np.linspace(0, 1, rows)
    line = np.column_stack([base + (radius - base) * t + belly * np.sin(math.pi * t), t * height])
    outside, inside = _woven(rng, line, square, flat)
    image = labels.weave(rng, int(rng.integers(20, 34)), rows - 1)
    floor = Turned(np.array([(base - 0.002, 0.004), (0, 0.004)]), square, flat).mesh(40)
    parts = [part.part(finish="matte", paint=True, texture=image) for part in (outside, inside)]
    parts.append(floor.part(finish="matte", paint=True))
    turn = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    c, s = np.cos(turn), np.sin(turn)
    size = (np.abs(c) ** square + np.abs(s) ** square) ** (1 / square)
    for r, z in ((radius - 0.001, height), (base, 0.003)):
        wave = 0.0012 * np.sin(turn * 24)
        ring = np.column_stack([r * c / size, flat * r * s / size, z + wave])
        parts.append(
            tube(ring, 0.007, 0.009, hint=(0, 0, 1), sides=8, closed=True).part(finish="matte", paint=True)
        )
    kind = pick(rng, {"arch": 3, "ears": 2, "none": 2})
    if kind == "arch":
        arc = np.linspace(0, math.pi, 28)
        tall = rng.uniform(0.8, 1.2) * radius
        path = np.column_stack([(radius - 0.002) * np.cos(arc), 0 * arc, height - 0.015 + tall * np.sin(arc)])
        parts.append(tube(path, 0.012, 0.007, square=3).part(finish="matte", paint=True))
    elif kind == "ears":
        arc = np.linspace(0, math.pi, 16)
        for side in (-1, 1):
            path = np.column_stack(
                [0 * arc + side * (radius - 0.002), 0.028 * np.cos(arc), height - 0.004 + 0.035 * np.sin(arc)]
            )
            parts.append(tube(path, 0.008, hint=(1, 0, 0)).part(finish="matte", paint=True))
    if rng.random() < 0.2:
        parts.append(_heap(rng, 0.75 * base * min(1.0, flat), 0.55 * height))
    return asset(rng, "basket", parts)


def _heap(rng: np.random.Generator, radius: float, height: float) -> Part:
    size = rng.uniform(0.026, 0.032)
    balls = [
        ball(size, 16).moved(radius * 0.6 * math.cos(2.4 * k), radius * 0.6 * math.sin(2.4 * k), height)
        for k in range(5)
    ]
    tones: list[RGB] = [(0.75, 0.1, 0.08), (0.93, 0.55, 0.1), (0.55, 0.65, 0.15), (0.85, 0.75, 0.6)]
    return join(balls).part(tones[rng.integers(4)], "satin")


def _wire_basket(rng: np.random.Generator, radius: float, base: float, height: float) -> Asset:
    turn = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    meshes = []
    for t in np.linspace(0, 1, int(rng.integers(3, 6))):
        r = base + (radius - base) * t
        ring = np.column_stack([r * np.cos(turn), r * np.sin(turn), 0 * turn + 0.002 + t * height])
        meshes.append(tube(ring, 0.005 if t == 1 else 0.003, hint=(0, 0, 1), sides=6, closed=True))
    count = int(rng.integers(16, 28))
    for a in 2 * math.pi * np.arange(count) / count:
        side = np.array([math.cos(a), math.sin(a)])
        path = [(*(0.1 * base * side), 0.002), (*(base * side), 0.002), (*(radius * side), height)]
        meshes.append(tube(curve(path, 7, 2), 0.003, hint=(-side[1], side[0], 0), sides=5))
    finish: Finish = "metal" if rng.random() < 0.5 else "satin"
    return asset(rng, "basket", [join(meshes).part(finish=finish, paint=True)])


def tray(rng: np.random.Generator) -> Asset:
    """Make a tray: a flat rectangle, oval or disc with a raised edge, with or without handles."""
    width = rng.uniform(0.2, 0.29)
    depth = width * rng.uniform(0.55, 0.8) if rng.random() < 0.75 else width
    height, thick = rng.uniform(0.012, 0.035), rng.uniform(0.0025, 0.007)
    radius = rng.choice([0.004, 0.02, 0.05, depth / 2])
    slope = rng.uniform(0.0, 0.5) * height
    levels = [(slope, 0.0), (0.0, height), (thick, height), (thick + slope, thick)]
    rings = []
    for inset, z in levels:
        outline = rectangle(width - 2 * inset, depth - 2 * inset, max(radius - inset, 0.002), 7)
        rings.append(np.column_stack([outline, np.full(len(outline), z)]))
    shell = loft(np.stack(rings), caps=True)
    size = np.array([width, depth])
    wooden = rng.random() < 0.35
    flat_uv = Mesh(shell.vertices, shell.faces, shell.vertices[:, :2] / size.max() + 0.5)
    finish: Finish = "matte" if wooden else ("metal" if rng.random() < 0.2 else "satin")
    parts = [flat_uv.part(finish=finish, paint=True, texture=labels.wood(rng) if wooden else None)]
    if rng.random() < 0.45:
        rise = [(0, -0.04, height - 0.002), (0.012, -0.04, height + 0.022)]
        path = curve([*rise, *((x, -y, z) for x, y, z in rise[::-1])], 16)
        bar = tube(path + np.array([width / 2 - thick / 2, 0, 0]), 0.007, hint=(1, 0, 0))
        both = join([bar, bar.scaled(-1, 1, 1)])
        parts.append(both.part(labels.steel(rng), "metal", paint=rng.random() < 0.5))
    return asset(rng, "tray", parts)
