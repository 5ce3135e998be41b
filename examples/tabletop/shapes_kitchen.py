"""Pans, pots, moka pots and buckets."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.glazing import raised, wall
from examples.tabletop.solids import (
    Mesh,
    Turned,
    ball,
    curve,
    join,
    lathe,
    loft,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def _grip(rng: np.random.Generator, start: float, length: float, height: float) -> list[Part]:
    """Return a pan's long handle along +x: a metal neck and a grip, or a bar of the pan's own metal."""
    rise = rng.uniform(0.0, 0.3) * length
    path = curve(
        [
            (start, 0, height),
            (start + 0.3 * length, 0, height + 0.6 * rise),
            (start + length, 0, height + rise),
        ],
        16,
    )
    width = rng.uniform(0.016, 0.024)
    kind = pick(rng, {"black": 3, "steel": 1.2, "wood": 1.5, "own": 1.5})
    if kind in ("steel", "own"):
        taper = np.interp(np.linspace(0, 1, 16), [0, 0.15, 0.6, 1], [1.5, 0.8, 0.75, 1.1])
        bar = tube(path, width * taper, width * 0.4 * np.minimum(taper, 1), square=3)
        if kind == "own":
            return [bar.part(finish="satin", paint=True)]
        return [bar.part(labels.steel(rng), "metal")]
    neck = tube(path[:7], width * np.linspace(1.2, 0.6, 7), width * 0.35, square=3)
    swell = np.interp(np.linspace(0, 1, 12), [0, 0.1, 0.5, 0.92, 1], [0.6, 0.9, 0.8, 1.1, 0.7])
    hand = tube(path[4:], width * swell, width * 0.75 * swell, square=2.6)
    tone, finish = (BLACK, "satin") if kind == "black" else (labels.wooden(rng), "matte")
    parts = [neck.part(labels.steel(rng), "metal"), hand.part(tone, finish)]
    if rng.random() < 0.5:
        turn = np.linspace(0, 2 * math.pi, 14, endpoint=False)
        ring = path[-1] + np.column_stack([0.006 + 0.007 * np.cos(turn), 0.006 * np.sin(turn), 0 * turn])
        parts.append(tube(ring, 0.003, hint=(0, 0, 1), sides=6, closed=True).part(labels.steel(rng), "metal"))
    return parts


def pan(rng: np.random.Generator) -> Asset:
    """Make a pan: a frying pan with sloped sides or a saucepan, with one long handle, sometimes a lid."""
    frying = rng.random() < 0.72
    radius = rng.uniform(0.072, 0.09) if frying else rng.uniform(0.06, 0.08)
    height = rng.uniform(0.025, 0.042) if frying else rng.uniform(0.06, 0.09)
    base = radius * (rng.uniform(0.68, 0.88) if frying else rng.uniform(0.94, 1.0))
    line = curve(
        [
            (base * 0.94, 0),
            (base, 0.0),
            (base + 0.15 * (radius - base) + 0.002, 0.2 * height),
            (radius, height),
        ],
        12,
    )
    outside, inside = wall(line, rng.uniform(0.002, 0.004), 0.004, 0.0005)
    finish: Finish = "satin" if rng.random() < 0.6 else "glossy"
    parts = [Turned(outside).mesh(60).part(finish=finish, paint=True)]
    look = pick(rng, {"dark": 2.5, "own": 4, "steel": 0.8, "cream": 0.5})
    tones: dict[str, RGB] = {
        "dark": labels.dark(rng),
        "steel": labels.steel(rng),
        "cream": labels.light(rng),
        "own": BLACK,
    }
    within: Finish = "metal" if look == "steel" else finish
    parts.append(Turned(inside).mesh(60).part(tones[look], within, paint=look == "own"))
    if look != "own" and rng.random() < 0.4:
        lip = np.concatenate([outside[-3:], inside[:3]])
        parts.append(lathe(raised(lip), 60).part(labels.steel(rng), "metal"))
    length = rng.uniform(0.1, 0.135)
    parts += _grip(rng, radius - 0.004, length, height * rng.uniform(0.6, 0.9))
    if rng.random() < 0.6:
        rivets = [
            ball(0.0035, 10).scaled(0.6, 1, 1).moved(radius - 0.005, y, 0.75 * height)
            for y in (-0.007, 0.007)
        ]
        parts.append(join(rivets).part(labels.steel(rng), "metal"))
    if not frying and rng.random() < 0.4:
        parts += _lid(rng, radius, height)
    elif frying and rng.random() < 0.15:
        parts += _fried_egg(rng, base)
    return asset(rng, "pan", parts)


def _fried_egg(rng: np.random.Generator, radius: float) -> list[Part]:
    turn = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    edge = (
        0.6
        * radius
        * (0.85 + 0.12 * np.sin(3 * turn + rng.uniform(0, 6)) + 0.06 * np.sin(5 * turn + rng.uniform(0, 6)))
    )
    levels = [(1.0, 0.004), (0.97, 0.0065), (0.4, 0.008), (0.0, 0.008)]
    rings = [
        np.column_stack([k * edge * np.cos(turn), k * edge * np.sin(turn), 0 * turn + z]) for k, z in levels
    ]
    yolk = ball(0.3 * radius, 24).scaled(1, 1, 0.5).moved(z=0.008)
    return [loft(np.stack(rings)).part((0.96, 0.95, 0.9), "glossy"), yolk.part((0.97, 0.68, 0.1), "glossy")]


def _lid(rng: np.random.Generator, radius: float, height: float, *, paint: bool = False) -> list[Part]:
    dome = rng.uniform(0.1, 0.3) * radius
    edge = radius + 0.0015
    line = curve([(edge, 0), (edge, 0.003), (0.75 * radius, 0.9 * dome), (0, dome)], 12)
    cover = join([lathe(line), lathe([(0, 0), line[0]], 56)]).moved(z=height)
    shape = curve([(0.006, 0), (0.005, 0.01), (0.016, 0.012), (0.015, 0.022), (0, 0.022)], 12)
    knob = lathe(shape, 28).moved(z=height + dome - 0.002)
    tone: RGB = BLACK if rng.random() < 0.6 else labels.steel(rng)
    return [
        cover.part(labels.steel(rng), "satin" if paint else "metal", paint=paint),
        knob.part(tone, "glossy"),
    ]


def pot(rng: np.random.Generator) -> Asset:
    """Make a cooking pot: two side handles, mostly with its lid on."""
    radius, height = rng.uniform(0.075, 0.115), rng.uniform(0.075, 0.15)
    base = radius * rng.uniform(0.85, 1.0)
    line = curve(
        [(base * 0.92, 0), (base, 0), (radius, 0.15 * height), (radius, 0.7 * height), (radius, height)], 14
    )
    outside, inside = wall(line, 0.0035, 0.005, 0.0008)
    finish: Finish = "glossy" if rng.random() < 0.65 else "satin"
    parts = [Turned(outside).mesh(60).part(finish=finish, paint=True)]
    tone = (
        labels.light(rng)
        if rng.random() < 0.4
        else (labels.dark(rng) if rng.random() < 0.5 else labels.steel(rng))
    )
    parts.append(Turned(inside).mesh(60).part(tone, finish))
    own, high = rng.random() < 0.6, rng.uniform(0.65, 0.9) * height
    reach, half = rng.uniform(0.022, 0.034), rng.uniform(0.025, 0.038)
    path = [(radius - 0.002, -half, high), (radius + reach, -half, high + 0.004)]
    path += [(radius + reach, half, high + 0.004), (radius - 0.002, half, high)]
    bar = tube(curve(path, 18), 0.007 * rng.uniform(0.9, 1.3), 0.011, hint=(0, 0, 1))
    grey = BLACK if rng.random() < 0.5 else labels.steel(rng)
    parts.append(join([bar, bar.scaled(-1, 1, 1)]).part(grey, "satin", paint=own))
    if rng.random() < 0.7:
        parts += _lid(rng, radius, height, paint=rng.random() < 0.65)
    return asset(rng, "pot", parts)


def moka_pot(rng: np.random.Generator) -> Asset:
    """Make a moka pot: a facetted base and top that meet at a waist, a spout, a lid with a knob, a handle."""
    radius, height = rng.uniform(0.036, 0.048), rng.uniform(0.12, 0.18)
    sides = 48 if rng.random() < 0.12 else int(rng.choice([8, 8, 8, 10]))
    waist, split = radius * rng.uniform(0.68, 0.82), height * rng.uniform(0.42, 0.5)
    top, flare = height * 0.88, radius * rng.uniform(0.9, 1.05)
    turn = math.pi / sides
    lower = lathe([(0, 0), (radius, 0), (radius, 0.06 * height), (waist, split)], sides).turned(2, turn)
    upper = [(waist * 0.98, split + 0.006), (flare, top), (flare - 0.002, top + 0.001)]
    rim = waist + 0.003
    band = lathe([(waist, split - 0.002), (rim, split), (rim, split + 0.007), (waist, split + 0.009)], 48)
    dome = [
        (flare + 0.001, top),
        (flare + 0.001, top + 0.003),
        (0.45 * flare, height - 0.006),
        (0, height - 0.004),
    ]
    cover = join([lathe(upper, sides), lathe(dome, sides)]).turned(2, turn)
    finish: Finish = "metal" if rng.random() < 0.8 else "satin"
    valve = lathe([(0, 0), (0.004, 0), (0.004, 0.005), (0, 0.006)], 12).turned(1, math.pi / 2)
    valve = valve.moved(0.9 * waist, 0, 0.75 * split).turned(2, -1.9)
    bare, faceted, steel = rng.random() < 0.35, sides < 20, labels.steel(rng)
    parts = [
        join([cover, _beak(flare, top)]).part(finish=finish, paint=True, smooth=not faceted),
        lower.part(steel, "metal" if bare else finish, paint=not bare, smooth=not faceted),
        band.part(steel, finish, paint=not bare),
        valve.part((0.75, 0.6, 0.3), "metal"),
    ]
    tone: RGB = BLACK
    if rng.random() < 0.2:
        tone = labels.wooden(rng) if rng.random() < 0.5 else (0.5, 0.08, 0.06)
    shape = curve([(0.004, 0), (0.005, 0.008), (0.01, 0.012), (0.008, 0.024), (0, 0.026)], 10)
    knob = lathe(shape, 10).moved(z=height - 0.006)
    out = flare + rng.uniform(0.032, 0.042)
    path = [
        (flare - 0.004, 0, top - 0.006),
        (out, 0, top),
        (out + 0.004, 0, top - 0.02),
        (out - 0.008, 0, split),
    ]
    grip = tube(curve(path, 18), np.linspace(0.012, 0.016, 18), np.linspace(0.008, 0.013, 18), square=3)
    return asset(rng, "moka pot", [*parts, join([knob, grip]).part(tone, "satin")])


def _beak(flare: float, top: float) -> Mesh:
    """Return a moka pot's spout: a wedge towards -x below the lid."""
    points = [(-flare * 0.72, -0.011, top - 0.035), (-flare * 0.72, 0.011, top - 0.035)]
    points += [
        (-flare - 0.017, 0, top + 0.001),
        (-flare * 0.9, -0.02, top + 0.001),
        (-flare * 0.9, 0.02, top + 0.001),
    ]
    return Mesh(np.array(points), np.array([(0, 2, 1), (0, 3, 2), (1, 2, 4), (2, 3, 4)]))


