"""Painters of wood."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from examples.tabletop.asset import RGB
from examples.tabletop.layouts import Layout, basket, herringbone, rows
from examples.tabletop.noise import SIZE, noise, pixels, relief, sample
from examples.tabletop.paint import Paint, hue, mixed, shaded, varied


@dataclass(frozen=True, slots=True)
class Species:
    """How a wood looks: early and late wood, rings in a tile, how wavy they are, how visible pores are."""

    early: RGB
    late: RGB
    rings: float
    wave: float
    pores: float


OAK: Final = Species((0.76, 0.60, 0.41), (0.57, 0.40, 0.23), 34, 2.5, 0.5)
WALNUT: Final = Species((0.45, 0.30, 0.20), (0.25, 0.15, 0.09), 24, 3.0, 0.4)
PINE: Final = Species((0.88, 0.73, 0.51), (0.72, 0.49, 0.27), 18, 2.2, 0.0)
WENGE: Final = Species((0.24, 0.17, 0.13), (0.11, 0.08, 0.06), 44, 1.2, 0.6)
CHERRY: Final = Species((0.66, 0.38, 0.23), (0.49, 0.24, 0.13), 20, 2.5, 0.15)
MAPLE: Final = Species((0.87, 0.76, 0.60), (0.77, 0.62, 0.44), 20, 2.0, 0.1)
GREYED: Final = Species((0.60, 0.57, 0.52), (0.36, 0.33, 0.30), 30, 2.0, 0.6)


def _grain(rng: np.random.Generator, species: Species) -> np.ndarray:
    """Share of late wood, about [0, 1], float32 [512, 512]; fibres lie along x."""
    _, y = pixels()
    rings = np.float32(round(species.rings * rng.uniform(0.75, 1.3)))
    phase = rings * y / SIZE + np.float32(species.wave) * noise(rng, 4, falloff=5, stretch=4)
    phase += np.float32(0.12) * noise(rng, 30, falloff=3, stretch=12)
    saw = phase - np.floor(phase)
    # Late wood darkens slowly through the year and ends at once.
    ring = np.minimum(saw**2, (1 - saw) * 5)
    patch = noise(rng, 4, falloff=3, stretch=3)
    fibre = noise(rng, 110, falloff=2, stretch=30)
    pore = np.clip(noise(rng, 150, falloff=3, stretch=14) - 1.1, 0, 1.5)
    return (
        0.12
        + 0.5 * ring
        + 0.09 * patch
        + 0.10 * fibre
        + np.float32(species.pores) * pore * (0.3 + 0.7 * ring)
    )


def _boards(
    rng: np.random.Generator, species: Species, layout: Layout, contrast: float, joint: float
) -> np.ndarray:
    """Image of pieces cut from one wood; ``contrast`` is the spread of their tones."""
    early, late = varied(rng, species.early, 0.1, 0.02), varied(rng, species.late, 0.12, 0.015)
    offsets = rng.uniform(0, SIZE, (2, layout.count)).astype(np.float32)[:, layout.ident]
    share = sample(_grain(rng, species), layout.along + offsets[0], layout.across + offsets[1])
    tone = rng.normal(0, contrast, layout.count).clip(-2 * contrast, 2 * contrast).astype(np.float32)
    share = 0.08 + share * rng.uniform(0.75, 1.1) + tone[layout.ident]
    # Open-ended, so that a dark board gets darker than the late wood itself.
    image = early + (late - early) * np.clip(share, -0.3, 1.5)[..., None]
    return shaded(image, 1 - 0.6 * layout.joint(joint))


def _planks(rng: np.random.Generator, count: int, pieces: int = 1, *, ends: bool = True) -> Layout:
    return rows(count, pieces, rng.random(count), ends=ends)


def plain_boards(species: Species) -> Callable[[np.random.Generator], Paint]:
    """A table top glued up from a few wide boards, or one slab."""

    def paint(rng: np.random.Generator) -> Paint:
        count = int(rng.choice([1, 4, 5, 6]))
        layout = _planks(rng, count, ends=count > 1 and rng.random() < 0.25)
        # A joint of -2 pixels is none: a slab has no border.
        contrast, joint = (0.0, -2.0) if count == 1 else (rng.uniform(0.05, 0.16), rng.uniform(0.3, 1.5))
        image = _boards(rng, species, layout, contrast, joint)
        return Paint(image, rng.uniform(0.6, 0.95), rng.uniform(0.15, 0.55))

    return paint


def laid(species: tuple[Species, ...], kind: str) -> Callable[[np.random.Generator], Paint]:
    """Small pieces: ``herringbone``, ``basket`` or ``blocks``."""

    def paint(rng: np.random.Generator) -> Paint:
        wood = species[rng.integers(len(species))]
        if kind == "herringbone":
            layout, metres = (
                herringbone(int(rng.integers(1, 3)), int(rng.integers(3, 6))),
                rng.uniform(0.7, 1.1),
            )
        elif kind == "basket":
            layout, metres = basket(int(rng.choice([2, 4])), int(rng.integers(4, 7))), rng.uniform(0.6, 1.0)
        else:
            count = int(rng.integers(9, 15))
            layout, metres = _planks(rng, count, int(rng.integers(1, 4))), rng.uniform(0.4, 0.65)
        image = _boards(rng, wood, layout, rng.uniform(0.14, 0.28), rng.uniform(1.0, 2.2))
        return Paint(image, metres, rng.uniform(0.15, 0.5))

    return paint


def painted_planks(rng: np.random.Generator) -> Paint:
    """Planks under a coat of paint that lets grain show, worn through in places."""
    count = int(rng.integers(4, 7))
    layout = _planks(rng, count, ends=rng.random() < 0.4)
    bare = _boards(rng, PINE, layout, 0.12, 0)
    pale = rng.random() < 0.6
    coat = hue(rng, (0.02, 0.2), (0.78, 0.93)) if pale else hue(rng, (0.2, 0.45), (0.35, 0.6))
    ridges = noise(rng, 70, falloff=2, stretch=18)
    tone = rng.normal(1, 0.03, layout.count).astype(np.float32)[layout.ident]
    coat_image = shaded(coat, tone * (1 + 0.025 * ridges))
    wear = noise(rng, 14, falloff=2.2, stretch=5) + 0.6 * ridges + np.exp(-layout.edge / 4) * 1.2
    image = mixed(coat_image, bare, (wear - rng.uniform(1.7, 3.6)) * 2.5)
    return Paint(
        shaded(image, 1 - 0.65 * layout.joint(rng.uniform(2.5, 5))),
        rng.uniform(0.5, 0.8),
        rng.uniform(0.05, 0.3),
    )


def weathered_planks(rng: np.random.Generator) -> Paint:
    """Old boards, greyed, with gaps and cracks."""
    count = int(rng.integers(3, 6))
    layout = _planks(rng, count, ends=rng.random() < 0.4)
    image = _boards(rng, GREYED, layout, 0.18, 0)
    warmth = np.array([1.0, rng.uniform(0.95, 1.0), rng.uniform(0.84, 1.0)], np.float32)
    crack = np.clip(noise(rng, 60, falloff=3, stretch=26) - 1.9, 0, 1)
    ridge = relief(noise(rng, 80, falloff=2, stretch=20), 0.04)
    return Paint(
        shaded(image * warmth, ridge * (1 - 0.6 * crack) * (1 - 0.75 * layout.joint(rng.uniform(3, 7)))),
        rng.uniform(0.45, 0.8),
        rng.uniform(0, 0.1),
    )


def bamboo(rng: np.random.Generator) -> Paint:
    """Thin glued strips with fine fibres, and a darker node across each now and then."""
    count = int(rng.integers(14, 22))
    layout = _planks(rng, count, 2)
    light, dark = varied(rng, (0.84, 0.70, 0.46), 0.1), varied(rng, (0.68, 0.50, 0.27), 0.1)
    tone = rng.uniform(0, 0.5, layout.count).astype(np.float32)[layout.ident]
    node = rng.uniform(30, SIZE / 2 - 30, layout.count).astype(np.float32)[layout.ident]
    band = np.exp(-(((layout.along - node) / 3) ** 2)) - 0.5 * np.exp(-(((layout.along - node - 7) / 4) ** 2))
    share = tone + 0.14 * noise(rng, 130, falloff=2, stretch=40) + 0.75 * band
    image = light + (dark - light) * np.clip(share, -0.3, 1.4)[..., None]
    return Paint(shaded(image, 1 - 0.3 * layout.joint(1.2)), rng.uniform(0.3, 0.5), rng.uniform(0.2, 0.5))


def whitewashed(rng: np.random.Generator) -> Paint:
    """Boards with white rubbed into the grain."""
    count = int(rng.integers(3, 7))
    layout = _planks(rng, count, ends=rng.random() < 0.4)
    wood = _boards(rng, OAK, layout, 0.1, 0)
    wash = varied(rng, (0.86, 0.84, 0.80), 0.06, 0.02)
    share = rng.uniform(0.5, 0.72) + 0.07 * noise(rng, 24, falloff=1.6, stretch=9)
    return Paint(
        shaded(mixed(wood, wash, share), 1 - 0.4 * layout.joint(2)),
        rng.uniform(0.5, 0.9),
        rng.uniform(0.05, 0.3),
    )


PAINTERS: Final[Mapping[str, Callable[[np.random.Generator], Paint]]] = {
    "oak": plain_boards(OAK),
    "walnut": plain_boards(WALNUT),
    "pine": plain_boards(PINE),
    "wenge": plain_boards(WENGE),
    "cherry": plain_boards(CHERRY),
    "maple": plain_boards(MAPLE),
    "painted planks": painted_planks,
    "weathered planks": weathered_planks,
    "whitewashed": whitewashed,
    "parquet": laid((OAK, WALNUT, CHERRY, MAPLE), "basket"),
    "herringbone": laid((OAK, WALNUT, MAPLE, GREYED), "herringbone"),
    "butcher block": laid((MAPLE, OAK, WALNUT, CHERRY), "blocks"),
    "bamboo": bamboo,
}
"""Every wood, by name."""
