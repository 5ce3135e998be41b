"""Bottles and jars: turned vessels with a closure and a label."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.prints import sticker
from examples.tabletop.solids import (
    Mesh,
    Turned,
    curve,
    join,
    lathe,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def filled(body: Turned, level: float) -> Mesh:
    """Return what fills a closed bottle up to a height, just within its outside."""
    line = body.profile[body.profile[:, 1] < level] * [0.93, 1.0] + [0, 0.001]
    inside = np.concatenate([line, [(line[-1, 0], level), (0.0, level)]])
    return Turned(inside, body.square, body.flat).mesh(40)


def cap(radius: float, low: float, high: float, ribs: int = 0) -> np.ndarray:
    """Return the profile of a cap that is closed at its top."""
    edge = min(0.0015, 0.2 * (high - low))
    return np.array([(0, low), (radius, low), (radius, high - edge), (radius - edge, high), (0, high)])


def _outline(rng: np.random.Generator, kind: str) -> tuple[np.ndarray, float, float]:
    """Return a bottle's outside up to its mouth, and the heights between which its body is straight."""
    if kind == "wine":
        r, h, n = rng.uniform(0.034, 0.04), rng.uniform(0.27, 0.31), rng.uniform(0.013, 0.015)
        shoulder = h * rng.uniform(0.52, 0.64)
        steep = rng.uniform(0.02, 0.09)
    elif kind == "beer":
        r, h, n = rng.uniform(0.029, 0.033), rng.uniform(0.19, 0.25), 0.0125
        shoulder, steep = h * rng.uniform(0.5, 0.6), rng.uniform(0.03, 0.07)
    elif kind == "milk":
        r, h, n = rng.uniform(0.036, 0.045), rng.uniform(0.17, 0.23), rng.uniform(0.018, 0.022)
        shoulder, steep = h * rng.uniform(0.5, 0.62), rng.uniform(0.04, 0.06)
    elif kind == "water":
        r, h, n = rng.uniform(0.029, 0.036), rng.uniform(0.19, 0.27), 0.0135
        shoulder, steep = h * rng.uniform(0.64, 0.75), rng.uniform(0.03, 0.05)
    elif kind == "flask":
        r, h, n = rng.uniform(0.033, 0.04), rng.uniform(0.19, 0.26), rng.uniform(0.02, 0.03)
        shoulder, steep = h * rng.uniform(0.72, 0.82), 0.02
    else:
        r, h, n = rng.uniform(0.026, 0.04), rng.uniform(0.13, 0.22), rng.uniform(0.009, 0.014)
        shoulder, steep = h * rng.uniform(0.68, 0.85), rng.uniform(0.008, 0.025)
    top = min(shoulder + steep, h - 0.015)
    base = r * rng.uniform(0.93, 1.0)
    foot = curve([(base * 0.9, 0), (base, 0), (base, 0.005)], 5)
    side = np.linspace([base, 0.006], [r, shoulder], 5)
    neck = curve([(r, shoulder), (r, shoulder + 0.5 * (top - shoulder)), (n, top), (n, h)], 14)
    return np.concatenate([[(0.0, 0.003), (base * 0.8, 0.002)], foot, side, neck[1:]]), 0.008, shoulder


def bottle(rng: np.random.Generator) -> Asset:
    """Make a bottle: wine, beer, milk, water, a drinking flask, shampoo; with cap, cork, pump and label."""
    kind = pick(rng, {"wine": 2.5, "beer": 2, "milk": 1, "water": 2, "flask": 1.5, "shampoo": 2})
    line, low, high = _outline(rng, kind)
    square, flat = 2.0, 1.0
    if kind == "shampoo" and rng.random() < 0.7:
        square, flat = rng.uniform(2, 4.5), rng.uniform(0.5, 1.0)
    body = Turned(line, square, flat)
    clear = rng.random() < {"wine": 0.35, "beer": 0.4, "water": 0.7}.get(kind, 0.0)
    finish: Finish = "glass" if clear else ("glossy" if kind != "flask" or rng.random() < 0.4 else "metal")
    if kind == "shampoo" and rng.random() < 0.4:
        finish = "satin"
    if kind == "water" and rng.random() < 0.6:
        wave = np.where((line[:, 1] > low) & (line[:, 1] < high), 0.0008 * np.sin(line[:, 1] * 500), 0)
        body = Turned(line + np.column_stack([wave, 0 * wave]))
    top, neck = float(line[-1, 1]), float(line[-1, 0])
    shell = Turned(np.concatenate([body.profile, [(0.0, top)]]), square, flat)
    parts = [shell.mesh(48).part(finish=finish, paint=True)]
    if clear and rng.random() < 0.8:
        level = high * rng.uniform(0.6, 1.0)
        parts.append(filled(body, level).part(finish="glossy", paint=True))
    parts += _closure(rng, kind, top, neck)
    room = high - low
    if kind != "milk" and rng.random() < (0.4 if kind == "flask" else 0.88):
        start = low + room * rng.uniform(0.08, 0.35)
        parts.append(sticker(rng, body, (start, start + (high - start) * rng.uniform(0.5, 0.95))))
    if kind in ("wine", "beer") and rng.random() < 0.5:
        size = top - high
        start = high + size * rng.uniform(0.45, 0.65)
        sleeve = body.patch((0, 2 * math.pi), (start, top - 0.001), 0.0006)
        parts.append(sleeve.part(labels.print_on(rng), "satin"))
    return asset(rng, "bottle", parts)


