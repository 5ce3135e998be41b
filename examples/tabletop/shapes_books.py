"""Closed books, lying, upright or stacked."""

import math

import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, moved, pick, turned
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.prints import printed, ruled
from examples.tabletop.solids import (
    Face,
    box_faces,
    join,
    loft,
    slab,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def _title(rng: np.random.Generator, face: Face) -> list[Part]:
    """Print a cover: bars, a panel with words, or a picture, and mostly leave its colour to be seen."""
    kind = pick(rng, {"none": 1.5, "bars": 2.5, "panel": 2.5, "picture": 1.5})
    if kind == "none":
        return []
    if kind == "bars":
        return [ruled(rng, face, labels.print_on(rng))]
    if kind == "panel":
        inset, low = rng.uniform(0.08, 0.25), rng.uniform(0.35, 0.65)
        return [printed(rng, face, (inset, 1 - inset), (low, low + rng.uniform(0.15, 0.3)))]
    inset = rng.uniform(0.1, 0.22)
    wide, tall = face.size
    x, y = (inset, 1 - inset), (0.15, rng.uniform(0.5, 0.62))
    image = labels.picture(rng, tall * (y[1] - y[0]) / (wide * (x[1] - x[0])))
    parts = [face.patch(x, y, 0.0005).part((1, 1, 1), "satin", texture=image)]
    bar = face.patch((inset, 1 - inset), (0.78, 0.86), 0.0005)
    return [*parts, bar.part(labels.print_on(rng), "satin")]


def _volume(rng: np.random.Generator, width: float, length: float, thick: float) -> list[Part]:
    """Return a closed book on its back: the spine at -x, the top of its pages at +y."""
    hard = rng.random() < 0.6
    board, over = (0.0025, 0.0035) if hard else (0.0006, 0.0003)
    finish: Finish = "matte" if rng.random() < 0.4 else ("satin" if rng.random() < 0.6 else "glossy")
    bulge = thick * rng.uniform(0.1, 0.3) if hard and rng.random() < 0.5 else 0.0
    turn = np.linspace(-1, 1, 9)
    back = np.column_stack([-width / 2 - bulge * (1 - turn**2), thick / 2 * (1 + turn)])
    ends = [np.column_stack([back[:, 0], np.full(9, y), back[:, 1]]) for y in (-length / 2, length / 2)]
    inside = [end[::-1] + np.array([board, 0, 0]) for end in ends]
    spine = loft(np.stack([np.concatenate([a, b]) for a, b in zip(ends, inside, strict=True)]), caps=True)
    plates = [slab(width, length, board, 0.0008).moved(z=z) for z in (0.0, thick - board)]
    cover = join([spine, *plates]).part(finish=finish, paint=True)
    faces = box_faces(width - over - 0.001, length - 2 * over, thick - 2 * board)
    pages = join([faces[name].patch(lift=0) for name in ("front", "right", "back")]).moved(
        -over / 2, 0, board
    )
    cream = labels.rgb(np.array([0.95, 0.92, 0.84]) * rng.uniform(0.88, 1.0))
    parts = [cover, pages.part(cream, "matte", texture=labels.sheets(rng))]
    parts += _title(rng, box_faces(width, length, thick)["top"])
    if thick > 0.012 and rng.random() < 0.75:
        # On the spine the words run down from the top.
        spine_face = Face(
            np.array([-width / 2 - bulge, length / 2, 0.0]),
            np.array([0, -length, 0.0]),
            np.array([0, 0, thick]),
        )
        if bulge == 0 or rng.random() < 0.5:
            low = rng.uniform(0.1, 0.3)
            tone = labels.print_on(rng)
            lift = 0.0006
            parts.append(
                spine_face.patch((low, low + rng.uniform(0.2, 0.5)), (0.35, 0.65), lift).part(tone, "satin")
            )
            parts.append(spine_face.patch((0.88, 0.9), (0.2, 0.8), lift).part(tone, "satin"))
    return parts


def book(rng: np.random.Generator) -> Asset:
    """Make a closed book, lying or upright, or a small stack of books."""
    width, length, thick = rng.uniform(0.1, 0.19), rng.uniform(0.15, 0.26), rng.uniform(0.01, 0.036)
    length = max(length, 1.15 * width)
    kind = pick(rng, {"lying": 6, "upright": 3, "stack": 1})
    if kind == "lying":
        return asset(rng, "book", _volume(rng, width, length, thick))
    if kind == "upright":
        return asset(rng, "book", turned(_volume(rng, width, length, thick), 0, math.pi / 2))
    parts: list[Part] = []
    height = 0.0
    for _ in range(rng.integers(2, 4)):
        high = rng.uniform(0.012, 0.03)
        size = rng.uniform(0.8, 1.0)
        turn = rng.uniform(-0.35, 0.35)
        parts += moved(turned(_volume(rng, width * size, length * size, high), 2, turn), z=height)
        height += high + 0.0008
    return asset(rng, "book", parts)
