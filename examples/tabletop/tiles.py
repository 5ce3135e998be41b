"""Painters of tiles and bricks."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from examples.tabletop.layouts import Layout, grid, hexagons, rows
from examples.tabletop.noise import blurred, cells, noise, relief
from examples.tabletop.paint import Paint, hue, mixed, shaded, varied


def _glaze(rng: np.random.Generator) -> np.ndarray:
    """A tile's colour: mostly white or grey, sometimes tinted or deep."""
    kind = rng.random()
    if kind < 0.4:
        return varied(rng, (0.88, 0.87, 0.85), 0.06, 0.02)
    if kind < 0.55:
        return varied(rng, (0.45, 0.46, 0.48), 0.4, 0.02)
    return hue(rng, (0.15, 0.35), (0.6, 0.9)) if kind < 0.8 else hue(rng, (0.4, 0.75), (0.3, 0.6))


def _laid(
    rng: np.random.Generator, layout: Layout, colours: np.ndarray, joint: float, spread: float
) -> np.ndarray:
    """Pieces in their own colours [count, 3], each a little off in tone, in grout."""
    tone = rng.normal(1, spread, layout.count).astype(np.float32)[layout.ident]
    face = colours[layout.ident] * (tone * (1 + 0.015 * noise(rng, 10, falloff=2)))[..., None]
    grey = rng.uniform(0.75, 0.9) if rng.random() < 0.6 else rng.uniform(0.25, 0.55)
    grout = shaded(
        varied(rng, (grey, grey * 0.985, grey * 0.96), 0.03, 0.01), 1 + 0.05 * noise(rng, 120, falloff=1)
    )
    face = shaded(face, 1 - 0.12 * np.exp(-np.maximum(layout.edge - joint / 2, 0) / 1.6))
    return mixed(face, grout, layout.joint(joint))


def _single(rng: np.random.Generator, layout: Layout) -> np.ndarray:
    return np.repeat(_glaze(rng)[None], layout.count, axis=0)


def ceramic(rng: np.random.Generator) -> Paint:
    """A square grid of one glaze."""
    layout = grid(int(rng.integers(3, 6)))
    image = _laid(rng, layout, _single(rng, layout), rng.uniform(3, 7), rng.uniform(0.01, 0.04))
    return Paint(image, rng.uniform(0.45, 0.8), rng.uniform(0.4, 0.8))