def bucket(rng: np.random.Generator) -> Asset:
    """Make a bucket: it widens upwards, has a thick rim and a wire handle that stands or hangs."""
    radius, height = rng.uniform(0.07, 0.105), rng.uniform(0.12, 0.19)
    base = radius * rng.uniform(0.68, 0.85)
    line = np.linspace([base, 0], [radius, height], 10)
    outside, inside = wall(line, 0.003, 0.004, 0.003)
    finish: Finish = "metal" if rng.random() < 0.3 else "satin"
    rim = lathe(
        [
            (radius, -0.008),
            (radius + 0.004, -0.007),
            (radius + 0.004, -0.001),
            (radius, 0.001),
            (radius - 0.004, 0),
        ],
        56,
    )
    hoops = [rim.moved(z=height)]
    for at in rng.uniform(0.1, 0.85, rng.integers(0, 3)):
        r = base + (radius - base) * at
        hoops.append(lathe([(r, -0.003), (r + 0.002, 0), (r + 0.001, 0.003)], 56).moved(z=at * height))
    parts = [join([Turned(outside).mesh(), Turned(inside).mesh(), *hoops]).part(finish=finish, paint=True)]
    arc, tilt = np.linspace(0, math.pi, 26), rng.uniform(0.0, 1.9)
    reach = (radius + 0.004) * np.sin(arc) * rng.uniform(0.95, 1.05)
    path = np.column_stack(
        [(radius + 0.005) * np.cos(arc), -reach * math.sin(tilt), height - 0.014 + reach * math.cos(tilt)]
    )
    parts.append(
        tube(path, 0.0035, hint=(0, math.cos(tilt), math.sin(tilt)), sides=8).part(labels.steel(rng), "metal")
    )
    if rng.random() < 0.6:
        grip = tube(path[10:16], 0.011, hint=(0, math.cos(tilt), math.sin(tilt)))
        parts.append(grip.part(labels.wooden(rng) if rng.random() < 0.5 else labels.light(rng), "satin"))
    ears = [
        ball(0.008, 12).scaled(0.5, 1, 1).moved(side * (radius + 0.002), 0, height - 0.014)
        for side in (-1, 1)
    ]
    parts.append(join(ears).part(labels.steel(rng), "metal"))
    return asset(rng, "bucket", parts)
