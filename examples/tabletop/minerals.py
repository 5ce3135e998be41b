"""Painters of stone, concrete, plaster and metal."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from examples.tabletop.asset import RGB
from examples.tabletop.noise import SIZE, blurred, cells, noise, pixels, relief, sample
from examples.tabletop.paint import Paint, hue, mixed, shaded, varied


def _veins(rng: np.random.Generator, cycles: float, width: float) -> np.ndarray:
    """Long slanting lines that come and go, 0 to 1: the zero crossings of sheared, rough noise."""
    x, y = pixels()
    # A shear by a whole number keeps the field periodic.
    slant = int(rng.choice([-1, 1]))
    field = noise(rng, cycles, falloff=4.5, stretch=2)
    crumple = noise(rng, 10, falloff=2.7)
    bent = sample(field, x + 9 * crumple, y + slant * x + 9 * np.roll(crumple, SIZE // 2, axis=1))
    strength = np.clip(0.45 + 0.5 * noise(rng, cycles * 1.2, falloff=3), 0, 1)
    return np.exp(-np.abs(bent) / (np.float32(width) * (0.3 + strength))) * strength


def marble(base: RGB, cloud: RGB, vein: RGB, fine: float) -> Callable[[np.random.Generator], Paint]:
    """Polished marble: clouds, broad veins, and hairlines in the share ``fine``."""

    def paint(rng: np.random.Generator) -> Paint:
        ground, clouds, veins = (
            varied(rng, base, 0.06, 0.012),
            varied(rng, cloud, 0.08, 0.015),
            varied(rng, vein, 0.15),
        )
        image = mixed(ground, clouds, 0.35 + 0.3 * noise(rng, rng.uniform(2, 4), falloff=2.2))
        image = mixed(
            image,
            veins,
            rng.uniform(0.45, 0.85) * _veins(rng, rng.uniform(2.5, 4.5), rng.uniform(0.05, 0.14)),
        )
        image = mixed(image, veins, fine * _veins(rng, rng.uniform(5, 9), rng.uniform(0.03, 0.06)))
        return Paint(
            shaded(image, 1 + 0.008 * noise(rng, 120, falloff=2)),
            rng.uniform(0.7, 1.3),
            rng.uniform(0.5, 0.9),
        )

    return paint


def granite(palette: tuple[RGB, ...], weights: tuple[float, ...]) -> Callable[[np.random.Generator], Paint]:
    """Crystals of a few minerals, clustered."""

    def paint(rng: np.random.Generator) -> Paint:
        colours = np.stack([varied(rng, rgb, 0.1, 0.02) for rgb in palette])
        image = np.zeros((SIZE, SIZE, 3), np.float32)
        for count, share in ((int(rng.integers(5000, 9000)), 1.0), (16000, 0.45)):
            stones = cells(rng, count)
            drawn = rng.choice(len(colours), stones.count, p=np.array(weights) / sum(weights))
            speckle = (colours[drawn] * rng.uniform(0.85, 1.1, (stones.count, 1))).astype(np.float32)
            image += (speckle[stones.ident] - image) * np.float32(share)
        image = shaded(blurred(image, 0.7), 1 + 0.04 * noise(rng, 6, falloff=2))
        return Paint(image, rng.uniform(0.35, 0.6), rng.uniform(0.4, 0.8))

    return paint


def terrazzo(rng: np.random.Generator) -> Paint:
    """Chips of several stones in a pale or dark binder."""
    binder = (
        varied(rng, (0.84, 0.82, 0.78), 0.08) if rng.random() < 0.7 else varied(rng, (0.32, 0.33, 0.35), 0.2)
    )
    colours = np.stack(
        [
            varied(rng, rgb, 0.15, 0.06)
            for rgb in (
                (0.72, 0.45, 0.34),
                (0.45, 0.45, 0.46),
                (0.90, 0.87, 0.80),
                (0.42, 0.50, 0.46),
                (0.20, 0.20, 0.22),
            )
        ]
    )
    image = shaded(binder, 1 + 0.02 * noise(rng, 60, falloff=1.5))
    for count, low, high in ((2600, 1.5, 6.0), (int(rng.integers(350, 700)), 2.0, 9.0)):
        chips = cells(rng, count)
        gap = rng.uniform(low, high, chips.count).astype(np.float32)[chips.ident] + 0.6 * noise(rng, 70)
        tone = (colours[rng.integers(len(colours), size=chips.count)]).astype(np.float32)[chips.ident]
        image = mixed(image, tone, chips.edge - gap)
    return Paint(image, rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.7))


def slate(rng: np.random.Generator) -> Paint:
    """Dark cleft stone: terraces with small steps."""
    height = noise(rng, 4, falloff=2.4, stretch=rng.uniform(1, 2))
    steps = np.round(height * 3) / 3 * 0.6 + height * 0.4 + 0.05 * noise(rng, 60, falloff=1.6)
    base = varied(rng, (0.27, 0.29, 0.31), 0.25, 0.02)
    tone = relief(blurred(steps, 0.8), 0.9) * (
        1 + 0.06 * noise(rng, 6, falloff=2) + 0.03 * noise(rng, 100, falloff=1)
    )
    return Paint(shaded(base, tone), rng.uniform(0.5, 0.9), rng.uniform(0.1, 0.35))


def concrete(rng: np.random.Generator) -> Paint:
    """Cast grey with clouds, pores and stains."""
    base = varied(rng, (0.60, 0.59, 0.57), 0.22, 0.015)
    clouds = (
        0.06 * noise(rng, 3, falloff=2.2)
        + 0.03 * noise(rng, 40, falloff=1.2)
        + 0.015 * noise(rng, 200, falloff=1)
    )
    stones = cells(rng, 500)
    size = np.clip(rng.normal(-1, 1.6, stones.count), 0, 3).astype(np.float32)
    centre = blurred((stones.edge > 8).astype(np.float32), 1.5)
    pores = np.clip(centre * size[stones.ident], 0, 1)
    image = shaded(base, 1 + clouds - rng.uniform(0.05, 0.25) * pores)
    return Paint(image, rng.uniform(0.7, 1.3), rng.uniform(0.05, 0.3))


def sandstone(rng: np.random.Generator) -> Paint:
    """Faint sediment bands, sandy."""
    band = 0.5 + 0.15 * noise(rng, rng.uniform(5, 14), falloff=2, stretch=rng.uniform(2, 5))
    band += 0.12 * noise(rng, 100, falloff=0.8)
    image = mixed(varied(rng, (0.82, 0.70, 0.53), 0.1), varied(rng, (0.67, 0.51, 0.36), 0.12), band)
    grit = relief(noise(rng, 160, falloff=1.5), 0.045)
    return Paint(shaded(image, grit), rng.uniform(0.5, 0.9), rng.uniform(0, 0.1))


def travertine(rng: np.random.Generator) -> Paint:
    """Pale bands with rows of small holes."""
    image = mixed(
        varied(rng, (0.86, 0.80, 0.70), 0.07),
        varied(rng, (0.72, 0.62, 0.48), 0.1),
        0.4 + 0.25 * noise(rng, 16, falloff=2.0, stretch=5),
    )
    holes = np.clip(
        (noise(rng, 60, falloff=3, stretch=3.5) + 0.7 * noise(rng, 8, falloff=3, stretch=5) - 2.1) * 2, 0, 1
    )
    return Paint(shaded(image, 1 - 0.45 * holes), rng.uniform(0.5, 0.9), rng.uniform(0.1, 0.45))


def plaster(rng: np.random.Generator) -> Paint:
    """Trowelled plaster, nearly smooth."""
    x, y = pixels()
    strokes = noise(rng, 14, falloff=2.6, stretch=3)
    strokes = sample(strokes, x + 30 * noise(rng, 3), y + 40 * noise(rng, 3))
    base = (
        varied(rng, (0.85, 0.82, 0.77), 0.1, 0.03)
        if rng.random() < 0.7
        else hue(rng, (0.1, 0.3), (0.55, 0.85))
    )
    tone = relief(strokes, rng.uniform(0.03, 0.1)) * (1 + 0.025 * noise(rng, 3, falloff=2.5))
    return Paint(shaded(base, tone), rng.uniform(0.8, 1.6), rng.uniform(0, 0.1))


def stucco(rng: np.random.Generator) -> Paint:
    """Rough thrown render."""
    bumps = noise(rng, rng.uniform(30, 60), falloff=4) + 0.3 * noise(rng, 120, falloff=2)
    base = varied(rng, (0.82, 0.76, 0.66), 0.15, 0.06)
    return Paint(shaded(base, relief(np.maximum(bumps, -0.4), 0.16)), rng.uniform(0.8, 1.4), 0.0)


def brushed(*bases: RGB) -> Callable[[np.random.Generator], Paint]:
    """Metal with fine parallel scratches."""

    def paint(rng: np.random.Generator) -> Paint:
        base = varied(rng, bases[rng.integers(len(bases))], 0.12, 0.012)
        lines = noise(rng, 200, falloff=0.8, stretch=60) * 0.04 + noise(rng, 2, falloff=3) * 0.012
        scratches = np.clip(noise(rng, 120, falloff=4, stretch=40) - 2.4, 0, 1) * rng.uniform(0, 0.25)
        return Paint(shaded(base, 1 + lines + scratches), rng.uniform(0.4, 0.8), rng.uniform(0.5, 0.8))

    return paint


PAINTERS: Final[Mapping[str, Callable[[np.random.Generator], Paint]]] = {
    "white marble": marble((0.92, 0.91, 0.90), (0.83, 0.83, 0.84), (0.50, 0.51, 0.54), 0.35),
    "black marble": marble((0.09, 0.09, 0.10), (0.14, 0.14, 0.15), (0.75, 0.73, 0.68), 0.5),
    "green marble": marble((0.10, 0.24, 0.17), (0.17, 0.34, 0.25), (0.60, 0.72, 0.62), 0.6),
    "beige marble": marble((0.85, 0.77, 0.65), (0.77, 0.66, 0.52), (0.52, 0.37, 0.25), 0.5),
    "granite": granite(
        ((0.72, 0.69, 0.66), (0.50, 0.48, 0.47), (0.20, 0.20, 0.21), (0.76, 0.58, 0.48)), (4, 3, 2, 1.5)
    ),
    "black granite": granite(((0.10, 0.10, 0.11), (0.18, 0.18, 0.19), (0.42, 0.42, 0.43)), (6, 3, 0.8)),
    "terrazzo": terrazzo,
    "slate": slate,
    "sandstone": sandstone,
    "travertine": travertine,
    "concrete": concrete,
    "plaster": plaster,
    "stucco": stucco,
    "brushed steel": brushed((0.66, 0.67, 0.69), (0.50, 0.51, 0.53)),
    "brushed copper": brushed((0.74, 0.50, 0.39), (0.80, 0.70, 0.46)),
}
"""Every stone, render and metal, by name."""
