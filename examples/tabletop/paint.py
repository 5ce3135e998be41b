"""What a surface painter returns, and how painters choose and mix colours."""

import colorsys
from dataclasses import dataclass

import numpy as np

from examples.tabletop.asset import RGB


@dataclass(frozen=True, slots=True)
class Paint:
    """A painted tile.

    Attributes:
        image: float32 [512, 512, 3], display RGB, about [0, 1].
        metres: Width that one repeat covers.
        gloss: 0 (matte) to 1 (mirror-like).
    """

    image: np.ndarray
    metres: float
    gloss: float


def varied(rng: np.random.Generator, rgb: RGB, light: float = 0.15, tint: float = 0.03) -> np.ndarray:
    """``rgb``, lighter or darker by a share ``light`` at most, warmer or cooler by ``tint``; float32 [3]."""
    warm, green = rng.uniform(-tint, tint), rng.uniform(-tint, tint)
    # In proportion, or near-blacks would take a hue; little green, as minerals and dyes drift warm to cool.
    shift = np.array([warm, 0.25 * green, -warm]) * max(rgb)
    colour = (np.array(rgb) + shift) * (1 + rng.uniform(-light, light))
    return np.clip(colour, 0.02, 0.97).astype(np.float32)


def hue(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> np.ndarray:
    """A colour of any hue, with saturation and value drawn from these ranges; float32 [3]."""
    return np.array(
        colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value)), dtype=np.float32
    )


def mixed(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """``first`` where ``share`` is 0, ``second`` where it is 1; colours [3] or images, ``share`` [H, W]."""
    weight = np.clip(share, 0, 1)[..., None].astype(np.float32)
    return first + (second - first) * weight


def shaded(image: np.ndarray, shade: np.ndarray) -> np.ndarray:
    """A colour [3] or image [H, W, 3] times ``shade`` [H, W]."""
    return image * shade[..., None].astype(np.float32)
