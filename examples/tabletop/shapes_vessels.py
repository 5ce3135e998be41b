"""Vases, glasses, teapots and pitchers."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.glazing import GLAZES, bands, glazed, loop, wall
from examples.tabletop.solids import (
    Mesh,
    Points,
    Turned,
    ball,
    curve,
    join,
    lathe,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def vase(rng: np.random.Generator) -> Asset:
    """Make a vase: bellied, bottle-like, a flared cylinder, sometimes square; open at the top."""
    height = rng.uniform(0.13, 0.29)
    wide = height * rng.uniform(0.2, 0.42)
    base, neck, lip = (
        wide * rng.uniform(0.45, 0.85),
        wide * rng.uniform(0.25, 0.7),
        wide * rng.uniform(0.4, 0.95),
    )
    at = rng.uniform(0.25, 0.6)
    kind = pick(rng, {"belly": 3, "flared": 1, "tall": 1})
    if kind == "belly":
        points = [
            (base, 0),
            (wide, at * 0.6 * height),
            (wide, at * height),
            (neck, 0.85 * height),
            (lip, height),
        ]
    elif kind == "flared":
        points = [(base, 0), (base, 0.3 * height), (neck + 0.01, 0.6 * height), (wide, height)]
    else:
        points = [(base * 0.8, 0), (base * 0.85, 0.1 * height), (base, 0.6 * height), (base * 1.05, height)]
    line = curve(points, 22)
    outside, inside = wall(line, rng.uniform(0.003, 0.006), 0.5 * height)
    square = rng.uniform(3, 6) if rng.random() < 0.12 else 2.0
    parts = glazed(rng, Turned(outside, square).mesh(uv=True), Turned(inside, square).mesh(40), inner=0.8)
    parts += bands(rng, Turned(line, square), 0.2 * height, 0.9 * height)
    return asset(rng, "vase", parts)


def glass(rng: np.random.Generator) -> Asset:
    """Make a tumbler: clear or tinted glass, mostly with a drink in it."""
    radius, height = rng.uniform(0.03, 0.043), rng.uniform(0.08, 0.15)
    base = radius * rng.uniform(0.7, 1.0)
    line = curve(
        [(base - 0.002, 0), (base, 0), (base, 0.006), ((base + radius) / 2, 0.5 * height), (radius, height)],
        10,
    )
    outside, inside = wall(line, 0.0022, rng.uniform(0.006, 0.015))
    facets = int(rng.integers(8, 13)) if rng.random() < 0.2 else 48
    parts = [join([lathe(outside, facets), lathe(inside, facets)]).part(finish="glass", paint=True)]
    if rng.random() < 0.65:
        parts.append(poured(rng, inside, height * rng.uniform(0.45, 0.85)))
    return asset(rng, "glass", parts)


def poured(rng: np.random.Generator, inside: np.ndarray, level: float) -> Part:
    """Fill a vessel's inside profile (running down) up to a height: with its own colour, milk or water."""
    line = inside[inside[:, 1] < level][::-1] * [0.985, 1.0] + [0, 0.0004]
    line = np.concatenate([line, [[line[-1, 0], level], [0.0, level]]])
    tone = (0.95, 0.94, 0.9) if rng.random() < 0.3 else (0.78, 0.84, 0.87)
    return lathe(line, 40).part(tone, "glossy", paint=rng.random() < 0.6)


def wine_glass(rng: np.random.Generator) -> Asset:
    """Make a glass on a stem, often with wine."""
    height, radius = rng.uniform(0.16, 0.23), rng.uniform(0.032, 0.046)
    stem, foot = height * rng.uniform(0.38, 0.5), radius * rng.uniform(0.8, 1.0)
    flute = rng.random() < 0.2
    wide, lip = (radius * 0.65, radius * 0.6) if flute else (radius, radius * rng.uniform(0.7, 0.95))
    bowl_line = [
        (0.004, stem),
        (wide * 0.8, stem + 0.008),
        (wide, stem + 0.35 * (height - stem)),
        (lip, height),
    ]
    line = np.concatenate(
        [
            [(0.0, 0.0), (foot, 0.0), (foot, 0.002), (foot * 0.5, 0.004)],
            curve(
                [
                    (foot * 0.3, 0.005),
                    (0.0045, 0.01),
                    (0.0035, 0.03),
                    (0.0035, stem - 0.01),
                    (0.005, stem - 0.002),
                ],
                8,
            ),
            curve(bowl_line, 16)[1:],
        ]
    )
    inner = curve(bowl_line, 16)[::-1] - [0.0012, 0]
    inner = np.concatenate([inner[inner[:, 0] > 0.006], [(0.0, stem + 0.004)]])
    parts = [join([lathe(line, 48), lathe(inner, 48)]).part(finish="glass", paint=True)]
    if rng.random() < 0.7:
        parts.append(poured(rng, inner, stem + (height - stem) * rng.uniform(0.3, 0.55)))
    return asset(rng, "wine glass", parts)


