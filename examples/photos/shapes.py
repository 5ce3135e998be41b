"""Shapes for the sample photos: surfaces of revolution, swept tubes and boxes, and what is made of them.

Lengths are metres. Needs Blender's module, see ``render.py``.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np
from materials import RGB, Material, glass, glaze, rough

Thing = Any  # a Blender object
Points = Sequence[tuple[float, float]]


def mesh(
    name: str, vertices: Iterable[Sequence[float]], faces: Iterable[Sequence[int]], material: Material
) -> Thing:
    """Make a smooth-shaded object of a material and put it into the scene."""
    data = bpy.data.meshes.new(name)
    data.from_pydata([tuple(map(float, v)) for v in vertices], [], [tuple(f) for f in faces])
    data.materials.append(material.data)
    data.shade_smooth()
    thing = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(thing)
    return thing


def rounded(points: Points, times: int = 3) -> np.ndarray:
    """Cut the corners of an open polyline (Chaikin) so that it becomes a smooth curve with the same ends."""
    line = np.array(points, float)
    for _ in range(times):
        cut = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], 1).reshape(
            -1, 2
        )
        line = np.concatenate([line[:1], cut, line[-1:]])
    return line


def sweep(rings: np.ndarray, name: str, material: Material, *, capped: bool = False) -> Thing:
    """Join rings of points ``[n, m, 3]`` into a tube."""
    n, m = rings.shape[:2]
    quads = [
        (i * m + j, i * m + (j + 1) % m, (i + 1) * m + (j + 1) % m, (i + 1) * m + j)
        for i in range(n - 1)
        for j in range(m)
    ]
    caps = [range(m)[::-1], range((n - 1) * m, n * m)] if capped else []
    return mesh(name, rings.reshape(-1, 3), [*quads, *caps], material)


def lathe(profile: Points, name: str, material: Material, segments: int = 128) -> Thing:
    """Turn a profile of (radius, height) about the z axis; corners are rounded off."""
    line = rounded(profile)
    turn = np.linspace(0, 2 * math.pi, segments, endpoint=False)
    radius = np.maximum(line[:, :1], 1e-5)
    rings = np.stack([radius * np.cos(turn), radius * np.sin(turn), np.repeat(line[:, 1:], segments, 1)], -1)
    return sweep(rings, name, material)


def handle(path: Points, width: float, depth: float, material: Material) -> Thing:
    """Sweep an ellipse ``width`` x ``depth`` along a path of (x, z) in the plane y = 0."""
    line = rounded(path, 4)
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    turn = np.linspace(0, 2 * math.pi, 32, endpoint=False)
    out = depth / 2 * np.cos(turn)
    x = line[:, :1] + tangent[:, 1:] * out
    z = line[:, 1:] - tangent[:, :1] * out
    return sweep(
        np.stack([x, np.broadcast_to(width / 2 * np.sin(turn), x.shape), z], -1),
        "handle",
        material,
        capped=True,
    )


def fuse(parts: Sequence[Thing], voxel: float) -> Thing:
    """Melt overlapping parts into one surface with soft joins, as clay has."""
    bpy.ops.object.select_all(action="DESELECT")
    for part in parts:
        part.select_set(True)
    bpy.context.view_layer.objects.active = parts[0]
    bpy.ops.object.join()
    body = parts[0]
    remesh = body.modifiers.new("melt", "REMESH")
    remesh.mode, remesh.voxel_size = "VOXEL", voxel
    smooth = body.modifiers.new("smooth", "SMOOTH")
    smooth.iterations, smooth.factor = 8, 0.5
    for modifier in ("melt", "smooth"):
        bpy.ops.object.modifier_apply(modifier=modifier)
    body.data.shade_smooth()
    return body


def mark_zones(body: Thing, inner: Callable[[np.ndarray], np.ndarray], top: float) -> None:
    """Write the vertex attributes ``inside`` (within ``inner(z)`` of the axis) and ``rim`` for `glaze`."""
    count = len(body.data.vertices)
    xyz = np.empty(count * 3)
    body.data.vertices.foreach_get("co", xyz)
    x, y, z = xyz.reshape(-1, 3).T
    zones = {
        "inside": np.clip((inner(z) - np.hypot(x, y)) / 0.0008 + 0.5, 0, 1) * (z > 0.003),
        "rim": np.clip((z - top + 0.0022) / 0.0016, 0, 1),
    }
    for name, value in zones.items():
        body.data.attributes.new(name, "FLOAT", "POINT").data.foreach_set("value", value.astype(np.float32))


def box(name: str, low: RGB, high: RGB, material: Material, bevel: float = 0.0) -> Thing:
    """Make an upright box between two corners."""
    corners = [[(low, high)[i >> a & 1][a] for a in range(3)] for i in range(8)]
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    thing = mesh(name, corners, faces, material)
    thing.data.shade_flat()
    if bevel:
        edge = thing.modifiers.new("bevel", "BEVEL")
        edge.width, edge.segments = bevel, 3
    return thing


def group(name: str, parts: Sequence[Thing], at: tuple[float, float], turn: float = 0.0) -> Thing:
    """Hang parts on one handle that stands at a place of the table, turned about z."""
    root = bpy.data.objects.new(name, None)
    bpy.context.collection.objects.link(root)
    for part in parts:
        part.parent = root
    root.location, root.rotation_euler = (*at, 0.0), (0, 0, math.radians(turn))
    return root


def mug(colour: RGB, inside: RGB) -> list[Thing]:
    """Return a thick-walled stoneware mug, its handle towards +x."""
    clay = glaze("mug", colour, inside=inside, speckle=0.25)
    outer, wall, top = 0.041, 0.0042, 0.094
    body = lathe(
        [
            (0, 0.0025),
            (0.030, 0.0025),
            (0.031, 0),
            (0.034, 0),
            (0.038, 0.003),
            (outer, 0.011),
            (outer, 0.05),
            (outer, top - 0.002),
            (outer - 0.001, top),
            (outer - wall + 0.001, top),
            (outer - wall, top - 0.003),
            (outer - wall, 0.05),
            (outer - wall, 0.014),
            (outer - wall - 0.006, 0.0065),
            (0, 0.0062),
        ],
        "mug",
        clay,
    )
    loop = [
        (outer - 0.003, 0.080),
        (outer + 0.009, 0.081),
        (outer + 0.026, 0.079),
        (outer + 0.031, 0.056),
        (outer + 0.025, 0.030),
        (outer + 0.008, 0.020),
        (outer - 0.003, 0.020),
    ]
    whole = fuse([body, handle(loop, 0.0135, 0.0085, clay)], 0.0007)
    mark_zones(whole, lambda z: np.full_like(z, outer - wall * 0.75), top)
    return [whole]


def bowl(colour: RGB, inside: RGB | None, rim: RGB, size: float = 1.0) -> list[Thing]:
    """Return a bowl on a foot ring, 14 cm wide for size 1."""
    clay = glaze("bowl", colour, inside=inside, rim=rim, speckle=0.5)
    outside = [
        (0, 0.003),
        (0.030, 0.003),
        (0.031, 0),
        (0.035, 0),
        (0.036, 0.006),
        (0.050, 0.014),
        (0.063, 0.030),
        (0.070, 0.056),
        (0.0705, 0.060),
    ]
    inner = [(0.0670, 0.060), (0.0663, 0.056), (0.059, 0.031), (0.046, 0.0175), (0.030, 0.011), (0, 0.0095)]
    line = [(size * r, size * z) for r, z in outside + inner]
    body = lathe(line, "bowl", clay)
    edge = np.array(inner[::-1]) * size
    mark_zones(body, lambda z: np.interp(z, edge[:, 1], edge[:, 0]) + 0.0008, 0.060 * size)
    return [body]


def bottle() -> list[Thing]:
    """Return a small corked bottle of dark green glass with a paper label, 21 cm high."""
    outer = [
        (0, 0.004),
        (0.020, 0.003),
        (0.0255, 0),
        (0.029, 0.002),
        (0.030, 0.008),
        (0.030, 0.07),
        (0.030, 0.115),
        (0.0295, 0.128),
        (0.020, 0.146),
        (0.0125, 0.158),
        (0.0118, 0.175),
        (0.0118, 0.190),
        (0.0142, 0.191),
        (0.0145, 0.199),
        (0.0135, 0.201),
        (0.0105, 0.201),
        (0.0098, 0.199),
    ]
    shell = lathe(outer, "glass", glass("glass", (0.012, 0.045, 0.016)))
    stopper = lathe(
        [(0, 0.185), (0.0097, 0.185), (0.0098, 0.20), (0.0102, 0.2105), (0.0095, 0.212), (0, 0.212)],
        "cork",
        rough("cork", (0.50, 0.32, 0.17), 420.0, 0.0008, tint=0.6),
    )
    paper = rough("paper", (0.012, 0.030, 0.016), 900.0, 0.00006, tint=0.06)
    ink = rough("ink", (0.45, 0.33, 0.12), 900.0, 0.00004, tint=0.06)
    bands = [(0.030, 0.098, paper, 0.0), (0.035, 0.0365, ink, 0.00012), (0.0915, 0.093, ink, 0.00012)]
    label = [
        lathe(
            [(0.0301 + lift, low), (0.0302 + lift, low), (0.0302 + lift, high), (0.0301 + lift, high)],
            "label",
            mat,
        )
        for low, high, mat, lift in bands
    ]
    return [shell, stopper, *label]


def book(cloth: RGB, size: RGB = (0.19, 0.13, 0.026)) -> list[Thing]:
    """Return a cloth-bound book lying flat, its spine towards the camera."""
    w, d, h = size
    cover = rough("cloth", cloth, 1500.0, 0.0004, tint=0.35)
    pages = rough("pages", (0.78, 0.72, 0.60), 1.0, 0.0006, tint=0.5, stretch=(3, 3, 2600))
    lift, over = 0.0028, 0.0035
    return [
        box("cover", (-w / 2, -d / 2, 0), (w / 2, d / 2, lift), cover, 0.0008),
        box("cover", (-w / 2, -d / 2, h - lift), (w / 2, d / 2, h), cover, 0.0008),
        box("spine", (-w / 2, -d / 2 - 0.0012, 0.0004), (w / 2, -d / 2 + 0.002, h - 0.0004), cover, 0.0012),
        box("pages", (-w / 2 + over, -d / 2, lift), (w / 2 - over, d / 2 - over, h - lift), pages),
    ]
