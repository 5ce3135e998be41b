"""What a camera does to a scene, geometry aside: colour, tone, lens, sensor and compression.

A pixel ``I`` in linear light becomes ``tone(w * 2^ev * v(r) * (lens * I) + n)``, with ``w`` the white
balance, ``v`` the vignette, ``lens`` a small blur, and ``n`` sensor noise of variance ``shot * I + read^2``.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

_STEPS: Final = 4096
"""Entries of the table from linear light to display values."""


@dataclass(frozen=True, slots=True)
class Look:
    """One camera and its settings.

    Attributes:
        warmth: Log2 gain of red over that of green, and of green over that of blue.
        tint: Log2 gain of green.
        ev: Exposure, stops.
        contrast: Strength of the S-curve; 0 leaves tones alone, below 0 flattens.
        saturation: Factor on chroma.
        vignette: Share of light lost in the corners.
        blur: Standard deviation, in pixels of an image 256 pixels wide.
        sharpen: Weight of the unsharp mask.
        shot: Variance of noise at full light.
        read: Standard deviation of noise in the dark.
        chroma: Standard deviation of coloured blotches, display values.
        quality: JPEG quality; 0 for none.
    """

    warmth: float = 0.0
    tint: float = 0.0
    ev: float = 0.0
    contrast: float = 0.0
    saturation: float = 1.0
    vignette: float = 0.0
    blur: float = 0.0
    sharpen: float = 0.0
    shot: float = 0.0
    read: float = 0.0
    chroma: float = 0.0
    quality: int = 0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Look":
        """A random look; one in three is nearly clean. Limits keep colour words true."""
        strength = 0.2 if rng.random() < 1 / 3 else 1.0

        def normal(probability: float, spread: float, limit: float) -> float:
            value = float(np.clip(rng.normal(0, spread), -limit, limit)) * strength
            return value if rng.random() < probability else 0.0

        def ramp(probability: float, low: float, high: float) -> float:
            value = float(rng.uniform(low, high)) * strength
            return value if rng.random() < probability else 0.0

        noisy = rng.random() < 0.6
        level = float(rng.uniform(0.1, 1) ** 2) * strength if noisy else 0.0
        softness = rng.random()
        return cls(
            warmth=normal(0.7, 0.08, 0.17),
            tint=normal(0.5, 0.02, 0.04),
            ev=normal(0.7, 0.28, 0.7),
            contrast=normal(0.6, 0.2, 0.4),
            saturation=1 + normal(0.6, 0.12, 0.25),
            vignette=ramp(0.5, 0.05, 0.35),
            blur=ramp(1.0, 0.3, 0.8) if softness < 0.35 else 0.0,
            sharpen=ramp(1.0, 0.15, 0.7) if softness > 0.7 else 0.0,
            shot=0.0012 * level,
            read=0.008 * level,
            chroma=0.015 * level,
            quality=int(rng.integers(60, 96)) if strength == 1.0 and rng.random() < 0.4 else 0,
        )

    def apply(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The picture this camera takes; ``rng`` draws its noise.

        Args:
            image: uint8 [H, W, 3].
            rng: Randomness of the noise alone; the same seed gives two renders of a scene the same noise.

        Returns:
            uint8 [H, W, 3].
        """
        light = self._exposed(image)
        if self.shot or self.read:
            grain = rng.standard_normal(light.shape, np.float32)
            light += grain * np.sqrt(np.float32(self.shot) * light + np.float32(self.read**2))
        display = self._finished(
            np.take(self._curve(), (light * (_STEPS - 1)).astype(np.int32), mode="clip"), rng
        )
        result = cv2.convertScaleAbs(np.maximum(display, 0), alpha=255)
        return _compressed(result, self.quality) if self.quality else result

    def _exposed(self, image: np.ndarray) -> np.ndarray:
        """Light at the sensor, float32 [H, W, 3]."""
        gains = 2.0 ** (self.ev + np.array([self.warmth, self.tint, -self.warmth]))
        ramp = _linear(np.arange(256, dtype=np.float32) / 255)[:, None]
        # Gains bend towards white, as film and phones do: highlights keep their colour, and what a darker
        # picture shows of a clipped highlight is not grey.
        brighter = ramp * gains / (1 + (gains - 1) * ramp)
        darker = ramp * gains + 0.5 * (1 - gains) * ramp**6
        table = np.where(gains > 1, brighter, darker).astype(np.float32)
        light = cv2.LUT(np.ascontiguousarray(image), table[None])
        height, width = image.shape[:2]
        if self.blur:
            light = cv2.GaussianBlur(light, (0, 0), max(self.blur * width / 256, 0.05))
        if self.vignette:
            y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
            radius = (x**2 + y**2).astype(np.float32) / 2
            light *= (1 - np.float32(self.vignette) * radius**1.5)[..., None]
        return light

    def _curve(self) -> np.ndarray:
        """Display value by linear light, float32 [4096]: the sRGB curve, then contrast about its middle."""
        linear = np.linspace(0, 1, _STEPS, dtype=np.float32)
        value = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        # Smoothstep less identity: zero at 0, 1/2 and 1, so black, middle grey and white stay.
        return (value + self.contrast * (value**2 * (3 - 2 * value) - value) * 1.5).astype(np.float32)

    def _finished(self, display: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Saturation, coloured blotches and sharpening, on display values."""
        if self.saturation != 1:
            grey = np.tile(np.array([0.299, 0.587, 0.114]), (3, 1))
            display = cv2.transform(display, grey + self.saturation * (np.eye(3) - grey))
        if self.chroma:
            height, width = display.shape[:2]
            coarse = rng.standard_normal((height // 2 + 1, width // 2 + 1, 3), np.float32)
            coarse -= coarse.mean(axis=-1, keepdims=True)
            display = display + np.float32(self.chroma) * cv2.resize(coarse, (width, height))
        if self.sharpen:
            display = display + np.float32(self.sharpen) * (display - cv2.GaussianBlur(display, (0, 0), 1.0))
        return display


def photographed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``image`` as a random camera would take it.

    Args:
        image: uint8 [H, W, 3].
        rng: Draws the camera and its noise.

    Returns:
        uint8 [H, W, 3], every pixel where it was.
    """
    return Look.draw(rng).apply(image, rng)


def _linear(value: np.ndarray) -> np.ndarray:
    """Linear light of display values in [0, 1], by the sRGB curve."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _compressed(image: np.ndarray, quality: int) -> np.ndarray:
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])
