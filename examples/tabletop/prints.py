"""Labels and titles laid on faces and on turned bodies."""

import math
from collections.abc import Sequence

import numpy as np

from examples.tabletop import labels
from examples.tabletop.asset import RGB, Part
from examples.tabletop.solids import (
    Face,
    Mesh,
    Turned,
    join,
)

FRONT = -math.pi / 2


def sticker(
    rng: np.random.Generator,
    body: Turned,
    height: tuple[float, float],
    *,
    base: RGB | None = None,
    round_about: bool | None = None,
) -> Part:
    """Put a printed label on a body: on its front, or around it with the front of the print at -y."""
    if round_about is None:
        round_about = rng.random() < 0.4
    half = math.pi if round_about else rng.uniform(0.6, 1.15)
    wide = 2 * half * float(body.radius(sum(height) / 2))
    repeat = 2 if round_about else 1
    image = labels.label(rng, (height[1] - height[0]) / wide * repeat, base)
    patch = body.patch((FRONT - half, FRONT + half), height, 0.0005)
    if patch.uv is not None and round_about:
        patch.uv[:, 0] = patch.uv[:, 0] * 2 - 0.5
    return patch.part((1, 1, 1), "satin" if rng.random() < 0.6 else "matte", texture=image)


def printed(rng: np.random.Generator, face: Face, x: tuple[float, float], y: tuple[float, float]) -> Part:
    """Lay a label or a picture over part of a face."""
    wide, tall = face.size
    aspect = tall * (y[1] - y[0]) / (wide * (x[1] - x[0]))
    image = labels.picture(rng, aspect) if rng.random() < 0.4 else labels.label(rng, aspect)
    return face.patch(x, y, 0.0005).part((1, 1, 1), "satin", texture=image)


def wrapped(rng: np.random.Generator, faces: Sequence[Face], base: RGB) -> list[Part]:
    """Print faces from edge to edge: the first two, and the others, alike in pairs as on a package."""
    parts: list[Part] = []
    for first, second in zip(faces[::2], faces[1::2], strict=True):
        wide, tall = first.size
        image = labels.wrapper(rng, tall / wide, base)
        both = [face.patch((0, 1), (0, 1), 0.0002) for face in (first, second)]
        parts.append(join(both).part((1, 1, 1), "satin", texture=image))
    return parts


def ruled(rng: np.random.Generator, face: Face, tone: RGB) -> Part:
    """Lay a few bars on a face, as titles and rules are."""
    meshes: list[Mesh] = []
    top = rng.uniform(0.6, 0.85)
    for k in range(rng.integers(1, 4)):
        wide, tall = rng.uniform(0.25, 0.75), rng.uniform(0.015, 0.07)
        left = (1 - wide) / 2 if rng.random() < 0.8 else 0.1
        meshes.append(face.patch((left, left + wide), (top - tall, top), 0.0005))
        top -= tall + rng.uniform(0.03, 0.08) + 0.2 * (k == 0) * rng.random()
    if rng.random() < 0.3:
        for x, y in (((0.06, 0.94), (0.05, 0.06)), ((0.06, 0.94), (0.94, 0.95))):
            meshes.append(face.patch(x, y, 0.0005))
        for x, y in (((0.06, 0.075), (0.05, 0.95)), ((0.925, 0.94), (0.05, 0.95))):
            meshes.append(face.patch(x, y, 0.0005))
    return join(meshes).part(tone, "satin")
