"""Food tins and cans of drink."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick
from examples.tabletop.asset import RGB, Asset, Part
from examples.tabletop.solids import (
    Turned,
    curve,
    join,
    lathe,
    rectangle,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def can(rng: np.random.Generator) -> Asset:
    """Make a can: a food tin with metal rims and a label, a flat one, or a can of drink with its tab."""
    kind = pick(rng, {"tin": 4, "drink": 3, "flat": 1.2})
    return _drink_can(rng) if kind == "drink" else _tin(rng, flat=kind == "flat")


def _tin(rng: np.random.Generator, *, flat: bool) -> Asset:
    radius = rng.uniform(0.034, 0.052)
    height = rng.uniform(0.028, 0.045) if flat else radius * rng.uniform(1.9, 3.0)
    steel, edge = labels.steel(rng), 0.0012
    ring = [(0, 0.001), (radius - 0.003, 0.001), (radius - 0.0028, 0), (radius, 0)]
    ring += [(radius + edge, 0.001), (radius + edge, 0.0035), (radius, 0.005)]
    lid = [
        (radius, height - 0.005),
        (radius + edge, height - 0.0035),
        (radius + edge, height - 0.0005),
        (radius, height),
    ]
    lid += [(radius - 0.0015, height), (radius - 0.002, height - 0.004)]
    lid += [
        (radius * k, height - 0.004 + 0.0012 * (i % 2))
        for i, k in enumerate((0.88, 0.85, 0.8, 0.77, 0.55, 0.52))
    ]
    metal = join([lathe(ring, 64), lathe([*lid, (0, height - 0.004)], 64)])
    parts = [metal.part(steel, "metal")]
    if not flat and rng.random() < 0.5:
        pull = [
            (0.012 * math.cos(t), 0.009 * math.sin(t) + 0.4 * radius, height - 0.001)
            for t in np.linspace(0, 6, 14)
        ]
        parts.append(tube(pull, 0.0025, hint=(0, 0, 1), sides=6, closed=True).part(steel, "metal"))
    line = np.column_stack([np.full(24, radius), np.linspace(0.005, height - 0.005, 24)])
    ribbed = not flat and rng.random() < 0.35
    if ribbed:
        line[:, 0] -= 0.0008 * (1 + np.cos(np.linspace(0, 10 * math.pi, 24)))
    body = Turned(line)
    if ribbed and rng.random() < 0.4:
        parts.append(body.mesh(64).part(finish="metal", paint=True))
        return asset(rng, "can", parts)
    if rng.random() < 0.45:
        word, base = labels.named(rng)
        around = body.patch((0, 2 * math.pi), (0.006, height - 0.006), 0.0003, 48)
        image = labels.wrapper(rng, (height - 0.012) / (math.pi * radius), base)
        if around.uv is not None:
            around.uv[:, 0] *= 2
        parts += [body.mesh(64).part(base, "satin"), around.part((1, 1, 1), "satin", texture=image)]
        return asset(rng, "can", parts, word)
    parts.append(body.mesh(64).part(finish="satin" if rng.random() < 0.6 else "glossy", paint=True))
    return asset(rng, "can", parts + _can_print(rng, body, 0.006, height - 0.006))


def _can_print(rng: np.random.Generator, body: Turned, low: float, high: float) -> list[Part]:
    size, parts = high - low, []
    if rng.random() < 0.5:
        tone = labels.print_on(rng)
        spans = [(0.02, 0.1), (0.9, 0.98)] if rng.random() < 0.5 else [(0.68, rng.uniform(0.75, 0.9))]
        strips = [body.patch((0, 2 * math.pi), (low + a * size, low + b * size), 0.0004, 3) for a, b in spans]
        parts.append(join(strips).part(tone, "satin"))
    half, tall = rng.uniform(0.5, 0.85), rng.uniform(0.35, 0.6)
    start = low + size * rng.uniform(0.14, 0.3)
    aspect = tall * size / (2 * half * float(body.radius(start)))
    image = labels.label(rng, aspect)
    if rng.random() < 0.85:
        faces = [
            body.patch((at - half, at + half), (start, start + tall * size), 0.0007)
            for at in (-math.pi / 2, math.pi / 2)
        ]
        parts.append(join(faces).part((1, 1, 1), "satin", texture=image))
    return parts


def _drink_can(rng: np.random.Generator) -> Asset:
    slim = rng.random() < 0.35
    radius, height = (0.0265, rng.uniform(0.125, 0.145)) if slim else (0.033, rng.uniform(0.1, 0.145))
    steel = labels.steel(rng)
    neck = radius * 0.82
    side = curve(
        [
            (radius * 0.8, 0.0005),
            (radius, 0.008),
            (radius, 0.02),
            (radius, height - 0.03),
            (radius, height - 0.016),
            (neck, height - 0.003),
        ],
        22,
    )
    foot = np.array([(0, 0.008), (radius * 0.6, 0.003), (radius * 0.74, 0.0), (radius * 0.8, 0.0005)])
    rim = [
        (neck, height - 0.003),
        (neck + 0.001, height - 0.001),
        (neck, height),
        (neck - 0.001, height - 0.0005),
    ]
    rim += [(neck - 0.002, height - 0.005), (0.0, height - 0.005)]
    parts = [join([lathe(foot), lathe(rim)]).part(steel, "metal")]
    ring = np.column_stack([rectangle(0.012, 0.02, 0.006, 5), np.full(24, height - 0.003)]) + np.array(
        [0, -0.006, 0]
    )
    hole = lathe([(0.008, 0), (0, 0)], 20).scaled(1, 0.8, 1).moved(0, 0.012, height - 0.0045)
    parts.append(tube(ring, 0.0015, 0.004, hint=(0, 0, 1), sides=6, closed=True).part(steel, "metal"))
    parts.append(hole.part(labels.rgb(np.array(steel) * 0.6), "metal"))
    body = Turned(side)
    parts.append(body.mesh(64).part(finish="metal" if rng.random() < 0.5 else "glossy", paint=True))
    return asset(rng, "can", parts + _can_print(rng, body, 0.014, height - 0.02))
