"""Candles, lamps and clocks."""

import math

import cv2
import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick, turned
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.glazing import wall
from examples.tabletop.solids import (
    ball,
    box_faces,
    curve,
    disc,
    join,
    lathe,
    loft,
    rectangle,
    slab,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def candle(rng: np.random.Generator) -> Asset:
    """Make a candle: a pillar, a taper in its holder, or wax in a glass; lit or with a bare wick."""
    kind = pick(rng, {"pillar": 3, "taper": 1.5, "jar": 1.2})
    parts: list[Part] = []
    if kind == "taper":
        radius, foot, height = 0.011, 0.012, rng.uniform(0.14, 0.22)
        stand = curve(
            [
                (0.04, 0),
                (0.04, 0.006),
                (0.01, 0.01),
                (0.008, 0.022),
                (0.016, 0.028),
                (0.015, 0.045),
                (0.011, 0.045),
            ],
            22,
        )
        tone = (0.8, 0.62, 0.28) if rng.random() < 0.5 else labels.steel(rng)
        parts.append(lathe([(0, 0), *stand, (0, 0.044)], 44).part(tone, "metal"))
        foot = 0.04
    else:
        radius, foot, height = rng.uniform(0.022, 0.042), 0.0, rng.uniform(0.06, 0.17)
        if kind == "jar":
            height = rng.uniform(0.05, 0.075)
            line = np.linspace([radius + 0.004, 0], [radius + 0.004, height * 1.35], 6)
            outside, inside = wall(line, 0.002, 0.004)
            parts.append(join([lathe(outside), lathe(inside)]).part((0.85, 0.9, 0.9), "glass"))
            foot = 0.005
    top = foot + height
    edge = 0.12 * radius
    line = curve(
        [(radius, foot), (radius, top - edge), (radius - edge, top), (0.7 * radius, top - 0.002)], 12
    )
    wax = lathe([(0, foot), *line, (0, top - 0.004)], 48)
    parts.insert(0, wax.part(finish="satin", paint=True))
    wick = tube([(0, 0, top - 0.005), (0, 0, top + 0.006), (0.002, 0, top + 0.011)], 0.0022, sides=6)
    parts.append(wick.part(BLACK, "matte"))
    if rng.random() < 0.45:
        flame = curve([(0, 0), (0.006, 0.006), (0.005, 0.014), (0.001, 0.03)], 14)
        parts.append(lathe([*flame, (0, 0.031)], 20).moved(z=top + 0.004).part((1.0, 0.82, 0.35), "matte"))
    return asset(rng, "candle", parts)


def lamp(rng: np.random.Generator) -> Asset:
    """Make a lamp: a painted shade (cone or drum) on a turned base, or a desk lamp with an arm."""
    if rng.random() < 0.25:
        return _desk_lamp(rng)
    height = rng.uniform(0.2, 0.31)
    shade, low = rng.uniform(0.05, 0.085), height * rng.uniform(0.5, 0.62)
    top = shade * rng.uniform(0.45, 1.0)
    line = np.linspace([shade, low], [top, height], 6)
    outside, inside = line, line[::-1] - [0.0015, 0]
    glow = (1.0, 0.95, 0.8)
    shade_parts = [lathe(outside, 56).part(finish="matte", paint=True), lathe(inside, 56).part(glow, "matte")]
    wide = shade * rng.uniform(0.4, 0.75)
    kind = pick(rng, {"vase": 2, "stick": 1.5, "ball": 1})
    if kind == "vase":
        points = [
            (wide * 0.6, 0),
            (wide, 0.02),
            (wide, 0.5 * low),
            (0.2 * wide, 0.85 * low),
            (0.008, 0.95 * low),
            (0.006, low + 0.03),
        ]
    elif kind == "stick":
        points = [
            (wide, 0),
            (wide, 0.008),
            (0.3 * wide, 0.016),
            (0.007, 0.025),
            (0.006, low),
            (0.006, low + 0.03),
        ]
    else:
        points = [
            (wide * 0.5, 0),
            (wide * 1.3, 0.3 * low),
            (wide * 1.0, 0.75 * low),
            (0.008, 0.8 * low),
            (0.006, low + 0.03),
        ]
    base = lathe([(0, 0), *curve(points, 26), (0, low + 0.03)], 44)
    bulb = ball(0.02, 20).moved(z=(low + height) / 2)
    tone = labels.print_on(rng) if rng.random() < 0.5 else labels.wooden(rng)
    base_part = base.part(tone, "glossy", paint=rng.random() < 0.4)
    return asset(rng, "lamp", [*shade_parts, base_part, bulb.part((1.0, 0.97, 0.85), "matte")])


def _desk_lamp(rng: np.random.Generator) -> Asset:
    foot = lathe([(0, 0), (0.055, 0), (0.055, 0.008), (0.05, 0.012), (0, 0.012)], 48)
    bend, height = rng.uniform(-0.06, -0.03), rng.uniform(0.2, 0.25)
    path = [(0, 0, 0.01), (bend, 0, 0.55 * height), (0.01, 0, height), (0.05, 0, height + 0.02)]
    arm = tube(path if rng.random() < 0.5 else curve(path, 20), 0.007, sides=10)
    head = curve([(0.014, 0.05), (0.018, 0.045), (0.026, 0.03), (0.052, 0)], 12)
    shell = lathe([*head[::-1], (0, 0.052)], 40).turned(1, -0.5).moved(0.075, 0, height - 0.015)
    inside = lathe([(0, 0.048), *(head - [0.0012, 0])], 40).turned(1, -0.5).moved(0.075, 0, height - 0.015)
    bulb = ball(0.016, 18).moved(0.07, 0, height - 0.005)
    own = join([foot, arm, shell]).part(finish="satin" if rng.random() < 0.7 else "metal", paint=True)
    return asset(
        rng, "lamp", [own, inside.part((0.95, 0.93, 0.88), "satin"), bulb.part((1.0, 0.97, 0.85), "matte")]
    )


def _dial(rng: np.random.Generator) -> np.ndarray:
    """Return a clock's face with ticks or figures and hands."""
    dark_face = rng.random() < 0.15
    paper, ink = ((25, 25, 28), (240, 240, 235)) if dark_face else ((248, 246, 238), (20, 20, 22))
    image = np.full((192, 192, 3), paper, np.uint8)
    figures = rng.random() < 0.55
    for hour in range(1, 13):
        a = math.pi * hour / 6
        x, y = math.sin(a), -math.cos(a)
        if figures:
            text = str(hour)
            (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 0.7, 2)
            at = (round(96 + 72 * x - wide / 2), round(96 + 72 * y + high / 2))
            cv2.putText(image, text, at, cv2.FONT_HERSHEY_DUPLEX, 0.7, ink, 2, cv2.LINE_AA)
        else:
            start = 66 if hour % 3 == 0 else 74
            a_, b_ = (round(96 + start * x), round(96 + start * y)), (round(96 + 86 * x), round(96 + 86 * y))
            cv2.line(image, a_, b_, ink, 5 if hour % 3 == 0 else 3, cv2.LINE_AA)
    hour, minute = rng.uniform(0, 12), rng.uniform(0, 60)
    for a, reach, thick, tone in (
        (math.pi * hour / 6, 42, 7, ink),
        (math.pi * minute / 30, 64, 5, ink),
        (rng.uniform(0, 6), 68, 2, (200, 30, 30)),
    ):
        cv2.line(
            image,
            (96, 96),
            (round(96 + reach * math.sin(a)), round(96 - reach * math.cos(a))),
            tone,
            thick,
            cv2.LINE_AA,
        )
    cv2.circle(image, (96, 96), 6, ink, -1, cv2.LINE_AA)
    return image


def clock(rng: np.random.Generator) -> Asset:
    """Make a clock that faces -y: round with a rim, an alarm clock with bells and feet, or a square one."""
    radius, deep = rng.uniform(0.04, 0.11), rng.uniform(0.02, 0.045)
    kind = pick(rng, {"alarm": 3, "round": 2, "square": 1})
    finish: Finish = "glossy" if rng.random() < 0.6 else "metal"
    if kind == "square":
        wide, hole = 2 * radius, 1.7 * radius
        outlines = (rectangle(wide, wide, 0.25 * radius, 8), rectangle(hole, hole, 0.2 * radius, 8))
        levels = ((0, -deep), (0, 0.004), (1, 0.004), (1, -0.001))
        rings = [np.column_stack([outlines[k], np.full(36, z)]) for k, z in levels]
        shell = loft(np.stack(rings), caps=True)
        face = box_faces(hole, hole, 0)["top"].patch(lift=0.0)
    else:
        edge = [(0, -deep), (radius * 0.95, -deep), (radius, -deep * 0.9), (radius, 0.002)]
        edge += [(radius * 0.96, 0.006), (radius * 0.85, 0.004), (radius * 0.84, -0.001)]
        shell, face = lathe(edge, 60), disc(radius * 0.86, 0)
    parts = [shell.part(finish=finish, paint=True), face.part((1, 1, 1), "satin", texture=_dial(rng))]
    parts = turned(parts, 0, math.pi / 2)
    if kind == "alarm":
        parts += _bells(rng, radius, deep, finish)
    elif rng.random() < 0.6:
        stand = slab(1.1 * radius, deep * 1.6, 0.012, 0.004).moved(0, deep / 2, -radius - 0.008)
        parts.append(stand.part(labels.wooden(rng), "satin", paint=rng.random() < 0.5))
    return asset(rng, "clock", parts)


def _bells(rng: np.random.Generator, radius: float, deep: float, finish: Finish) -> list[Part]:
    """Return an alarm clock's bells, feet and the handle above them."""
    metal, meshes = labels.steel(rng), []
    bell = ball(0.42 * radius, 24).scaled(1, 1, 0.75)
    for side in (-1, 1):
        meshes.append(bell.turned(1, side * 0.6).moved(side * 0.62 * radius, deep / 2, 0.98 * radius))
        foot = [
            (side * 0.6 * radius, deep / 2, -0.7 * radius),
            (side * 0.85 * radius, deep / 2, -1.2 * radius),
        ]
        meshes.append(tube(foot, 0.01))
    arc = np.linspace(0, math.pi, 14)
    rise = 1.15 * radius + 0.45 * radius * np.sin(arc)
    grip = tube(np.column_stack([0.35 * radius * np.cos(arc), np.full(14, deep / 2), rise]), 0.006)
    own = rng.random() < 0.5
    return [join(meshes).part(metal, finish if own else "metal", paint=own), grip.part(metal, "metal")]
