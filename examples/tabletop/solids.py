"""Meshes in numpy: lofts, surfaces of revolution, swept tubes, boxes, and patches that lie on them.

Every mesh is wound counter-clockwise seen from outside, and its vertices are split along hard edges, so that
a renderer may average normals over shared vertices.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from examples.tabletop.asset import RGB, Finish, Part

Points = Sequence[Sequence[float]] | np.ndarray
CREASE = math.radians(38)
"""Edges that turn by more than this stay hard."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles without a material: vertices [N, 3], faces [M, 3], texture coordinates [N, 2] or ``None``."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray | None = None

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Mesh":
        """Shift it."""
        return replace(self, vertices=self.vertices + np.array([x, y, z]))

    def turned(self, axis: int, angle: float) -> "Mesh":
        """Turn it about an axis (0, 1, 2 for x, y, z) through the origin, radians."""
        a, b = [(1, 2), (2, 0), (0, 1)][axis]
        out = self.vertices.copy()
        c, s = math.cos(angle), math.sin(angle)
        out[:, a] = c * self.vertices[:, a] - s * self.vertices[:, b]
        out[:, b] = s * self.vertices[:, a] + c * self.vertices[:, b]
        return replace(self, vertices=out)

    def scaled(self, x: float, y: float, z: float) -> "Mesh":
        """Scale it about the origin; a mirrored mesh keeps its outside."""
        faces = self.faces[:, ::-1] if x * y * z < 0 else self.faces
        return replace(self, vertices=self.vertices * np.array([x, y, z]), faces=faces)

    def part(
        self,
        rgb: RGB = (0.8, 0.8, 0.8),
        finish: Finish = "satin",
        *,
        paint: bool = False,
        texture: np.ndarray | None = None,
        smooth: bool = True,
    ) -> Part:
        """Give it a material."""
        uv = self.uv if texture is not None else None
        return Part(self.vertices, self.faces, uv, texture, rgb, paint, finish, smooth)


def join(meshes: Sequence[Mesh]) -> Mesh:
    """Put meshes of one material together; texture coordinates stay only if all have them."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    coordinates = [mesh.uv for mesh in meshes if mesh.uv is not None]
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]),
        np.concatenate(coordinates) if len(coordinates) == len(meshes) else None,
    )


def curve(points: Points, count: int, times: int = 3) -> np.ndarray:
    """Round the corners of an open polyline (Chaikin), then place ``count`` points evenly along it."""
    line = np.asarray(points, float)
    for _ in range(times):
        cut = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], 1)
        line = np.concatenate([line[:1], cut.reshape(-1, line.shape[1]), line[-1:]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0, length[-1], count)
    return np.stack([np.interp(at, length, column) for column in line.T], 1)


def _hard(rings: np.ndarray, *, closed: bool) -> np.ndarray:
    """Return which lines along axis 0 are hard edges: bool [n]."""
    step = np.diff(rings, axis=0)
    step /= np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), 1e-12)
    hard = np.zeros(len(rings), bool)
    hard[1:-1] = _bends(step[:-1], step[1:])
    if closed:
        hard[0] = hard[-1] = _bends(step[-1:], step[:1])[0]
    return hard


def _bends(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Whether unit steps [n, m, 3] turn sharply, on the mean of those that have a length: bool [n]."""
    real = (before.any(-1) & after.any(-1)).sum(1)
    return (before * after).sum(-1).sum(1) < math.cos(CREASE) * real


