"""Random fields on a torus: every one tiles without a seam.

**Convention:** fields are float32 [512, 512], indexed [y, x]; coordinates are pixels and wrap at 512.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

SIZE: Final = 512
"""Side of every texture, in pixels."""

_PAD: Final = 64


def pixels() -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x and y of every pixel, float32 [512, 512] each."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    return x, y


def noise(
    rng: np.random.Generator, cycles: float, *, falloff: float = 4.0, stretch: float = 1.0
) -> np.ndarray:
    """Gaussian noise of the amplitude spectrum ``(1 + |k|^2 / cycles^2) ** (-falloff / 2)``.

    Args:
        rng: Randomness.
        cycles: Blobs across a tile, about; the spectrum is flat below it.
        falloff: 1 to 2 for rough clouds, 4 and more for smooth ones.
        stretch: How many times longer along x than along y.

    Returns:
        float32 [512, 512] of zero mean and unit variance.
    """
    ky = np.fft.fftfreq(SIZE, 1 / SIZE).astype(np.float32)[:, None]
    kx = np.fft.rfftfreq(SIZE, 1 / SIZE).astype(np.float32)[None, :] * np.float32(stretch)
    amplitude = (1 + (kx**2 + ky**2) / np.float32(cycles**2)) ** np.float32(-falloff / 2)
    amplitude[0, 0] = 0
    spectrum = np.empty(amplitude.shape, np.complex64)
    spectrum.real = rng.standard_normal(amplitude.shape, np.float32) * amplitude
    spectrum.imag = rng.standard_normal(amplitude.shape, np.float32) * amplitude
    field = np.fft.irfft2(spectrum, s=(SIZE, SIZE)).astype(np.float32)
    return (field - field.mean()) / field.std()


def sample(field: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A field or image at float coordinates, bilinear, wrapped."""
    around = cv2.copyMakeBorder(field, 0, 1, 0, 1, cv2.BORDER_WRAP)
    at_x, at_y = np.mod(x, SIZE).astype(np.float32), np.mod(y, SIZE).astype(np.float32)
    return cv2.remap(around, at_x, at_y, cv2.INTER_LINEAR)


def blurred(field: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur on the torus; ``sigma`` in pixels, at most 16."""
    around = cv2.copyMakeBorder(field, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_WRAP)
    return cv2.GaussianBlur(around, (0, 0), sigma)[_PAD:-_PAD, _PAD:-_PAD]


def relief(height: np.ndarray, strength: float) -> np.ndarray:
    """Shading, about 1, of a height field lit softly from the upper left: slopes facing it are brighter."""
    slope = 2 * height - np.roll(height, 1, axis=0) - np.roll(height, 1, axis=1)
    return np.clip(1 + np.float32(strength) * slope, 0.4, 1.5)


@dataclass(frozen=True, slots=True)
class Cells:
    """A Voronoi tessellation of the torus.

    Attributes:
        ident: int [512, 512] in [0, count).
        edge: float32 [512, 512], distance to the nearest border, pixels.
        count: How many cells.
    """

    ident: np.ndarray
    edge: np.ndarray
    count: int


def cells(rng: np.random.Generator, count: int, *, jitter: float | None = None) -> Cells:
    """Voronoi cells.

    Args:
        rng: Randomness.
        count: How many; 100 and more.
        jitter: ``None`` for uniformly random centres; otherwise centres of a square grid moved by up to this
            share of its pitch, and ``count`` is rounded to a square.
    """
    if jitter is None:
        centres = rng.integers(0, SIZE, (count, 2))
    else:
        side = round(count**0.5)
        grid = np.indices((side, side)).reshape(2, -1).T
        centres = ((grid + rng.uniform(-jitter, jitter, grid.shape)) * SIZE / side).astype(int) % SIZE
    idents = np.full((SIZE, SIZE), -1, np.int32)
    idents[centres[:, 0], centres[:, 1]] = np.arange(len(centres))
    idents = cv2.copyMakeBorder(idents, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_WRAP)
    _, nearest = cv2.distanceTransformWithLabels(
        (idents < 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    labels = nearest.astype(np.intp)
    table = np.zeros(labels.max() + 1, np.int32)
    table[labels[idents >= 0]] = idents[idents >= 0]
    ident = table[labels]
    inside = np.ones(ident.shape, np.uint8)
    inside[:-1] &= ident[:-1] == ident[1:]
    inside[:, :-1] &= ident[:, :-1] == ident[:, 1:]
    edge = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    crop = np.s_[_PAD:-_PAD, _PAD:-_PAD]
    return Cells(ident[crop], edge[crop], len(centres))
