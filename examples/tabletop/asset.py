"""What a scene is made of: an object as painted triangle meshes, with the licence it comes under.

**Convention:** metres, z up; an asset stands on z = 0 and is centred on the origin in x and y. Texture
coordinates are (u, v) with v up, one per vertex. Colours are RGB in [0, 1].
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Finish = Literal["matte", "satin", "glossy", "metal", "glass"]
RGB = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Part:
    """A mesh of one material.

    Attributes:
        vertices: float [N, 3].
        faces: int [M, 3], counter-clockwise seen from outside.
        uv: float [N, 2] in [0, 1] or beyond (textures repeat); ``None`` without a texture.
        texture: uint8 [H, W, 3], multiplied by ``rgb``; ``None`` for a plain part.
        rgb: Its own colour, kept unless ``paint``.
        paint: Whether it takes the colour a scene asks for.
        finish: How it reflects.
        smooth: Whether neighbouring faces are shaded as one surface.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray | None = None
    texture: np.ndarray | None = None
    rgb: RGB = (0.8, 0.8, 0.8)
    paint: bool = False
    finish: Finish = "satin"
    smooth: bool = True


@dataclass(frozen=True, slots=True)
class Credit:
    """Who made an asset, and under which terms."""

    title: str
    author: str
    licence: str
    source: str


@dataclass(frozen=True, slots=True)
class Asset:
    """One object.

    Attributes:
        name: Unique, for messages.
        noun: Its canonical word, one of ``vocabulary.NOUNS``.
        parts: Its meshes.
        colour: The colour word true of it as it is; ``None`` where paint decides or no word fits.
        credit: Its origin; ``None`` for what this project generates.
    """

    name: str
    noun: str
    parts: tuple[Part, ...]
    colour: str | None = None
    credit: Credit | None = field(default=None, compare=False)

    @property
    def bounds(self) -> np.ndarray:
        """[2, 3]: the lowest and highest corner of its box, metres."""
        vertices = np.concatenate([part.vertices for part in self.parts])
        return np.stack([vertices.min(0), vertices.max(0)])
