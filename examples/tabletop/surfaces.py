"""Procedural textures for table tops and walls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from examples.tabletop import fabrics, minerals, tiles, woods
from examples.tabletop.paint import Paint

_PAINTERS: Final[Mapping[str, Callable[[np.random.Generator], Paint]]] = MappingProxyType(
    {**woods.PAINTERS, **minerals.PAINTERS, **tiles.PAINTERS, **fabrics.PAINTERS}
)

_WORDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "wooden": frozenset(woods.PAINTERS),
        "marble": frozenset({"white marble", "black marble", "green marble", "beige marble"}),
        "stone": frozenset(
            {
                "granite",
                "black granite",
                "terrazzo",
                "slate",
                "sandstone",
                "travertine",
                "flagstones",
                "brick",
            }
        ),
        "concrete": frozenset({"concrete"}),
        "metal": frozenset({"brushed steel", "brushed copper"}),
        "tile": frozenset({"ceramic tiles", "subway tiles", "hexagon tiles", "terracotta", "mosaic"}),
        "checkered": frozenset({"checkerboard", "gingham", "tartan"}),
        "striped": frozenset({"striped cloth", "wallpaper stripes"}),
        "cloth": frozenset({"linen", "denim", "felt", "knitted", "dotted cloth"}),
        "plain": frozenset({"leather", "cork", "carpet", "paper", "painted", "plaster", "stucco"}),
    }
)

KINDS: Final[tuple[str, ...]] = tuple(_PAINTERS)
"""Every kind of surface."""

WALL_KINDS: Final[tuple[str, ...]] = (
    "painted",
    "plaster",
    "stucco",
    "brick",
    "wallpaper stripes",
    "concrete",
    "subway tiles",
    "ceramic tiles",
    "hexagon tiles",
    "mosaic",
    "painted planks",
    "whitewashed",
    "weathered planks",
    "white marble",
    "paper",
    "linen",
    "flagstones",
    "sandstone",
    "oak",
    "cork",
)
"""Kinds seen upright."""

TABLE_KINDS: Final[tuple[str, ...]] = tuple(
    kind for kind in KINDS if kind not in {"brick", "stucco", "plaster", "wallpaper stripes"}
)
"""Kinds that things stand on."""


@dataclass(frozen=True, slots=True)
class Surface:
    """A material that repeats without a seam.

    Attributes:
        texture: uint8 [512, 512, 3], display RGB, evenly lit.
        word: What to call it, one of ``vocabulary.SURFACES``.
        metres: Width that one repeat covers.
        gloss: 0 (matte) to 1 (mirror-like).
    """

    texture: np.ndarray
    word: str
    metres: float
    gloss: float


def make_surface(kind: str, rng: np.random.Generator) -> Surface:
    """One member of a kind, its tint, scale, grain and wear drawn from ``rng``.

    Raises:
        KeyError: If ``kind`` is not one of ``KINDS``.
    """
    paint = _PAINTERS[kind](rng)
    word = next(word for word, kinds in _WORDS.items() if kind in kinds)
    texture = (np.clip(paint.image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Surface(texture, word, float(paint.metres), float(paint.gloss))