def spout(path: Points, thick: tuple[float, float]) -> Mesh:
    """Return a tapering pipe along a path of (x, z)."""
    line = curve(path, 14)
    return tube(np.column_stack([line[:, 0], np.zeros(14), line[:, 1]]), np.linspace(*thick, 14), sides=16)


def teapot(rng: np.random.Generator) -> Asset:
    """Make a teapot: a bellied body with a lid, a spout and a handle at its side or over it."""
    radius, height = rng.uniform(0.05, 0.075), rng.uniform(0.08, 0.13)
    base, neck = radius * rng.uniform(0.55, 0.85), radius * rng.uniform(0.4, 0.65)
    at = rng.uniform(0.3, 0.6)
    line = curve([(base, 0), (radius, at * 0.5 * height), (radius, (at + 0.2) * height), (neck, height)], 16)
    body = Turned(line)
    top = height + neck * rng.uniform(0.15, 0.6)
    lid = curve([(neck + 0.001, height - 0.001), (neck, height + 0.003), (neck * 0.5, top), (0, top)], 10)
    finish: Finish = "metal" if rng.random() < 0.12 else GLAZES[rng.integers(len(GLAZES))]
    knob = ball(rng.uniform(0.007, 0.012), 20).moved(z=top + 0.006)
    low, tip = height * rng.uniform(0.2, 0.4), height * rng.uniform(0.9, 1.1)
    out = radius + rng.uniform(0.03, 0.045)
    path = [(-radius * 0.75, low), (-radius - 0.012, low + 0.005), (-out + 0.012, 0.7 * height), (-out, tip)]
    pipe = spout(path, (radius * 0.55, 0.013))
    under = np.array([(0.0, 0.002), (base * 0.85, 0.002), (base * 0.9, 0.0)])
    shell = Turned(np.concatenate([under, line])).mesh(uv=True)
    specks = labels.speckle(rng) if rng.random() < 0.2 else None
    parts = [shell.part(finish=finish, paint=True, texture=specks), pipe.part(finish=finish, paint=True)]
    cover = join([lathe(lid), knob])
    parts.append(
        cover.part(finish=finish, paint=True)
        if rng.random() < 0.85
        else cover.part(labels.print_on(rng), finish)
    )
    if rng.random() < 0.75:
        handle = loop(
            rng, body, 0.2 * height, 0.85 * height, rng.uniform(0.028, 0.04), rng.uniform(0.008, 0.012)
        )
    else:
        turn = np.linspace(0, math.pi, 24)
        arch = np.column_stack([radius * 0.85 * np.cos(turn), 0 * turn, height * 0.85 + 0.075 * np.sin(turn)])
        handle = tube(arch, 0.011, 0.006)
    wood = rng.random() < 0.2
    parts.append(handle.part(labels.wooden(rng)) if wood else handle.part(finish=finish, paint=True))
    return asset(rng, "teapot", parts + bands(rng, body, 0.2 * height, 0.8 * height))


def pitcher(rng: np.random.Generator) -> Asset:
    """Make a pitcher: a tall vessel with a lip drawn out at one side and a large handle at the other."""
    height, radius = rng.uniform(0.15, 0.25), rng.uniform(0.045, 0.065)
    base, neck = radius * rng.uniform(0.7, 1.0), radius * rng.uniform(0.6, 0.9)
    straight = rng.random() < 0.35
    middle = [(radius, 0.15 * height), (radius, 0.5 * height)] if not straight else [(base, 0.3 * height)]
    line = curve([(base, 0), *middle, (neck, 0.82 * height), (neck * 1.15, height)], 20)
    outside, inside = wall(line, 0.0035, 0.008)
    pull = rng.uniform(0.25, 0.5) * neck
    sheets = [_lipped(lathe(outside, 56, uv=True), height, pull), _lipped(lathe(inside, 56), height, pull)]
    clear = rng.random() < 0.15
    handle = loop(
        rng, Turned(line), 0.3 * height, 0.88 * height, rng.uniform(0.035, 0.05), rng.uniform(0.009, 0.013)
    )
    if clear:
        plain = [Mesh(m.vertices, m.faces) for m in (*sheets, handle)]
        parts = [
            join(plain).part(finish="glass", paint=True),
            poured(rng, inside, height * rng.uniform(0.4, 0.7)),
        ]
        return asset(rng, "pitcher", parts)
    parts = glazed(rng, sheets[0], sheets[1], inner=0.6)
    parts.append(handle.part(finish=parts[0].finish, paint=True))
    return asset(rng, "pitcher", parts + bands(rng, Turned(line), 0.15 * height, 0.75 * height))


def _lipped(mesh: Mesh, height: float, pull: float) -> Mesh:
    """Draw the rim out towards -x and up."""
    out = mesh.vertices.copy()
    angle = np.arctan2(out[:, 1], -out[:, 0])
    share = np.clip((out[:, 2] / height - 0.75) / 0.25, 0, 1) ** 2 * np.exp(-((angle / 0.42) ** 2))
    out[:, 0] -= pull * share
    out[:, 2] += 0.35 * pull * share
    return Mesh(out, mesh.faces, mesh.uv)
