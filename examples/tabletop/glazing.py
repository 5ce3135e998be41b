"""How vessels are made and decorated: walls, glazes, bands and handles."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import pick
from examples.tabletop.asset import Finish, Part
from examples.tabletop.solids import (
    Mesh,
    Turned,
    curve,
    join,
    tube,
)

GLAZES: tuple[Finish, ...] = ("glossy", "glossy", "satin", "matte")


def wall(outer: np.ndarray, thick: float, floor: float, foot: float = 0.002) -> tuple[np.ndarray, np.ndarray]:
    """Thicken an outer curve (radius, height), foot to lip: return the outside's and the inside's profile."""
    tangent = np.gradient(outer, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    inner = (outer - thick * normal)[::-1]
    start = floor + 0.2 * (outer[-1, 1] - floor)
    at = np.array([start, start + 0.002])
    (end, above), fillet = np.interp(at, inner[::-1, 1], inner[::-1, 0]), start - floor
    inner = np.concatenate([inner[(inner[:, 1] > start + 1e-5) & (inner[:, 0] > 0.004)], [(end, start)]])
    turn = np.linspace(0, math.pi, 7)[1:-1, None]
    lip = (
        outer[-1]
        - normal[-1] * thick / 2
        + thick / 2 * (normal[-1] * np.cos(turn) + tangent[-1] * np.sin(turn))
    )
    radius = outer[0, 0]
    under = np.array([(0.0, foot), (radius * 0.8, foot), (radius * 0.84, 0.0)])
    corner = np.array([max(end - (above - end) / 0.002 * fillet, 0.4 * end), floor])
    flat = np.array([max(corner[0] - 0.6 * fillet, 0.3 * corner[0]), floor])
    t = np.linspace(0, 1, 7)[1:, None]
    base = (1 - t) ** 2 * inner[-1] + 2 * t * (1 - t) * corner + t**2 * flat
    return np.concatenate([under, outer, lip[:3]]), np.concatenate([lip[2:], inner, base, [(0.0, floor)]])


def raised(profile: np.ndarray, lift: float = 0.0005) -> np.ndarray:
    """Move part of a vessel's profile outwards, for a stripe that lies on it."""
    tangent = np.gradient(profile, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    return profile + lift * np.stack([tangent[:, 1], -tangent[:, 0]], 1)


def bands(rng: np.random.Generator, body: Turned, low: float, high: float) -> list[Part]:
    """Decorate the outside between two heights: bands, dots, upright stripes, a print, or nothing."""
    tone, size = labels.print_on(rng), high - low
    kind = pick(rng, {"none": 5, "bands": 2, "dots": 1, "stripes": 1, "print": 1.5, "spots": 0.5})
    meshes: list[Mesh] = []
    if kind == "bands":
        for at in rng.uniform(0.05, 0.85, rng.integers(1, 4)):
            wide = rng.uniform(0.03, 0.12)
            meshes.append(body.patch((0, 2 * math.pi), (low + at * size, low + (at + wide) * size), rows=3))
    elif kind in ("dots", "spots"):
        rows, around = int(rng.integers(1, 5)), int(rng.integers(7, 14))
        radius = rng.uniform(0.08, 0.25) * size / rows
        for row in range(rows):
            for k in range(around):
                angle = 2 * math.pi * (k + row % 2 / 2) / around
                meshes.append(body.spot(angle, low + (row + 0.5) / rows * size, radius))
    elif kind == "stripes":
        count, share = int(rng.integers(8, 22)), rng.uniform(0.1, 0.35)
        for k in range(count):
            start = 2 * math.pi * k / count
            meshes.append(body.patch((start, start + 2 * math.pi / count * share), (low, high)))
    elif kind == "print":
        half = rng.uniform(0.45, 0.9)
        wide = 2 * half * float(body.radius((low + high) / 2))
        tall = min(size * 0.75, wide * rng.uniform(0.6, 1.2))
        middle = (low + high) / 2
        faces = [-math.pi / 2] if rng.random() < 0.5 else [-math.pi / 2, math.pi / 2]
        image = labels.label(rng, tall / wide)
        spans = [((at - half, at + half), (middle - tall / 2, middle + tall / 2)) for at in faces]
        return [join([body.patch(*span) for span in spans]).part((1, 1, 1), "satin", texture=image)]
    return [join(meshes).part(tone, "glossy")] if meshes else []


def glazed(rng: np.random.Generator, outside: Mesh, inside: Mesh, *, inner: float = 0.5) -> list[Part]:
    """Glaze a vessel: the outside is painted, the inside too or else white or dark; stoneware has specks."""
    finish = GLAZES[rng.integers(len(GLAZES))]
    specks = labels.speckle(rng) if rng.random() < 0.3 else None
    parts = [outside.part(finish=finish, paint=True, texture=specks)]
    if rng.random() < inner:
        return [*parts, inside.part(finish=finish, paint=True)]
    tone = labels.light(rng) if rng.random() < 0.85 else labels.print_on(rng)
    return [*parts, inside.part(tone, finish)]


def loop(
    rng: np.random.Generator,
    body: Turned,
    low: float,
    high: float,
    reach: float,
    thick: float,
    wall: float = 0.003,
) -> Mesh:
    """Return a handle towards +x that meets a body at two heights: round, D, ear or square."""
    a, b = float(body.radius(high)), float(body.radius(low))
    out, size, bend = max(a, b) + reach, high - low, 0.25 * reach
    kind = pick(rng, {"c": 2, "d": 2, "ear": 2, "square": 0.7})
    between: list[tuple[float, float]]
    if kind == "c":
        between = [(out * 0.99, high + 0.03 * size), (out + 0.004, (low + high) / 2), (out * 0.97, low)]
    elif kind == "d":
        between = [(out - bend, high), (out, high), (out, low), (out - bend, low)]
    elif kind == "ear":
        between = [(out, high + 0.12 * size), (out + 0.004, high - 0.3 * size), (b + 0.45 * reach, low)]
    else:
        between = [(out * 0.97, high), (out, high), (out, high - 0.1 * size), (out, low)]
    line = curve([(a - 0.6 * thick, high), *between, (b - 0.6 * thick, low)], 22)
    width = thick * rng.uniform(1.0, 2.0)
    swell = 1 + 0.25 * np.abs(np.linspace(-1, 1, 22)) ** 3
    at = np.column_stack([line[:, 0], np.zeros(22), line[:, 1]])
    bar = tube(at, width * swell, thick * swell, sides=12, square=rng.uniform(2, 3.5))
    # Its ends stay within the wall: they must not be seen from inside.
    x, y, z = bar.vertices.T
    least = np.sqrt(np.maximum((body.radius(z) - 0.7 * wall) ** 2 - y**2, 0))
    return Mesh(np.column_stack([np.maximum(x, least), y, z]), bar.faces)