def _lines(hard: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Duplicate hard lines: which line each new one is, and the new lines that bound each strip."""
    inner = hard.copy()
    inner[[0, -1]] = False
    first = np.arange(len(hard)) + np.concatenate([[0], np.cumsum(inner)[:-1]])
    return np.repeat(np.arange(len(hard)), inner + 1), (first + inner)[:-1], first[1:]


def loft(rings: np.ndarray, *, closed: bool = True, uv: bool = False, caps: bool = False) -> Mesh:
    """Join rings of points [n, m, 3], each counter-clockwise seen from the end that the rings run to.

    Args:
        rings: The points; for ``closed``, the last of a ring meets its first.
        closed: Whether the rings close.
        uv: Whether to give texture coordinates: u along a ring, v from the first ring to the last by length.
        caps: Whether to fill the first and last ring (about their mean).
    """
    if caps:
        ends = [np.broadcast_to(ring.mean(0), ring.shape)[None] for ring in (rings[0], rings[-1])]
        rings = np.concatenate([ends[0], rings, ends[1]])
    if closed:
        rings = np.concatenate([rings, rings[:, :1]], 1)
    columns = rings.transpose(1, 0, 2)
    hard = _hard(columns, closed=closed)
    row, low, high = _lines(_hard(rings, closed=False))
    column, left, right = _lines(hard)
    grid = rings[row][:, column]
    ids = np.arange(len(row) * len(column)).reshape(len(row), len(column))
    if closed and not uv and not hard[0]:
        ids[:, -1] = ids[:, 0]
    a, b = ids[low][:, left], ids[low][:, right]
    c, d = ids[high][:, right], ids[high][:, left]
    faces = np.stack([a, b, c, a, c, d], -1).reshape(-1, 3)
    vertices = grid.reshape(-1, 3)
    p, q, r = (vertices[faces[:, k]] for k in range(3))
    faces = faces[np.linalg.norm(np.cross(q - p, r - p), axis=1) > 1e-13]
    coordinates = None
    if uv:
        length = np.linalg.norm(np.diff(rings, axis=0), axis=-1).mean(1)
        up = np.concatenate([[0.0], np.cumsum(length)]) / max(length.sum(), 1e-12)
        along = np.linspace(0, 1, rings.shape[1])
        pairs = np.broadcast_arrays(along[column][None, :], up[row][:, None])
        coordinates = np.stack(pairs, -1).reshape(-1, 2)
    used, inverse = np.unique(faces, return_inverse=True)
    return Mesh(vertices[used], inverse.reshape(-1, 3), None if coordinates is None else coordinates[used])


@dataclass(frozen=True, slots=True)
class Turned:
    """A surface of revolution about z.

    Attributes:
        profile: (radius, height) [n, 2], with the outside on its right: up the outside, down the inside.
        square: Exponent of the cross-section's superellipse: 2 is round, 5 a rounded square.
        flat: Depth (y) by width (x).
    """

    profile: np.ndarray
    square: float = 2.0
    flat: float = 1.0

    def _around(self, angle: np.ndarray) -> np.ndarray:
        c, s = np.cos(angle), np.sin(angle)
        size = (np.abs(c) ** self.square + np.abs(s) ** self.square) ** (1 / self.square)
        return np.stack([c / size, self.flat * s / size], -1)

    def mesh(self, segments: int = 56, *, uv: bool = False) -> Mesh:
        """Return the whole turn; u begins at the back (+y)."""
        angle = np.linspace(0, 2 * math.pi, segments, endpoint=False) + math.pi / 2
        across = self.profile[:, :1, None] * self._around(angle)
        height = np.broadcast_to(self.profile[:, 1, None, None], (*across.shape[:2], 1))
        return loft(np.concatenate([across, height], -1), uv=uv)

    def radius(self, height: float | np.ndarray) -> np.ndarray:
        """Return the radius at a height, of a profile whose heights only rise."""
        return np.asarray(np.interp(height, self.profile[:, 1], self.profile[:, 0]))

    def patch(
        self, angle: tuple[float, float], height: tuple[float, float], lift: float = 0.0004, rows: int = 6
    ) -> Mesh:
        """Return a rectangle on the outside, with texture coordinates over [0, 1]; angles in radians."""
        turn = np.linspace(*angle, max(3, round(abs(angle[1] - angle[0]) * 10)))
        up = np.linspace(*height, rows)
        return self._lay(np.meshgrid(turn, up), lift)

    def spot(self, angle: float, height: float, size: float, lift: float = 0.0004) -> Mesh:
        """Return a disc that lies on the outside, of a radius in metres."""
        ring = np.linspace(0, 2 * math.pi, 17)
        radius = np.array([[size], [0.0]])
        turn = angle + radius * np.cos(ring) / max(float(self.radius(height)), 1e-4)
        return self._lay([turn, height + radius * np.sin(ring)], lift)

    def _lay(self, at: Sequence[np.ndarray], lift: float) -> Mesh:
        turn, up = at
        across = (self.radius(up) + lift)[..., None] * self._around(turn)
        return loft(np.concatenate([across, up[..., None]], -1), closed=False, uv=True)


def lathe(profile: Points, segments: int = 56, *, uv: bool = False) -> Mesh:
    """Turn a profile of (radius, height) about z, see `Turned`."""
    return Turned(np.asarray(profile, float)).mesh(segments, uv=uv)


def ball(radius: float, segments: int = 32, *, uv: bool = False) -> Mesh:
    """Return a sphere about the origin."""
    turn = np.linspace(-math.pi / 2, math.pi / 2, segments // 2 + 1)
    line = radius * np.stack([np.cos(turn), np.sin(turn)], 1)
    line[[0, -1], 0] = 0.0
    return lathe(line, segments, uv=uv)


def disc(radius: float, height: float, segments: int = 48) -> Mesh:
    """Return a disc that faces up, its texture laid on it from above."""
    flat = lathe([(radius, height), (radius / 2, height), (0, height)], segments)
    return replace(flat, uv=flat.vertices[:, :2] / (2 * radius) + 0.5)


def tube(
    path: Points,
    width: float | np.ndarray,
    depth: float | np.ndarray | None = None,
    *,
    hint: Sequence[float] = (0, 1, 0),
    sides: int = 12,
    square: float = 2.0,
    closed: bool = False,
) -> Mesh:
    """Sweep an ellipse along a path [n, 3], of a diameter ``width`` along ``hint`` and ``depth`` across it.

    ``hint`` must nowhere be parallel to the path. ``square`` above 2 makes the section a rounded rectangle.
    """
    line = np.asarray(path, float)
    if closed:
        tangent = np.roll(line, -1, 0) - np.roll(line, 1, 0)
    else:
        tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.asarray(hint, float) - tangent * (tangent @ np.asarray(hint, float))[:, None]
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(tangent, side)
    angle = np.linspace(0, 2 * math.pi, sides, endpoint=False) + math.pi / sides
    c, s = np.cos(angle), np.sin(angle)
    size = (np.abs(c) ** square + np.abs(s) ** square) ** (1 / square)
    wide = np.broadcast_to(np.asarray(width, float) / 2, len(line))[:, None, None]
    deep = np.broadcast_to(np.asarray(width if depth is None else depth, float) / 2, len(line))[:, None, None]
    rings = (
        line[:, None]
        + wide * (c / size)[:, None] * side[:, None]
        + deep * (s / size)[:, None] * other[:, None]
    )
    if closed:
        return loft(np.concatenate([rings, rings[:1]]))
    return loft(rings, caps=True)


def rectangle(width: float, depth: float, radius: float, steps: int = 4) -> np.ndarray:
    """Return a rectangle [4 * (steps + 1), 2] about the origin with round corners, counter-clockwise."""
    radius = min(radius, width / 2.001, depth / 2.001)
    turn = np.linspace(0, math.pi / 2, steps + 1) + np.arange(4)[:, None] * math.pi / 2
    corner = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * np.array(
        [width / 2 - radius, depth / 2 - radius]
    )
    return (corner[:, None] + radius * np.stack([np.cos(turn), np.sin(turn)], -1)).reshape(-1, 2)


def slab(width: float, depth: float, height: float, radius: float = 0.002, bevel: float = 0.0) -> Mesh:
    """Return an upright box on z = 0 with round vertical edges, and ``bevel`` at its bottom and top."""
    levels = [(0.0, 0.0), (0.0, height)]
    if bevel:
        turn = np.linspace(0, math.pi / 2, 4)
        foot = np.stack([bevel * (1 - np.sin(turn)), bevel * (1 - np.cos(turn))], 1)
        levels = [*foot, *(foot[::-1] * [1, -1] + [0, height])]
    rings = [
        np.column_stack([outline, np.full(len(outline), z)])
        for inset, z in levels
        for outline in [rectangle(width - 2 * inset, depth - 2 * inset, max(radius - inset, 1e-4))]
    ]
    return loft(np.stack(rings), caps=True)


@dataclass(frozen=True, slots=True)
class Face:
    """A flat rectangle in space: its lower left corner and its sides, seen from outside."""

    corner: np.ndarray
    right: np.ndarray
    up: np.ndarray

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, metres."""
        return float(np.linalg.norm(self.right)), float(np.linalg.norm(self.up))

    def patch(
        self, x: tuple[float, float] = (0, 1), y: tuple[float, float] = (0, 1), lift: float = 0.0004
    ) -> Mesh:
        """Return the part of it between fractions of its sides, raised by ``lift``."""
        normal = np.cross(self.right, self.up)
        start = self.corner + normal / np.linalg.norm(normal) * lift
        s, t = np.meshgrid(np.array(x), np.array(y))
        return loft(start + s[..., None] * self.right + t[..., None] * self.up, closed=False, uv=True)


def box_faces(width: float, depth: float, height: float) -> dict[str, Face]:
    """Return the sides of an upright box on z = 0, centred; the front looks towards -y."""
    x, y = np.array([width, 0, 0.0]), np.array([0, depth, 0.0])
    z, low = np.array([0, 0, height]), np.array([-width / 2, -depth / 2, 0.0])
    return {
        "front": Face(low, x, z),
        "right": Face(low + x, y, z),
        "back": Face(low + x + y, -x, z),
        "left": Face(low + y, -y, z),
        "top": Face(low + z, x, y),
        "bottom": Face(low + y, x, -y),
    }
