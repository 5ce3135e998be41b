"""Draws a dry run: the photo with its objects' outlines where they are and where they would go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from realedit.cli.dry_run import Place, Planned
from realedit.edits.kinds import Paste, Reshape
from realedit.location import Location
from realedit.photo import Photo
from realedit.pixels.resizing import scaled
from realedit.pixels.warp import warped
from realedit.report.panel import LONGEST, fit
from realedit.report.preview import Mark, preview

_SPOT_SIDES = 0.06
"""Radius, in longer sides, of the disc that stands for an object of another photo, whose outline a dry run
does not know. Set by eye."""


def drawn(photo: Photo, found: Mapping[str | None, Location], plan: Sequence[Planned]) -> Image.Image:
    """Returns the preview of a dry run, at most :data:`realedit.report.panel.LONGEST` pixels long.

    Args:
        photo: the photo.
        found: the objects in it by their words.
        plan: what would be done to them.
    """
    rgb = np.asarray(fit(Image.fromarray(photo.rgb), LONGEST))
    size = rgb.shape[:2]
    mattes = {word: _at(location.mask, size) for word, location in found.items()}
    return preview(rgb, [_mark(rgb, mattes, one) for one in plan])


def _mark(rgb: np.ndarray, mattes: Mapping[str | None, np.ndarray], one: Planned) -> Mark:
    """Returns how one line of the plan is drawn."""
    if isinstance(one.step, Paste):
        return Mark(one.number, "brought", None, _spot(rgb.shape[:2], one.step))
    if one.before is None or one.after is None:
        return Mark(one.number, "changed", None, np.ones(rgb.shape[:2], np.float32))
    matte = mattes[one.change.word]
    before = _moved(matte, one.before)
    if one.kind == "changed":
        return Mark(one.number, "changed", before, before)
    if one.kind == "gone":
        return Mark(one.number, "gone", before, None)
    if isinstance(one.step, Reshape) and isinstance(one.step.shape, np.ndarray):
        return Mark(one.number, "carried", before, _at(one.step.shape, rgb.shape[:2]))
    after = _moved(matte, one.after)
    ghost = None if one.after.fitted else warped(rgb, one.after.matrix[:2].tolist(), one.after.scale)
    return Mark(one.number, one.kind, before, after, ghost)


def _moved(matte: np.ndarray, place: Place) -> np.ndarray:
    """Returns an object's matte at a place; a box where it was fitted into one."""
    if not place.fitted:
        return warped(matte, place.matrix[:2].tolist(), place.scale).clip(0, 1)
    height, width = matte.shape
    x0, y0, x1, y1 = place.box or (0.0, 0.0, 0.0, 0.0)
    box = np.zeros_like(matte)
    box[max(0, round(y0 * height)) : round(y1 * height), max(0, round(x0 * width)) : round(x1 * width)] = 1
    return box


def _spot(size: tuple[int, ...], step: Paste) -> np.ndarray:
    """Returns a disc about the place of what comes from another photo, float32 ``[H, W]`` in [0, 1]."""
    height, width = size[0], size[1]
    rows, columns = np.mgrid[:height, :width]
    away = np.hypot(columns + 0.5 - step.x * width, rows + 0.5 - step.y * height)
    return (away < _SPOT_SIDES * max(size)).astype(np.float32)


def _at(matte: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Returns a matte ``[H, W]`` at another size (height, width)."""
    return scaled(np.asarray(matte, np.float32), (size[1], size[0]))
