"""Bottles of ketchup and of other sauces."""

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.prints import sticker
from examples.tabletop.shapes_bottles import cap, filled
from examples.tabletop.solids import Turned, curve, lathe

CAPS: tuple[RGB, ...] = ((0.95, 0.95, 0.94), (0.95, 0.95, 0.94), (0.15, 0.5, 0.18), (0.75, 0.08, 0.07))
"""Colours of ketchup's caps."""
LIDS: tuple[RGB, ...] = (
    (0.75, 0.08, 0.06),
    (0.1, 0.4, 0.15),
    (0.06, 0.06, 0.06),
    (0.95, 0.95, 0.94),
    (0.85, 0.68, 0.25),
)
"""Colours of a sauce's cap."""


def _necked(radius: float, shoulder: float, rise: float, neck: float, top: float) -> np.ndarray:
    """Return a bottle's outside: straight to its shoulder, then drawn in to a neck over a height ``rise``."""
    side = curve([(radius * 0.9, 0), (radius, 0), (radius, 0.006), (radius, shoulder)], 9)
    slope = [
        (radius, shoulder + 0.001),
        (radius, shoulder + 0.4 * rise),
        (neck, shoulder + rise),
        (neck * 0.95, top),
    ]
    return np.concatenate([[(0.0, 0.002), (radius * 0.85, 0.0)], side, curve(slope, 14)])


def ketchup(rng: np.random.Generator) -> Asset:
    """Make a bottle of ketchup: to squeeze, with a pointed cap or standing on it, or of glass with facets."""
    kind = pick(rng, {"squeeze": 4.5, "glass": 1.5})
    height, radius = rng.uniform(0.15, 0.2), rng.uniform(0.03, 0.038)
    base = labels.light(rng) if rng.random() < 0.75 else (0.85, 0.78, 0.5)
    tone = CAPS[rng.integers(len(CAPS))]
    if kind == "squeeze":
        return asset(rng, "ketchup", _squeezed(rng, radius, height, base, tone))
    top, neck = height * 1.05, rng.uniform(0.012, 0.015)
    line = _necked(radius * 0.95, 0.5 * height, 0.3 * height, neck, top)
    facets = int(rng.choice([8, 10, 40]))
    # On facets the label lies on their edges; on a round bottle it needs the room.
    around = Turned(line + np.array([0.001 if facets == 40 else 0.0, 0]))
    parts = [
        lathe([*line, (0, top)], facets).part(finish="glossy", paint=True),
        lathe(cap(neck + 0.002, top - 0.014, top + 0.002), 32).part(tone, "glossy"),
        sticker(rng, around, (0.15 * height, 0.46 * height), base=base),
        Turned(line).patch((0, 7), (0.84 * height, 0.92 * height), 0.0006).part(base, "satin"),
    ]
    return asset(rng, "ketchup", parts)


def _squeezed(rng: np.random.Generator, radius: float, height: float, base: RGB, tone: RGB) -> list[Part]:
    square, flat = rng.uniform(2.0, 3.0), rng.uniform(0.55, 0.8)
    if rng.random() < 0.55:
        waist = rng.uniform(0.8, 0.97)
        points = [(radius * 0.9, 0), (radius, 0), (radius, 0.2 * height), (radius * waist, 0.5 * height)]
        points += [(radius, 0.78 * height), (radius * 0.85, height), (0.013, height)]
        nozzle = [(0.016, 0), (0.0165, 0.008), (0.012, 0.012), (0.006, 0.022), (0.003, 0.04), (0, 0.041)]
        top = lathe(nozzle, 32).scaled(1, 1, rng.uniform(0.7, 1.1)).moved(z=height - 0.001)
        if rng.random() < 0.4:
            top = Turned(cap(0.02, height - 0.002, height + 0.022), 2.2, 0.85).mesh(36)
        span = (0.2 * height, 0.72 * height)
    else:
        points = [(radius * 0.72, 0.024), (radius * 0.8, 0.03), (radius, 0.45 * height)]
        points += [(radius * 0.98, 0.85 * height), (radius * 0.75, height), (0.0, height)]
        top = Turned(cap(radius * 0.76, 0.0, 0.025), square, flat).mesh(48)
        span = (0.33 * height, 0.8 * height)
    line = curve(points, 20)
    shell = Turned(np.concatenate([[(0.0, line[0, 1])], line]), square, flat).mesh(48)
    body = Turned(line[: int(np.argmax(line[:, 1])) + 1], square, flat)
    paper = base if rng.random() < 0.8 else None
    label = sticker(rng, body, span, base=paper, round_about=False)
    return [shell.part(finish="glossy", paint=True), top.part(tone, "satin"), label]


def sauce(rng: np.random.Generator) -> Asset:
    """Make a bottle of sauce: a slim neck over a round body, a flat flask or a small square one, labelled."""
    kind = pick(rng, {"slim": 3, "flat": 2, "small": 1.5})
    height = rng.uniform(0.11, 0.15) if kind == "small" else rng.uniform(0.16, 0.24)
    radius, neck = height * rng.uniform(0.12, 0.17) + 0.003, rng.uniform(0.008, 0.012)
    shoulder, rise = height * rng.uniform(0.48, 0.62), height * rng.uniform(0.06, 0.2)
    line = _necked(radius, shoulder, rise, neck, height)
    square = {"slim": 2.0, "flat": rng.uniform(2.2, 4), "small": rng.uniform(2, 5)}[kind]
    body = Turned(line, square, rng.uniform(0.5, 0.75) if kind == "flat" else 1.0)
    finish: Finish = "glossy" if rng.random() < 0.75 else "glass"
    shell = Turned(np.concatenate([line, [(0.0, height)]]), square, body.flat).mesh(44)
    parts = [shell.part(finish=finish, paint=True)]
    if finish == "glass":
        parts.append(filled(body, shoulder + rise).part(finish="glossy", paint=True))
    tone, tall = LIDS[rng.integers(len(LIDS))], rng.uniform(0.014, 0.03)
    lid = height + tall * 0.6
    parts.append(lathe(cap(neck + 0.002, height - 0.01, lid), 32).part(tone, "satin"))
    if rng.random() < 0.3:
        nozzle = lathe([(neck * 0.9, 0), (0.003, tall), (0, tall + 0.001)], 24).moved(z=lid)
        parts.append(nozzle.part(tone, "satin"))
    span = (shoulder * rng.uniform(0.1, 0.25), shoulder * rng.uniform(0.75, 0.98))
    parts.append(sticker(rng, body, span))
    if rng.random() < 0.4:
        start = shoulder + rise + 0.2 * (height - shoulder - rise)
        band = body.patch((0, 7), (start, start + rng.uniform(0.01, 0.02)), 0.0006)
        parts.append(band.part(labels.print_on(rng)))
    return asset(rng, "sauce", parts)
