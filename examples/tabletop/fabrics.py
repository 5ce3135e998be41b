"""Painters of cloth, and of soft or thin coverings: leather, cork, carpet, paper, paint."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from examples.tabletop.noise import SIZE, blurred, cells, noise, pixels, relief, sample
from examples.tabletop.paint import Paint, hue, mixed, shaded, varied


def _dye(rng: np.random.Generator) -> np.ndarray:
    """A cloth's colour: undyed, muted or strong."""
    kind = rng.random()
    if kind < 0.35:
        return varied(rng, (0.84, 0.79, 0.70), 0.1, 0.03)
    return hue(rng, (0.15, 0.4), (0.4, 0.8)) if kind < 0.75 else hue(rng, (0.5, 0.8), (0.3, 0.7))


def _pale(rng: np.random.Generator) -> np.ndarray:
    return varied(rng, (0.90, 0.88, 0.84), 0.06, 0.02)


def _weave(
    rng: np.random.Generator, threads: int, slub: float, twill: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Threads over and under each other.

    Args:
        rng: Randomness.
        threads: Threads in a tile, a multiple of ``twill``.
        slub: How uneven the threads are.
        twill: 2 for a plain weave; at 3 and more one thread in so many passes over, in diagonals.

    Returns:
        Where the crossing thread lies on top (0 or 1), and the shading, about 1; float32 [512, 512].
    """
    x, y = pixels()
    bend = np.float32(0.25) * noise(rng, 12, falloff=3)
    u, v = x * (threads / SIZE) + bend, y * (threads / SIZE) + bend
    i, j = np.floor(u).astype(int), np.floor(v).astype(int)
    over = ((i + j) % twill == 0).astype(np.float32)
    profile = np.where(over > 0, np.sin(np.pi * (v - j)), np.sin(np.pi * (u - i)))
    uneven = 1 + slub * rng.standard_normal((2, threads)).astype(np.float32)
    tone = np.where(over > 0, uneven[0, j % threads], uneven[1, i % threads])
    lengthwise = noise(rng, threads / 2, falloff=2, stretch=14)
    streaks = np.where(over > 0, lengthwise, lengthwise.T)
    return over, ((0.78 + 0.26 * profile) * tone + slub * 0.6 * streaks).astype(np.float32)


def _folded(rng: np.random.Generator) -> np.ndarray:
    """Very soft shading of a cloth that does not lie quite flat."""
    return relief(noise(rng, 3, falloff=4), rng.uniform(0, 1.0))


def _cloth(rng: np.random.Generator, dyes: np.ndarray, metres: tuple[float, float]) -> Paint:
    """``dyes`` (a colour [3] or an image) on a fine plain weave."""
    _, shade = _weave(rng, int(rng.choice([96, 128, 160])), rng.uniform(0.02, 0.06))
    return Paint(shaded(dyes, shade * _folded(rng)), rng.uniform(*metres), 0.0)


def linen(rng: np.random.Generator) -> Paint:
    """Coarse plain weave with slubs."""
    _, shade = _weave(rng, int(rng.choice([72, 96, 112])), rng.uniform(0.06, 0.11))
    return Paint(shaded(_dye(rng), shade * _folded(rng)), rng.uniform(0.2, 0.4), 0.0)


def _bands(repeats: int, share: float) -> np.ndarray:
    """1 on stripes along y that fill ``share`` of each of ``repeats`` periods, 0 between; float32 [512]."""
    x = np.arange(SIZE, dtype=np.float32) * (repeats / SIZE)
    distance = np.abs(x - np.floor(x) - 0.5) * (SIZE / repeats)
    return np.clip(share * SIZE / repeats / 2 - distance + 0.5, 0, 1)


def gingham(rng: np.random.Generator) -> Paint:
    """Stripes both ways over white: full colour where they cross."""
    band = _bands(int(rng.choice([6, 8, 12])), 0.5)
    dye = hue(rng, (0.55, 0.85), (0.3, 0.75))
    return _cloth(rng, mixed(_pale(rng), dye, (band[:, None] + band[None, :]) / 2), (0.25, 0.5))


def tartan(rng: np.random.Generator) -> Paint:
    """Broad and thin stripes both ways in three colours."""
    repeats = int(rng.integers(2, 5))
    image = np.broadcast_to(hue(rng, (0.45, 0.8), (0.25, 0.6)), (SIZE, SIZE, 3))
    for share, shift in (
        (rng.uniform(0.3, 0.5), 0.0),
        (0.12, rng.uniform(0.35, 0.5)),
        (0.05, rng.uniform(0.2, 0.3)),
    ):
        dye = _pale(rng) if share < 0.1 else hue(rng, (0.3, 0.8), (0.1, 0.7))
        band = np.roll(_bands(repeats, share), int(shift * SIZE / repeats))
        image = mixed(image, dye, (band[:, None] + band[None, :]) * 0.5)
    return _cloth(rng, image, (0.4, 0.8))


def striped(rng: np.random.Generator) -> Paint:
    """Stripes of one or two colours on a pale ground."""
    repeats = int(rng.choice([4, 6, 8, 12]))
    image = np.broadcast_to(_pale(rng), (SIZE, SIZE, 3))
    share = rng.uniform(0.2, 0.55)
    image = mixed(image, hue(rng, (0.4, 0.8), (0.2, 0.7)), np.tile(_bands(repeats, share), (SIZE, 1)))
    if rng.random() < 0.5:
        thin = np.roll(_bands(repeats, 0.1), SIZE // repeats // 2)
        image = mixed(image, _dye(rng), np.tile(thin, (SIZE, 1)))
    return _cloth(rng, image, (0.3, 0.6))


def denim(rng: np.random.Generator) -> Paint:
    """Twill of blue over white threads, faded in patches."""
    over, shade = _weave(rng, int(rng.choice([96, 120, 144])), 0.08, twill=3)
    blue = varied(rng, (0.20, 0.28, 0.42), 0.35, 0.02)
    fade = rng.uniform(0.1, 0.3) + 0.04 * noise(rng, 5, falloff=2) + 0.35 * over
    return Paint(
        shaded(mixed(blue, varied(rng, (0.78, 0.80, 0.83)), fade), shade), rng.uniform(0.15, 0.3), 0.0
    )


def felt(rng: np.random.Generator) -> Paint:
    """Matted fibres of one colour."""
    x, y = pixels()
    fibres = noise(rng, 90, falloff=2.5, stretch=5)
    fibres = sample(fibres, x + 25 * noise(rng, 12, falloff=3), y + 25 * noise(rng, 12, falloff=3))
    crossing = noise(rng, 90, falloff=2.5, stretch=5).T
    tone = 1 + 0.05 * fibres + 0.04 * crossing + 0.03 * noise(rng, 5, falloff=2)
    return Paint(shaded(hue(rng, (0.2, 0.75), (0.3, 0.7)), tone), rng.uniform(0.2, 0.4), 0.0)


def knitted(rng: np.random.Generator) -> Paint:
    """Columns of V-shaped stitches."""
    x, y = pixels()
    columns = int(rng.choice([14, 18, 24]))
    lines = int(columns * rng.uniform(1.2, 1.5))
    wobble = np.float32(0.06) * noise(rng, columns, falloff=3)
    u, v = x * (columns / SIZE) + wobble, y * (lines / SIZE) + wobble
    half = np.abs(2 * (u - np.floor(u)) - 1)
    stitch = v + 0.75 * half
    bump = (
        np.sin(np.pi * (stitch - np.floor(stitch))) ** 0.6 * np.sin(np.pi * np.clip(half, 0.02, 0.98)) ** 0.5
    )
    fuzz = 1 + 0.06 * noise(rng, 140, falloff=1.2) + 0.03 * noise(rng, 4, falloff=2)
    return Paint(shaded(_dye(rng), (0.5 + 0.55 * bump) * fuzz), rng.uniform(0.15, 0.3), 0.0)


def dotted(rng: np.random.Generator) -> Paint:
    """Damask or printed dots in offset rows, tone on tone or in contrast."""
    x, y = pixels()
    pitch = SIZE / int(rng.choice([6, 8, 10, 14]))
    radius = rng.uniform(0.14, 0.24) * pitch
    image = np.broadcast_to(ground := _dye(rng), (SIZE, SIZE, 3))
    mark = np.clip(ground * rng.choice([0.8, 1.2]), 0, 0.96) if rng.random() < 0.4 else _pale(rng)
    if np.abs(mark - ground).max() < 0.12:
        mark = hue(rng, (0.4, 0.8), (0.25, 0.6))
    for shift in (0.0, 0.5):
        dx, dy = ((axis / pitch - shift) - np.round(axis / pitch - shift) for axis in (x, y))
        image = mixed(image, mark.astype(np.float32), radius - np.hypot(dx, dy) * pitch + 0.5)
    return _cloth(rng, image, (0.25, 0.5))


def leather(rng: np.random.Generator) -> Paint:
    """Pebbled hide."""
    pebbles = cells(rng, int(rng.integers(2500, 5000)))
    height = blurred(np.minimum(pebbles.edge, 4.0), 1.0)
    base = varied(
        rng, ((0.38, 0.22, 0.13), (0.15, 0.12, 0.11), (0.58, 0.36, 0.20), (0.45, 0.14, 0.12))[rng.integers(4)]
    )
    tone = relief(height, 0.16) * (0.84 + 0.05 * height) * (1 + 0.03 * noise(rng, 4, falloff=2.2))
    return Paint(shaded(base, tone), rng.uniform(0.25, 0.45), rng.uniform(0.15, 0.4))


def cork(rng: np.random.Generator) -> Paint:
    """Pressed granules with dark specks."""
    grains = cells(rng, int(rng.integers(1500, 3500)))
    tone = rng.normal(1, 0.07, grains.count).astype(np.float32)[grains.ident]
    dark = (rng.random(grains.count) < 0.07).astype(np.float32)[grains.ident] * np.clip(grains.edge / 3, 0, 1)
    edge = np.exp(-grains.edge / 1.2)
    shade = blurred(tone * (1 - 0.15 * edge) * (1 - 0.4 * dark), 0.8) * (
        1 + 0.03 * noise(rng, 120, falloff=1.2)
    )
    return Paint(shaded(varied(rng, (0.74, 0.55, 0.36), 0.1, 0.02), shade), rng.uniform(0.25, 0.45), 0.05)


def carpet(rng: np.random.Generator) -> Paint:
    """Short pile: tufts and soft tracks."""
    tufts = cells(rng, int(rng.integers(7000, 12000)))
    pile = blurred(rng.normal(0, 1, tufts.count).astype(np.float32)[tufts.ident], 0.8)
    tone = 0.9 + 0.10 * pile + 0.05 * noise(rng, 4, falloff=2.5) + 0.05 * noise(rng, 200, falloff=1)
    fleck = blurred((rng.random(tufts.count) < rng.uniform(0, 0.3)).astype(np.float32)[tufts.ident], 0.8)
    ground = _dye(rng)
    return Paint(shaded(mixed(ground, ground * 0.7, fleck), tone), rng.uniform(0.3, 0.6), 0.0)


def paper(rng: np.random.Generator) -> Paint:
    """White, kraft or coloured paper with faint fibres."""
    kinds = (
        varied(rng, (0.92, 0.91, 0.88), 0.05, 0.02),
        varied(rng, (0.70, 0.56, 0.40), 0.1),
        hue(rng, (0.1, 0.4), (0.6, 0.9)),
    )
    fibres = np.clip(noise(rng, 60, falloff=4, stretch=6) - 2, 0, 1) + np.clip(
        noise(rng, 60, falloff=4, stretch=6).T - 2, 0, 1
    )
    tone = 1 + 0.012 * noise(rng, 30, falloff=1.2) + 0.012 * noise(rng, 3, falloff=3) - 0.07 * fibres
    return Paint(shaded(kinds[rng.integers(3)], tone), rng.uniform(0.3, 0.6), 0.02)


def painted(rng: np.random.Generator) -> Paint:
    """A plain coat of paint or laminate of any colour, with roller texture."""
    kind = rng.random()
    if kind < 0.35:
        base = varied(rng, (0.88, 0.87, 0.85), 0.08, 0.02)
    elif kind < 0.55:
        base = varied(rng, (0.42, 0.42, 0.43), 0.7, 0.02)
    else:
        base = hue(rng, (0.1, 0.45), (0.4, 0.9)) if kind < 0.85 else hue(rng, (0.5, 0.8), (0.2, 0.6))
    tone = relief(noise(rng, rng.uniform(60, 120), falloff=3), rng.uniform(0, 0.025)) * (
        1 + 0.01 * noise(rng, 2, falloff=3)
    )
    return Paint(shaded(base, tone), rng.uniform(0.4, 1.0), rng.uniform(0, 0.6))


def wallpaper(rng: np.random.Generator) -> Paint:
    """Broad upright stripes, tone on tone."""
    repeats, share = int(rng.choice([4, 5, 8])), rng.uniform(0.35, 0.6)
    ground = hue(rng, (0.05, 0.35), (0.65, 0.93))
    stripe = np.clip(ground * rng.uniform(0.72, 0.9) + rng.uniform(-0.04, 0.04, 3), 0, 1).astype(np.float32)
    image = mixed(ground, stripe, np.tile(_bands(repeats, share), (SIZE, 1)))
    return Paint(shaded(image, 1 + 0.01 * noise(rng, 80, falloff=1.2)), rng.uniform(0.5, 0.9), 0.05)


PAINTERS: Final[Mapping[str, Callable[[np.random.Generator], Paint]]] = {
    "linen": linen,
    "gingham": gingham,
    "tartan": tartan,
    "striped cloth": striped,
    "denim": denim,
    "felt": felt,
    "knitted": knitted,
    "dotted cloth": dotted,
    "leather": leather,
    "cork": cork,
    "carpet": carpet,
    "paper": paper,
    "painted": painted,
    "wallpaper stripes": wallpaper,
}
"""Every cloth and covering, by name."""
