"""Boxes and cartons."""

import math
from dataclasses import replace

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick, stood, turned
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.prints import printed, ruled, wrapped
from examples.tabletop.solids import (
    Face,
    Mesh,
    box_faces,
    curve,
    join,
    lathe,
    slab,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def box(rng: np.random.Generator) -> Asset:
    """Make a box: a package with prints, a parcel with tape, a present with ribbon, one with a lid."""
    kind = pick(rng, {"wrapped": 5, "package": 3, "parcel": 1.5, "present": 1, "lidded": 1.2})
    if kind == "wrapped":
        return _wrapped_box(rng)
    width, depth, height = rng.uniform(0.06, 0.22), rng.uniform(0.04, 0.16), rng.uniform(0.04, 0.22)
    if kind == "package" and rng.random() < 0.4:
        depth, height = rng.uniform(0.035, 0.07), rng.uniform(0.16, 0.28)
    elif rng.random() < 0.3:
        width = depth = height = rng.uniform(0.06, 0.16)
    if kind in ("present", "lidded"):
        height = min(height, 0.14)
    faces = box_faces(width, depth, height)
    finish: Finish = "matte" if kind == "parcel" or rng.random() < 0.4 else "satin"
    parts = [
        join([face.patch(lift=0) for face in faces.values()]).part(finish=finish, paint=True, smooth=False)
    ]
    if kind == "package":
        return asset(rng, "box", parts + _package(rng, faces))
    tone = labels.print_on(rng)
    if kind == "parcel":
        tape = rng.uniform(0.12, 0.22)
        tone = (0.78, 0.66, 0.46) if rng.random() < 0.6 else labels.light(rng)
        span = (0.5 - tape / 2, 0.5 + tape / 2)
        strips = [
            faces["top"].patch((0, 1), span),
            faces["left"].patch(span, (0.7, 1)),
            faces["right"].patch(span, (0.7, 1)),
        ]
        parts.append(join(strips).part(tone, "glossy"))
        seam = faces["top"].patch((0, 1), (0.497, 0.503), 0.0008)
        parts.append(seam.part((0.2, 0.15, 0.1), "matte"))
        if rng.random() < 0.5:
            parts.append(printed(rng, faces["front"], (0.1, 0.5), (0.2, 0.65)))
    elif kind == "present":
        parts += _ribbon(rng, faces, width, depth, height, tone)
    else:
        deep = height * rng.uniform(0.2, 0.45)
        lid = slab(width + 0.005, depth + 0.005, deep, 0.001).moved(z=height - deep + 0.002)
        parts.append(lid.part(tone, finish, paint=rng.random() < 0.85))
        if rng.random() < 0.6:
            parts.append(
                printed(rng, box_faces(width, depth, height + 0.002)["top"], (0.2, 0.8), (0.25, 0.75))
            )
    return asset(rng, "box", parts)


def _wrapped_box(rng: np.random.Generator) -> Asset:
    """Make a package printed all over: of cereal, of pudding powder, of butter."""
    small = rng.random() < 0.6
    if small:
        width, depth, height = rng.uniform(0.06, 0.12), rng.uniform(0.025, 0.05), rng.uniform(0.05, 0.1)
    else:
        width, depth, height = rng.uniform(0.1, 0.2), rng.uniform(0.035, 0.08), rng.uniform(0.12, 0.27)
    faces = box_faces(width, depth, height)
    word, base = labels.named(rng)
    body = join([face.patch(lift=0) for face in faces.values()]).part(base, "satin", smooth=False)
    order = ("front", "back", "left", "right", "top", "bottom")
    thing = asset(rng, "box", [body, *wrapped(rng, [faces[name] for name in order], base)], word)
    # Such a package lies on its broad side as often as it stands.
    return (
        replace(thing, parts=tuple(stood(turned(thing.parts, 0, -math.pi / 2))))
        if rng.random() < 0.4
        else thing
    )


def _package(rng: np.random.Generator, faces: dict[str, Face]) -> list[Part]:
    parts: list[Part] = []
    tone = labels.print_on(rng)
    style = pick(rng, {"panel": 3, "bars": 2, "band": 1.5})
    for name in ("front", "back", "top", "left", "right"):
        face = faces[name]
        if style == "bars" or (name in ("left", "right") and rng.random() < 0.6):
            parts.append(ruled(rng, face, tone))
        elif style == "band":
            if name != "top":
                parts.append(face.patch((0, 1), (0.55, 0.8)).part(tone, "satin"))
                parts.append(ruled(rng, Face(face.corner, face.right, face.up * 0.5), tone))
        else:
            inset, low = rng.uniform(0.08, 0.2), rng.uniform(0.12, 0.4)
            parts.append(printed(rng, face, (inset, 1 - inset), (low, low + rng.uniform(0.35, 0.5))))
    return parts


def _ribbon(
    rng: np.random.Generator, faces: dict[str, Face], width: float, depth: float, height: float, tone: RGB
) -> list[Part]:
    half = rng.uniform(0.006, 0.012)
    a, b = (0.5 - half / width, 0.5 + half / width), (0.5 - half / depth, 0.5 + half / depth)
    meshes = [faces[name].patch(a, (0, 1), 0.0006) for name in ("front", "back", "top")]
    meshes += [faces[name].patch(b, (0, 1), 0.0006) for name in ("left", "right")]
    meshes.append(faces["top"].patch((0, 1), b, 0.0009))
    for turn in (0.4, 0.4 + math.pi):
        reach = rng.uniform(0.025, 0.04)
        path = curve(
            [(0, 0, 0), (reach, 0, 0.03), (1.3 * reach, 0, 0.01), (reach * 0.6, 0, 0.002), (0, 0, 0.002)], 16
        )
        meshes.append(tube(path, 2 * half, 0.002).turned(2, turn).moved(z=height))
    return [join([Mesh(m.vertices, m.faces) for m in meshes]).part(tone, "glossy")]


def carton(rng: np.random.Generator) -> Asset:
    """Make a carton: for milk with a gable top and perhaps a cap, or a brick of juice with a straw or cap."""
    gable = rng.random() < 0.65
    width = rng.uniform(0.06, 0.095)
    depth = width * (1.0 if gable else rng.uniform(0.55, 0.8))
    height = width * (rng.uniform(1.5, 2.2) if gable else rng.uniform(1.3, 2.4))
    faces = box_faces(width, depth, height)
    sides = [faces[name].patch(lift=0) for name in ("front", "right", "back", "left", "bottom")]
    plain = labels.light(rng)
    parts: list[Part] = []
    if gable:
        rise, fin = depth * rng.uniform(0.32, 0.45), rng.uniform(0.012, 0.018)
        parts += _gable(rng, width, depth, height, rise, fin)
        if rng.random() < 0.5:
            turn = math.atan2(rise, depth / 2)
            screw = lathe([(0, 0), (0.013, 0), (0.013, 0.01), (0.012, 0.011), (0, 0.011)], 32).turned(0, turn)
            screw = screw.moved(0, -depth / 4, height + rise / 2)
            parts.append(screw.part(labels.print_on(rng), "satin"))
    else:
        sides.append(faces["top"].patch(lift=0))
        if rng.random() < 0.5:
            straw = tube(
                [
                    (0.2 * width, 0, height - 0.01),
                    (0.2 * width, 0, height + 0.02),
                    (0.32 * width, 0, height + 0.05),
                ],
                0.005,
            )
            parts.append(straw.part(plain, "satin"))
        elif rng.random() < 0.6:
            screw = lathe([(0, 0), (0.012, 0), (0.012, 0.011), (0, 0.011)], 32).moved(0.2 * width, 0, height)
            parts.append(screw.part(labels.print_on(rng), "satin"))
    if rng.random() < 0.5:
        word, base = labels.named(rng)
        parts = [replace(part, rgb=base, paint=False) if part.paint else part for part in parts]
        parts.append(join(sides).part(base, "satin", smooth=False))
        order = ("front", "back", "left", "right")
        return asset(rng, "carton", parts + wrapped(rng, [faces[name] for name in order], base), word)
    parts.append(join(sides).part(finish="satin", paint=True, smooth=False))
    inset, low = rng.uniform(0.0, 0.15), rng.uniform(0.15, 0.45)
    high = low + rng.uniform(0.25, 0.45)
    for name in ("front", "back"):
        parts.append(printed(rng, faces[name], (inset, 1 - inset), (low, high)))
    tone = labels.print_on(rng)
    for name in ("left", "right"):
        parts.append(ruled(rng, faces[name], tone))
    return asset(rng, "carton", parts)


def _gable(
    rng: np.random.Generator, width: float, depth: float, height: float, rise: float, fin: float
) -> list[Part]:
    x, y, top = width / 2, depth / 2, height + rise
    inner = x * 0.35
    eaves = [(-x, -y, height), (x, -y, height), (x, y, height), (-x, y, height), (-x, 0, top), (x, 0, top)]
    points = np.array([*eaves, (-inner, 0, height + 0.5 * rise), (inner, 0, height + 0.5 * rise)])
    roof = [
        (0, 1, 5),
        (0, 5, 4),
        (2, 3, 4),
        (2, 4, 5),
        (1, 7, 5),
        (1, 2, 7),
        (2, 5, 7),
        (3, 6, 4),
        (3, 0, 6),
        (0, 4, 6),
    ]
    ridge = slab(width, 0.0025, fin, 0.0003).moved(z=top - 0.001)
    white = rng.random() < 0.35
    tone = labels.light(rng)
    return [
        Mesh(points, np.array(roof)).part(tone, "satin", paint=not white, smooth=False),
        ridge.part(tone, "satin", paint=not white),
    ]