def subway(rng: np.random.Generator) -> Paint:
    """Glazed bricks in a running bond."""
    count = int(rng.choice([6, 8]))
    layout = rows(count, count // 2, np.arange(count) % 2 / 2)
    image = _laid(rng, layout, _single(rng, layout), rng.uniform(3, 5), rng.uniform(0.01, 0.05))
    return Paint(image, rng.uniform(0.5, 0.8), rng.uniform(0.5, 0.85))


def hexagonal(rng: np.random.Generator) -> Paint:
    """Hexagons of one glaze, or of two in confusion."""
    layout = hexagons(*((5, 6), (7, 8), (12, 14))[rng.integers(3)])
    colours = _single(rng, layout)
    if rng.random() < 0.5:
        colours[rng.random(layout.count) < rng.uniform(0.1, 0.5)] = _glaze(rng)
    return Paint(
        _laid(rng, layout, colours, rng.uniform(2, 4.5), 0.025), rng.uniform(0.35, 0.7), rng.uniform(0.3, 0.7)
    )


def checkerboard(rng: np.random.Generator) -> Paint:
    """Dark and pale squares in turn."""
    side = int(rng.choice([4, 6]))
    layout = grid(side)
    piece = np.arange(layout.count)
    dark = (piece // side + piece % side) % 2 == 1
    pale = varied(rng, (0.88, 0.86, 0.82), 0.06, 0.02)
    deep = varied(rng, (0.12, 0.12, 0.13), 0.3) if rng.random() < 0.5 else hue(rng, (0.35, 0.8), (0.25, 0.55))
    colours = np.where(dark[:, None], deep, pale)
    return Paint(
        _laid(rng, layout, colours, rng.uniform(1, 4), 0.02), rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.8)
    )


def terracotta(rng: np.random.Generator) -> Paint:
    """Fired clay squares, uneven in tone."""
    layout = grid(int(rng.integers(3, 5)))
    base = varied(rng, (0.68, 0.39, 0.26), 0.12, 0.03)
    colours = (
        base * rng.normal(1, 0.07, (layout.count, 1)) + rng.normal(0, 0.012, (layout.count, 3))
    ).astype(np.float32)
    image = _laid(rng, layout, colours, rng.uniform(7, 12), 0.02)
    mottle = 1 + 0.05 * noise(rng, 8, falloff=1.8) + 0.025 * noise(rng, 90, falloff=1.2)
    return Paint(shaded(image, mottle), rng.uniform(0.6, 0.9), rng.uniform(0.05, 0.3))


def mosaic(rng: np.random.Generator) -> Paint:
    """Small squares of related colours, in a grid or set by hand."""
    ground = hue(rng, (0.15, 0.6), (0.45, 0.85))
    palette = np.stack([ground, ground * 0.7, np.minimum(ground * 1.2, 0.95), _glaze(rng)])
    if rng.random() < 0.6:
        layout = grid(int(rng.choice([12, 16, 20])))
    else:
        stones = cells(rng, int(rng.choice([196, 324])), jitter=0.25)
        layout = Layout(stones.ident, stones.count, stones.edge, stones.edge, stones.edge)
    colours = palette[rng.choice(4, layout.count, p=[0.4, 0.25, 0.2, 0.15])]
    return Paint(
        _laid(rng, layout, colours, rng.uniform(3, 5), 0.05), rng.uniform(0.3, 0.5), rng.uniform(0.3, 0.7)
    )


def flagstones(rng: np.random.Generator) -> Paint:
    """Irregular flat stones."""
    stones = cells(rng, int(rng.choice([16, 25, 36])), jitter=0.35)
    edge = stones.edge + 1.2 * noise(rng, 30, falloff=3)
    layout = Layout(stones.ident, stones.count, edge, edge, edge)
    base = varied(rng, (0.56, 0.53, 0.49), 0.2, 0.05)
    colours = (base * rng.normal(1, 0.1, (stones.count, 1)) + rng.normal(0, 0.015, (stones.count, 3))).astype(
        np.float32
    )
    image = _laid(rng, layout, colours, rng.uniform(8, 14), 0.02)
    return Paint(
        shaded(image, relief(noise(rng, 40, falloff=2), 0.07)), rng.uniform(0.6, 1.0), rng.uniform(0, 0.15)
    )


def brick(rng: np.random.Generator) -> Paint:
    """A brick wall: red, brown, or painted over."""
    count = int(rng.choice([8, 10]))
    layout = rows(count, max(3, round(count / 2.8)), np.arange(count) % 2 / 2)
    rough = noise(rng, 50, falloff=2)
    edge = layout.edge + 0.9 * noise(rng, 24, falloff=2.5)
    layout = Layout(layout.ident, layout.count, layout.along, layout.across, edge)
    base = varied(
        rng, ((0.60, 0.30, 0.22), (0.52, 0.36, 0.27), (0.70, 0.52, 0.38))[rng.integers(3)], 0.12, 0.02
    )
    colours = (base * rng.normal(1, 0.12, (layout.count, 1))).astype(np.float32)
    joint = rng.uniform(7, 10)
    image = _laid(rng, layout, colours, joint, 0.02)
    if rng.random() < 0.3:
        image = np.broadcast_to(varied(rng, (0.85, 0.84, 0.81), 0.1, 0.03), image.shape)
    height = 1.2 * (1 - blurred(layout.joint(joint), 1.5)) + 0.25 * rough
    return Paint(shaded(image, relief(height, 0.28)), rng.uniform(0.65, 0.85), 0.0)


PAINTERS: Final[Mapping[str, Callable[[np.random.Generator], Paint]]] = {
    "ceramic tiles": ceramic,
    "subway tiles": subway,
    "hexagon tiles": hexagonal,
    "checkerboard": checkerboard,
    "terracotta": terracotta,
    "mosaic": mosaic,
    "flagstones": flagstones,
    "brick": brick,
}
"""Everything laid in joints, by name."""
