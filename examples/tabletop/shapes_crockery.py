"""Mugs, bowls and plates."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, moved, pick
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.glazing import GLAZES, bands, glazed, loop, raised, wall
from examples.tabletop.solids import (
    Mesh,
    Turned,
    ball,
    curve,
    disc,
    join,
    lathe,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def _mug_outline(rng: np.random.Generator) -> tuple[str, np.ndarray]:
    kind = pick(rng, {"cylinder": 4, "tapered": 2, "flared": 1.5, "belly": 2.5, "espresso": 1, "teacup": 2})
    radius, height = rng.uniform(0.035, 0.047), rng.uniform(0.075, 0.115)
    if kind in ("cylinder", "espresso"):
        if kind == "espresso":
            radius, height = rng.uniform(0.026, 0.033), rng.uniform(0.05, 0.062)
        edge = rng.uniform(0.03, 0.25) * radius
        points = [
            (radius - edge, 0),
            (radius, 0),
            (radius, 0.3 * height),
            (radius, 0.8 * height),
            (radius, height),
        ]
    elif kind == "tapered":
        base = radius * rng.uniform(1.05, 1.3)
        points = [(base - 0.003, 0), (base, 0), (base, 0.006), (radius, height)]
    elif kind == "flared":
        base = radius * rng.uniform(0.6, 0.85)
        points = [(base - 0.003, 0), (base, 0), (base + 0.002, 0.008), (radius, height)]
    elif kind == "belly":
        base, wide, top = (
            radius * rng.uniform(0.6, 0.9),
            radius * rng.uniform(1.05, 1.25),
            radius * rng.uniform(0.8, 1),
        )
        points = [(base, 0), (wide, 0.1 * height), (wide, 0.55 * height), (top, 0.75 * height), (top, height)]
    else:
        radius, height = rng.uniform(0.04, 0.055), rng.uniform(0.048, 0.07)
        base = radius * rng.uniform(0.45, 0.6)
        lip = radius * rng.uniform(1.0, 1.08)
        points = [
            (base, 0),
            (base, 0.006),
            (radius * 0.9, 0.2 * height),
            (radius * 0.96, 0.7 * height),
            (lip, height),
        ]
    return kind, curve(points, 15)


def mug(rng: np.random.Generator) -> Asset:
    """Make a mug or cup: straight, tapered, bellied, for espresso, or a teacup on a saucer; some are full."""
    kind, outer = _mug_outline(rng)
    height, thick = outer[-1, 1], rng.uniform(0.0022, 0.0045)
    outside, inside = wall(outer, thick, 0.006)
    body = Turned(outer)
    parts = glazed(rng, Turned(outside).mesh(uv=True), Turned(inside).mesh(48))
    finish = parts[0].finish
    high, low = height * rng.uniform(0.78, 0.9), height * rng.uniform(0.15, 0.35)
    if kind == "teacup":
        low = height * rng.uniform(0.25, 0.4)
    reach = rng.uniform(0.02, 0.033) * (0.7 if kind in ("espresso", "teacup") else 1)
    handle = loop(rng, body, low, high, reach, rng.uniform(0.006, 0.009), thick)
    tone = labels.print_on(rng)
    parts.append(handle.part(finish=finish, paint=True) if rng.random() < 0.88 else handle.part(tone, finish))
    parts += bands(rng, body, 0.15 * height, 0.92 * height)
    if rng.random() < 0.25:
        lip = raised(np.concatenate([outside[-4:], inside[1:4]]))
        parts.append(lathe(lip).part(tone if rng.random() < 0.5 else labels.dark(rng), finish))
    if rng.random() < 0.35:
        parts.append(_drink(rng, inside, height))
    if kind == "teacup" and rng.random() < 0.6:
        parts = _on_saucer(rng, parts, float(outer[-1, 0]), finish)
    return asset(rng, "mug", parts)


def _drink(rng: np.random.Generator, inside: np.ndarray, height: float) -> Part:
    level = height * rng.uniform(0.72, 0.92)
    radius = float(np.interp(-level, -inside[3:, 1], inside[3:, 0])) + 0.0006
    tones: list[RGB] = [(0.16, 0.08, 0.04), (0.08, 0.04, 0.02), (0.42, 0.25, 0.13), (0.6, 0.28, 0.08)]
    image = labels.drink(rng, tones[rng.integers(len(tones))])
    return disc(radius, level).part((1, 1, 1), "glossy", texture=image)


def _on_saucer(rng: np.random.Generator, parts: list[Part], cup: float, finish: Finish) -> list[Part]:
    radius = cup * rng.uniform(1.55, 1.85)
    line = curve([(radius * 0.5, 0), (radius * 0.55, 0.003), (radius * 0.8, 0.008), (radius, 0.017)], 9)
    outside, inside = wall(line, 0.003, 0.004, 0.001)
    plate = join([lathe(outside), lathe(inside)]).part(finish=finish, paint=True)
    return [*moved(parts, z=0.004), plate]


def bowl(rng: np.random.Generator) -> Asset:
    """Make a bowl: deep or shallow, round or flared, on a foot ring or not; some have something in them."""
    radius = rng.uniform(0.055, 0.135)
    height = radius * rng.uniform(0.42, 1.05)
    base = radius * rng.uniform(0.32, 0.6)
    foot = rng.uniform(0.004, 0.012) if rng.random() < 0.5 else 0.0
    t = np.linspace(0, 1, 16) ** 1.6
    round_, straight = (1 - (1 - t) ** 2.2) ** (1 / rng.uniform(1.7, 2.4)), rng.uniform(0, 0.55)
    side = base + (radius - base) * ((1 - straight) * round_ + straight * t)
    line = np.column_stack([side, foot + (height - foot) * t])
    if rng.random() < 0.3:
        line[-3:, 0] += radius * rng.uniform(0.02, 0.07) * np.array([0.15, 0.5, 1.0])
    if foot:
        line = np.concatenate([[[base * 0.95, 0.0], [base * 0.97, foot * 0.6]], line])
    thick = rng.uniform(0.0025, 0.006)
    outside, inside = wall(line, thick, foot + 0.005, max(foot * 0.6, 0.002))
    parts = glazed(rng, Turned(outside).mesh(64, uv=True), Turned(inside).mesh(64), inner=0.75)
    parts += bands(rng, Turned(line), max(foot + 0.2 * height, 0.25 * height), 0.95 * height)
    if rng.random() < 0.25:
        lip = raised(np.concatenate([outside[-4:], inside[1:4]]))
        parts.append(lathe(lip, 64).part(labels.print_on(rng), "glossy"))
    if rng.random() < 0.3:
        parts += _filling(rng, inside, height)
    return asset(rng, "bowl", parts)


def _filling(rng: np.random.Generator, inside: np.ndarray, height: float) -> list[Part]:
    level = height * rng.uniform(0.5, 0.85)
    radius = float(np.interp(-level, -inside[3:, 1], inside[3:, 0])) + 0.0008
    kind = pick(rng, {"soup": 2, "grains": 2, "fruit": 1})
    food: list[RGB] = [
        (0.78, 0.35, 0.1),
        (0.55, 0.12, 0.06),
        (0.75, 0.62, 0.25),
        (0.9, 0.86, 0.75),
        (0.35, 0.45, 0.15),
    ]
    tone = food[rng.integers(len(food))]
    if kind == "soup":
        return [disc(radius, level).part(tone, "glossy")]
    size = rng.uniform(0.007, 0.014) if kind == "grains" else min(radius * 0.4, rng.uniform(0.022, 0.032))
    count = min(45, int(1.1 * (radius / size) ** 2)) if kind == "grains" else 5
    meshes = [disc(radius, level - 0.3 * size)] if kind == "grains" else []
    for k in range(count):
        away = (radius - size) * math.sqrt((k + 0.5) / count)
        turn = 2.4 * k + rng.uniform(0, 0.5)
        rise = (
            level + size * (0.3 if kind == "fruit" else rng.uniform(-0.3, 0.4)) + 0.25 * (radius - away) * 0.4
        )
        meshes.append(
            ball(size, 8 if kind == "grains" else 20).moved(
                away * math.cos(turn), away * math.sin(turn), rise
            )
        )
    return [join([Mesh(m.vertices, m.faces) for m in meshes]).part(tone, "satin")]


def plate(rng: np.random.Generator) -> Asset:
    """Make a plate: coupe, rimmed or deep, round or square, with rings or a pattern in its middle."""
    radius = rng.uniform(0.075, 0.145)
    kind = pick(rng, {"coupe": 2, "rimmed": 3, "deep": 1.5})
    height = {"coupe": 0.16, "rimmed": 0.15, "deep": 0.26}[kind] * radius * rng.uniform(0.7, 1.3)
    base = radius * rng.uniform(0.55, 0.7)
    if kind == "coupe":
        points = [(base, 0), (base, 0.003), (radius * 0.88, 0.3 * height), (radius, height)]
    else:
        rim = radius * rng.uniform(0.68, 0.8)
        points = [
            (base * 0.95, 0),
            (base, 0.003),
            (rim, 0.2 * height),
            (rim * 1.02, 0.72 * height),
            (radius, height),
        ]
    line = curve(points, 16)
    outside, inside = wall(line, rng.uniform(0.0025, 0.0045), 0.005, 0.0015)
    square = rng.uniform(4, 7) if rng.random() < 0.12 else 2.0
    back, front = Turned(outside, square).mesh(64), Turned(inside, square).mesh(64, uv=True)
    finish = GLAZES[rng.integers(len(GLAZES))]
    specks = labels.speckle(rng) if rng.random() < 0.2 else None
    parts = [back.part(finish=finish, paint=True), front.part(finish=finish, paint=True, texture=specks)]
    if rng.random() < 0.45:
        tone, top = labels.print_on(rng), raised(inside)
        end = int(rng.integers(2, 5))
        parts.append(Turned(top[:end], square).mesh(64).part(tone, finish))
        if rng.random() < 0.5:
            start = int(rng.integers(5, len(inside) - 5))
            parts.append(Turned(top[start : start + 2], square).mesh(64).part(tone, finish))
    if square == 2 and rng.random() < 0.2:
        away, lift = radius * 0.9, float(np.interp(0.9 * radius, inside[:3:-1, 0], inside[:3:-1, 1])) + 0.0008
        around, size = int(rng.integers(10, 24)), radius * rng.uniform(0.02, 0.05)
        at = 2 * math.pi * np.arange(around) / around
        dots = [disc(size, lift, 12).moved(away * math.cos(a), away * math.sin(a)) for a in at]
        parts.append(join(dots).part(labels.print_on(rng), finish))
    elif rng.random() < 0.15:
        size = float(inside[-2, 0]) * rng.uniform(0.5, 0.9)
        parts.append(disc(size, 0.0056).part(labels.print_on(rng), finish))
    return asset(rng, "plate", parts)
