"""Hats and headphones."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick, turned
from examples.tabletop.asset import RGB, Asset, Finish
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


def hat(rng: np.random.Generator) -> Asset:
    """Make a hat: one with a brim and a band (fedora, top hat), a cap with a visor, or a knitted one."""
    kind = pick(rng, {"brim": 3, "top": 1, "cap": 2, "knit": 1.2})
    radius = rng.uniform(0.07, 0.085)
    if kind == "cap":
        return _cap(rng, radius)
    if kind == "knit":
        return _knit(rng, radius)
    height = rng.uniform(0.085, 0.12) if kind == "brim" else rng.uniform(0.13, 0.16)
    brim = radius + rng.uniform(0.035, 0.07)
    crown = (
        [(radius * 0.9, height), (radius * 0.55, height - 0.004)]
        if kind == "brim"
        else [(radius, height), (radius * 0.6, height)]
    )
    curl = rng.uniform(-0.004, 0.014)
    line = curve(
        [
            (brim, curl),
            (radius + 0.012, 0),
            (radius, 0.004),
            (radius * 0.98, 0.5 * height),
            *crown,
            (0, crown[1][1]),
        ],
        30,
    )
    under = [(0, 0.002), (radius, 0.001), (radius + 0.012, -0.003), (brim, curl - 0.003)]
    shell = lathe([*under, *line], 64, uv=True)
    v = shell.vertices * [0.88, 1.0, 1.0]
    if kind == "brim" and rng.random() < 0.6:
        v[:, 2] -= 0.022 * np.exp(-((v[:, 0] / 0.018) ** 2)) * (v[:, 2] > 0.85 * height)
        v[:, 2] += 0.012 * (v[:, 0] / brim) ** 2 * (v[:, 2] < 0.02)
    straw = labels.weave(rng, 60, 40) if rng.random() < 0.3 and kind == "brim" else None
    parts = [Mesh(v, shell.faces, shell.uv).part(finish="matte", paint=True, texture=straw)]
    band = lathe([(radius + 0.0022, 0.008), (radius + 0.002, 0.008 + rng.uniform(0.014, 0.03))], 64).scaled(
        0.88, 1, 1
    )
    if rng.random() < 0.85:
        parts.append(band.part(labels.print_on(rng) if rng.random() < 0.6 else BLACK, "matte"))
    return asset(rng, "hat", parts)


def _cap(rng: np.random.Generator, radius: float) -> Asset:
    height = rng.uniform(0.085, 0.105)
    line = curve([(radius, 0), (radius, 0.4 * height), (radius * 0.75, 0.95 * height), (0, height)], 16)
    dome = lathe([(0, 0.002), (radius * 0.98, 0), *line], 56)
    t = np.linspace(-1.15, 1.15, 25)
    edge = np.column_stack([np.cos(t) * radius, np.sin(t) * radius, 0.006 + 0 * t])
    reach = rng.uniform(0.05, 0.065)
    front = edge + np.column_stack(
        [
            reach * np.maximum(np.cos(t * 1.3), 0),
            0 * t,
            -0.012 * np.abs(t),
        ]
    )
    top = np.stack([edge, (edge + front) / 2 + [0, 0, 0.004], front])
    low = top[::-1] - [0, 0, 0.003]
    visor = loft(np.concatenate([top[::-1], low[::-1], top[-1:]]).copy(), closed=False)
    button = ball(0.006, 12).scaled(1, 1, 0.6).moved(z=height)
    tone = labels.print_on(rng)
    own = rng.random() < 0.65
    parts = [join([dome, button]).part(finish="matte", paint=True), visor.part(tone, "matte", paint=own)]
    if rng.random() < 0.6:
        body = Turned(line)
        patch = body.patch((-0.32, 0.32), (0.3 * height, 0.68 * height), 0.001)
        parts.append(patch.part((1, 1, 1), "matte", texture=labels.label(rng, 0.7)))
    return asset(rng, "hat", parts)


def _knit(rng: np.random.Generator, radius: float) -> Asset:
    height = rng.uniform(0.11, 0.14)
    turn = np.linspace(0, 2 * math.pi, 120, endpoint=False)
    rib = 1 + 0.018 * np.cos(40 * turn)
    line = curve(
        [
            (radius, 0.03),
            (radius, 0.5 * height),
            (radius * 0.8, 0.9 * height),
            (radius * 0.2, height),
            (0.002, height),
        ],
        14,
    )
    fold = curve([(radius, 0), (radius * 1.08, 0), (radius * 1.08, 0.035), (radius, 0.037)], 8)
    crown, cuff = (
        loft(
            np.stack(
                [
                    np.column_stack([r * rib * np.cos(turn), r * rib * np.sin(turn), 0 * turn + z])
                    for r, z in profile
                ]
            )
        )
        for profile in (line, fold)
    )
    tone = labels.print_on(rng)
    parts = [crown.part(finish="matte", paint=True), cuff.part(tone, "matte", paint=rng.random() < 0.5)]
    if rng.random() < 0.7:
        bobble = ball(0.022, 28)
        rough = bobble.vertices * (1 + 0.08 * rng.standard_normal((len(bobble.vertices), 1)))
        parts.append(Mesh(rough, bobble.faces).moved(z=height + 0.012).part(tone, "matte", smooth=False))
    return asset(rng, "hat", parts)


def headphones(rng: np.random.Generator) -> Asset:
    """Make headphones: a padded band with two cups, lying with the band up or on their side."""
    radius, tall = rng.uniform(0.068, 0.08), rng.uniform(0.085, 0.105)
    arc = np.linspace(-0.12, math.pi + 0.12, 36)
    path = np.column_stack([radius * np.cos(arc), 0 * arc, tall * np.sin(arc)])
    band = tube(path, rng.uniform(0.016, 0.03), 0.006, square=3)
    pad = tube(path[8:28] * [0.955, 1, 0.955], 0.022, 0.01, square=2.5)
    cup, deep = rng.uniform(0.032, 0.04), rng.uniform(0.016, 0.024)
    shell_line = curve([(cup * 0.9, 0), (cup, 0.002), (cup, deep * 0.6), (cup * 0.6, deep)], 12)
    cushion_line = curve(
        [(cup * 0.4, 0.004), (cup * 0.45, 0.016), (cup, 0.018), (cup * 1.04, 0.002), (cup * 0.95, 0)], 14
    )
    shells, pads = [], []
    squash = rng.uniform(1.0, 1.25)
    for side in (-1, 1):
        shell = lathe([*shell_line, (0, deep)], 40).scaled(squash, 1, 1)
        cushion = lathe([(0, 0.004), *cushion_line][::-1], 40).scaled(squash, 1, -1)
        for mesh, group in ((shell, shells), (cushion, pads)):
            group.append(mesh.turned(1, math.pi / 2).moved(radius - 0.004, 0, -0.012).scaled(side, 1, 1))
    tone: RGB = BLACK if rng.random() < 0.75 else labels.light(rng)
    finish: Finish = "satin" if rng.random() < 0.6 else "glossy"
    own = rng.random() < 0.65
    parts = [
        join(shells).part(finish=finish, paint=True),
        band.part(tone, finish, paint=own),
        join([pad, *pads]).part(tone, "matte"),
    ]
    if rng.random() < 0.5:
        parts = turned(parts, 0, math.pi / 2 - 0.12)
    return asset(rng, "headphones", parts)
