"""What a sample sees of a scene: the whole picture, or a window on things that lie in it whole.

A window of half the side costs a quarter of a picture, and most of it is what a caption speaks of; in a whole
picture objects are a tenth, and what words say of them is lost in the noise of the rest. SDXL's conditioning
on sizes and crops tells the model which of the two it sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from examples.tabletop.latents import Shard

GRID = 4
"""Latent cells between the places of windows: one place at 1/16 of a picture, as the teacher's are."""

_WHOLE = 0.8
"""Of an object's visible pixels; with fewer in the window it is something at the border without a name."""


@dataclass(frozen=True, slots=True)
class View:
    """One sample.

    Attributes:
        latents: float ``[4, h, w]``, scaled.
        instances: uint8 ``[H, W]``; 0 is background, k the k-th object of ``scene``.
        scene: What the view shows, as ``write_caption`` reads it.
        sizes: SDXL's size conditioning in pixels: the picture's height and width, the view's top and left,
            its height and width.
        seen: What the teacher made of it, float ``[112, h / 4, w / 4]``; none where it saw nothing.
    """

    latents: np.ndarray
    instances: np.ndarray
    scene: Mapping[str, Any]
    sizes: tuple[int, int, int, int, int, int]
    seen: np.ndarray | None


def whole(shard: Shard, k: int, mirrored: bool) -> View:
    """Scene ``k`` of a shard, or its mirror image."""
    height, width = (4 * cells for cells in shard.latents.shape[-2:])
    return View(
        shard.latents[int(mirrored), k].astype(np.float32),
        shard.instances[k, :, :: -1 if mirrored else 1],
        shard.scenes[k],
        (height, width, 0, 0, height, width),
        None if shard.seen is None else shard.seen[int(mirrored), k].astype(np.float32),
    )


def window(view: View, rng: np.random.Generator) -> View | None:
    """A window of half the side of a whole square view, on an object that fits into it; None if none does."""
    cells = view.latents.shape[-1]
    side, scale = cells // 2, view.instances.shape[-1] // cells
    spans = [
        span
        for number in range(1, len(view.scene["objects"]) + 1)
        if (span := _span(view.instances == number, scale, side)) is not None
    ]
    if not spans:
        return None
    rows, columns = spans[int(rng.integers(len(spans)))]
    top, left = (
        GRID * int(rng.integers(-(-first // GRID), last // GRID + 1)) for first, last in (rows, columns)
    )
    y, x = slice(top, top + side), slice(left, left + side)
    instances, objects = _inside(
        view, slice(scale * top, scale * (top + side)), slice(scale * left, scale * (left + side))
    )
    return View(
        view.latents[:, y, x],
        instances,
        {**view.scene, "objects": objects},
        (4 * cells, 4 * cells, 4 * top, 4 * left, 4 * side, 4 * side),
        None if view.seen is None else _part(view.seen, top / cells, left / cells),
    )


def _part(seen: np.ndarray, top: float, left: float) -> np.ndarray:
    """Half the side of features, from shares of it."""
    places = seen.shape[-1]
    y, x = round(top * places), round(left * places)
    return seen[:, y : y + places // 2, x : x + places // 2]


def _span(mask: np.ndarray, scale: int, side: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """First and last top, first and last left, in cells, of the windows that hold a mask."""
    spans = []
    for axis in (1, 0):
        where = np.flatnonzero(mask.any(axis))
        if not len(where):
            return None
        first, last = int(where[0]) // scale, int(where[-1]) // scale + 1
        lowest, highest = max(0, last - side), min(first, mask.shape[0] // scale - side)
        if highest // GRID < -(-lowest // GRID):
            return None
        spans.append((lowest, highest))
    return spans[0], spans[1]


def _inside(view: View, y: slice, x: slice) -> tuple[np.ndarray, list[Any]]:
    """The window's instances, numbered anew, and the objects that lie in it whole."""
    part = view.instances[y, x]
    instances, objects = np.zeros_like(part), []
    for number, thing in enumerate(view.scene["objects"], 1):
        mask = part == number
        if mask.any() and mask.sum() >= _WHOLE * (view.instances == number).sum():
            objects.append(thing)
            instances[mask] = len(objects)
    return instances, objects
