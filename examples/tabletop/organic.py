"""What grown and baked things share: no surface is exact, and no colour even."""

import cv2
import numpy as np

from examples.tabletop.solids import Mesh


def warped(rng: np.random.Generator, mesh: Mesh, strength: float) -> Mesh:
    """Bend a mesh a little with a few slow waves, as nothing grown is exact."""
    size = np.ptp(mesh.vertices, axis=0).max()
    wave = rng.normal(0, 1, (3, 3)) * 4 / size
    shift = np.sin(mesh.vertices @ wave.T + rng.uniform(0, 6, 3)) * strength * size
    return Mesh(mesh.vertices + shift, mesh.faces, mesh.uv)


def skin(rng: np.random.Generator, strength: float, streaks: bool = False) -> np.ndarray:
    """Return freckles and clouds, or upright streaks, to multiply with a fruit's colour."""
    grid = rng.random((2, 90) if streaks else (8, 8)).astype(np.float32)
    value = 1 - strength * cv2.resize(grid, (128, 128), interpolation=cv2.INTER_CUBIC)
    value -= 0.5 * strength * (rng.random((128, 128)) > 0.992)
    return np.round(255 * np.clip(value, 0, 1)[..., None] * np.ones(3)).astype(np.uint8)