def _closure(rng: np.random.Generator, kind: str, top: float, neck: float) -> list[Part]:
    tone = labels.print_on(rng)
    if kind == "wine" and rng.random() < 0.5:
        bead = [(neck, -0.018), (neck + 0.0018, -0.016), (neck + 0.0018, -0.01), (neck, -0.008)]
        ring = lathe(bead).moved(z=top)
        cork = lathe(cap(neck * 0.8, top - 0.004, top + rng.uniform(0.006, 0.014)), 24)
        return [ring.part(finish="glossy", paint=True), cork.part((0.72, 0.53, 0.35), "matte")]
    if kind == "beer":
        rim = np.array(
            [(neck, 0), (neck + 0.0022, 0), (neck + 0.0015, 0.004), (neck - 0.002, 0.0065), (0, 0.0065)]
        )
        return [
            lathe(rim + np.array([0, top - 0.002]), 21).part(
                tone if rng.random() < 0.6 else labels.steel(rng), "metal"
            )
        ]
    if kind == "shampoo" and rng.random() < 0.4:
        stem = lathe(cap(0.004, top, top + 0.03), 16)
        path = curve(
            [(0, 0, top + 0.03), (-0.01, 0, top + 0.034), (-0.03, 0, top + 0.032), (-0.034, 0, top + 0.024)],
            10,
        )
        collar = lathe(cap(neck + 0.003, top - 0.006, top + 0.012), 28)
        head = lathe(cap(0.008, top + 0.026, top + 0.037), 20)
        return [join([stem, collar, head, tube(path, 0.008, 0.007)]).part(tone, "satin")]
    tall = {"shampoo": 0.028, "flask": 0.03, "milk": 0.01}.get(kind, 0.016) * rng.uniform(0.8, 1.4)
    wide = neck + rng.uniform(0.001, 0.004) + (0.008 if kind == "shampoo" else 0)
    parts = [lathe(cap(wide, top - 0.5 * min(tall, 0.014), top + tall * 0.7), 36).part(tone, "satin")]
    if kind == "flask" and rng.random() < 0.5:
        turn = np.linspace(0, math.pi, 16)
        arch = np.column_stack([wide * 0.8 * np.cos(turn), 0 * turn, top + tall * 0.6 + 0.02 * np.sin(turn)])
        parts.append(tube(arch, 0.008, 0.004).part(tone, "satin"))
    return parts


def jar(rng: np.random.Generator) -> Asset:
    """Make a jar: glass with food seen through it, or opaque, under a wide lid, mostly labelled."""
    radius, height = rng.uniform(0.03, 0.048), rng.uniform(0.06, 0.15)
    mouth = radius * rng.uniform(0.75, 0.95)
    line = np.concatenate(
        [
            [(0.0, 0.002), (radius * 0.85, 0.0)],
            curve([(radius * 0.88, 0), (radius, 0.0), (radius, 0.012), (radius, 0.75 * height)], 10),
            curve(
                [(radius, 0.76 * height), (radius, 0.9 * height), (mouth, 0.9 * height), (mouth, height)], 8
            ),
        ]
    )
    square = rng.uniform(3, 5) if rng.random() < 0.2 else 2.0
    shell = Turned(np.concatenate([line, [(0.0, height)]]), square).mesh(48)
    if rng.random() < 0.6:
        contents = filled(Turned(line, square), 0.85 * height).part(finish="satin", paint=True)
        parts = [contents, shell.part(finish="glass", paint=True)]
    else:
        parts = [shell.part(finish="glossy" if rng.random() < 0.7 else "matte", paint=True)]
    painted_lid = rng.random() < 0.4
    lid = lathe(cap(mouth + 0.0025, height - 0.006, height + rng.uniform(0.006, 0.014)), 48)
    tone = labels.wooden(rng) if rng.random() < 0.25 else labels.steel(rng)
    parts.append(lid.part(tone, "satin", paint=painted_lid))
    if rng.random() < 0.8:
        start = rng.uniform(0.12, 0.25) * height
        parts.append(sticker(rng, Turned(line, square), (start, 0.7 * height)))
    return asset(rng, "jar", parts)
