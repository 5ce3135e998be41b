r"""Fills a hole with a few large pieces of the picture, each copied whole from one step away.

Where several surfaces and things meet a hole, patches that have to agree
(:mod:`realedit.pixels.patch_completion`) end in a blur of them all. Here each pixel is copied from one place
and its neighbours mostly from beside that place, so that what is copied stays sharp and lines go through.

In a small copy of the picture :mod:`realedit.pixels.offset_candidates` proposes steps and
:mod:`realedit.pixels.copy_choice` chooses among them. In each larger copy, steps double, each piece is
shifted by up to a pixel to where it meets the others best, and seams move to where the pieces look alike. At
last the pieces are joined by their gradients (:mod:`realedit.pixels.screened_poisson`), which takes out what
differs in light; a step between them that is too large for light stays sharp.

References: Pritch et al. 2009, *Shift-Map Image Editing*, for the coarse-to-fine choice of steps; He and Sun
2012, *Statistics of Patch Offsets for Image Completion*. On 16 scenes of ReS no fill is blurred any more, and
a fill takes 0.8 s instead of 2.3.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from realedit.pixels.copy_choice import MOST_DIFFERENCE, SEAM_PRICE, choose_copies, drawn_from
from realedit.pixels.guide import Guide
from realedit.pixels.offset_candidates import offset_candidates
from realedit.pixels.pyramid import Completion, Scene, coarse_to_fine, completed
from realedit.pixels.screened_poisson import solve_screened_poisson
from realedit.pixels.straight_edges import straight_edges

_MOST_CHOSEN_PIXELS = 5000
"""Area in pixels of the hole's box in the copy where steps are chosen: a larger one is finer and takes more
time and memory, a smaller one misses thin structures. Set for speed."""
_SLOPE_WEIGHT = 2.0
"""Weight of a slope of lightness against a difference in Lab: higher lets lines meet lines, lower looks at
colours alone. Not measured."""
_SEAM_TURNS = 4
"""Times that seams may move by a pixel in each larger copy: more find better seams, fewer take less time. Not
measured."""
_LEAST_GAIN = 0.98
"""Mismatch after a piece's shift, as a share of that before: below it the piece is shifted, at or above it
stays. Not measured."""
_BORDER_PIXELS = 2
"""Width in pixels of the border at which a piece has to meet the others: wider sees more, narrower only what
touches. Not measured."""
_LIGHT_STEP = 15.0
"""Step in Lab between two pieces: one below it is light and spread, one of twice it or more is an edge and
stays, those between are spread in part. Set by eye on 8 scenes of ReS."""
_JOIN_PIXELS = 20.0
"""Length in pixels over which joining may stray from what was copied: longer spreads a step wider, shorter
leaves it sharper. Not measured."""
_BESIDE = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""Steps (row, column) to the four neighbours of a pixel; eight would let seams run aslant at more cost. Not
measured."""


def complete_by_copies(
    rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None
) -> Completion | None:
    """Fills ``hole`` with shifted copies of what surrounds it.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        hole: bool ``[H, W]``.
        forbidden: bool ``[H, W]``, pixels that nothing is copied from and that nothing has to agree with.

    Returns:
        The filled picture; None if there is nothing to copy.
    """
    scenes = coarse_to_fine(rgb, hole, forbidden)
    small = [k for k, scene in enumerate(scenes) if _box_area(scene.hole) <= _MOST_CHOSEN_PIXELS]
    scenes = scenes[small[-1] if small else 0 :]
    finest = scenes[-1] if scenes else None
    guide = None
    if finest is not None:
        guide = straight_edges(finest.lab, finest.hole, ~(finest.hole | finest.forbidden))
    steps = _chosen(scenes[0], guide) if scenes else None
    if steps is None:
        return None
    for coarser, scene in pairwise(scenes):
        steps = _doubled(steps, coarser.hole, scene.hole)
        features, known = _features(scene), ~(scene.hole | scene.forbidden)
        steps = _registered(features, scene.hole, known, steps)
        steps = _seamed(features, scene.hole, known, steps)
    lab, mismatch = _joined(scenes[-1], steps)
    outline = cv2.morphologyEx(hole.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).sum() / 2
    done = completed(rgb, hole, lab, steps, mismatch**2)
    return done._replace(doubt=float(mismatch.sum() / max(outline, 1)))


def _box_area(hole: np.ndarray) -> int:
    _, _, width, height = cv2.boundingRect(hole.astype(np.uint8))
    return width * height


def _chosen(scene: Scene, guide: Guide | None) -> np.ndarray | None:
    known = ~(scene.hole | scene.forbidden)
    steps = offset_candidates(scene.lab, scene.hole, known)
    if not len(steps):
        return None
    small = None if guide is None else guide.resized(scene.hole.shape[::-1])
    return choose_copies(_features(scene), scene.hole, known, steps, small)


def _features(scene: Scene) -> np.ndarray:
    """Returns Lab and the slopes of its lightness, float32 ``[H, W, 5]``; none beside what is unknown."""
    down, right = np.gradient(scene.lab[..., 0])
    unknown = (scene.hole | scene.forbidden).astype(np.uint8)
    inner = cv2.dilate(unknown, np.ones((3, 3), np.uint8)) == 0
    slopes = _SLOPE_WEIGHT * np.dstack([down, right]) * inner[..., None]
    return np.dstack([scene.lab, slopes]).astype(np.float32)


def _doubled(steps: np.ndarray, coarse: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Carries steps from the hole ``coarse`` to that of twice the size."""
    nearest = cv2.distanceTransformWithLabels(
        (~coarse).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    labels = np.asarray(nearest[1], np.int64)
    of_label = np.zeros((int(labels.max()) + 1, 2), np.int32)
    of_label[labels[coarse]] = steps[coarse]
    rows, columns = np.indices(hole.shape) // 2
    under = labels[rows.clip(0, coarse.shape[0] - 1), columns.clip(0, coarse.shape[1] - 1)]
    return 2 * of_label[under] * hole[..., None]


def _composite(image: np.ndarray, hole: np.ndarray, known: np.ndarray, steps: np.ndarray) -> np.ndarray:
    out = image.copy()
    rows, columns = np.nonzero(hole)
    out[hole], _ = drawn_from(image, known, rows, columns, steps[hole])
    return out


def _registered(features: np.ndarray, hole: np.ndarray, known: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Shifts each piece by up to a pixel to where it meets best what borders it."""
    seen = _composite(features, hole, known, steps)
    square = np.ones((2 * _BORDER_PIXELS + 1,) * 2, np.uint8)
    out = steps.copy()
    for step in np.unique(steps[hole], axis=0):
        piece = hole & (steps == step).all(-1)
        border = (cv2.dilate(piece.astype(np.uint8), square) > 0) & ~piece & (hole | known)
        rows, columns = np.nonzero(border)
        if not len(rows):
            continue
        best = np.inf
        for shift in ((0, 0), *((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x)):
            copied, usable = drawn_from(features, known, rows, columns, step + shift)
            missed = np.minimum(((copied - seen[border]) ** 2).sum(-1), MOST_DIFFERENCE)
            mismatch = float(np.where(usable, missed, MOST_DIFFERENCE).mean())
            if mismatch < _LEAST_GAIN * best:
                best = mismatch
                out[piece] = step + shift
    return out


def _seamed(features: np.ndarray, hole: np.ndarray, known: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Lets seams move: a pixel beside one takes its neighbour's step where that lowers their cost."""
    steps = steps.copy()
    even = np.indices(hole.shape).sum(0) % 2 == 0
    for turn in range(_SEAM_TURNS):
        beside = [(np.roll(steps, (-y, -x), (0, 1)), np.roll(hole, (-y, -x), (0, 1))) for y, x in _BESIDE]
        seam = np.any([(theirs != steps).any(-1) & inside for theirs, inside in beside], axis=0)
        rows, columns = np.nonzero(seam & hole & (even if turn % 2 else ~even))
        if not len(rows):
            continue
        offers = [(steps, hole), *beside]
        costs = [
            np.where(inside[rows, columns], 0, np.inf)
            + _seam_cost(features, hole, known, steps, rows, columns, theirs[rows, columns])
            for theirs, inside in offers
        ]
        best = np.argmin(costs, axis=0)
        offered = np.stack([theirs[rows, columns] for theirs, _ in offers])
        steps[rows, columns] = offered[best, np.arange(len(rows))]
    return steps


def _seam_cost(
    features: np.ndarray,
    hole: np.ndarray,
    known: np.ndarray,
    steps: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    offered: np.ndarray,
) -> np.ndarray:
    """Returns what the pairs of some pixels with their four neighbours cost with the steps ``offered``."""
    height, width = hole.shape
    mine, usable = drawn_from(features, known, rows, columns, offered)
    cost = np.where(usable, 0.0, np.inf)
    for y, x in _BESIDE:
        r, c = (rows + y).clip(0, height - 1), (columns + x).clip(0, width - 1)
        filled = hole[r, c]
        counts = (filled | known[r, c]) & ((r != rows) | (c != columns))
        theirs = steps[r, c]  # 0 outside the hole: the photo itself
        there, _ = drawn_from(features, known | hole, r, c, theirs)
        mine_there, seen = drawn_from(features, known, r, c, offered)
        missed = np.where(seen, ((there - mine_there) ** 2).sum(-1), MOST_DIFFERENCE)
        theirs_here, seen = drawn_from(features, known, rows, columns, theirs)
        back = np.where(seen, ((theirs_here - mine) ** 2).sum(-1), 0)
        both = missed + np.where(filled, back, missed)
        same = filled & (theirs == offered).all(-1)
        cost += np.where(counts & ~same, np.minimum(both, 2 * MOST_DIFFERENCE) + SEAM_PRICE, 0)
    return cost


def _joined(scene: Scene, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joins the pieces by their gradients.

    Returns:
        The picture in CIELAB, ``[H, W, 3]``; and how far from each other what meets at a pixel was, float32
        ``[H, W]``, 0 inside the pieces and outside the hole.
    """
    known = ~(scene.hole | scene.forbidden)
    values = _composite(scene.lab, scene.hole, known, steps)
    inside = np.nonzero(scene.hole)
    copied, usable = drawn_from(scene.lab, known, inside[0], inside[1], steps[inside])
    values[inside] = np.where(usable[:, None], copied, scene.base[inside])
    height, width = scene.hole.shape
    rows, columns = np.mgrid[:height, :width]
    mismatch = np.zeros(scene.hole.shape, np.float32)
    slopes = list[np.ndarray]()
    for y, x in ((1, 0), (0, 1)):
        here, there = np.s_[: height - y, : width - x], np.s_[y:, x:]
        total, count = np.zeros_like(values[here]), np.zeros((*values[here].shape[:2], 1), np.float32)
        for side in (here, there):  # the slope that either pixel's piece has between the two
            start, seen = drawn_from(scene.lab, known, rows[here], columns[here], steps[side])
            end, seen_too = drawn_from(scene.lab, known, rows[there], columns[there], steps[side])
            usable = (seen & seen_too & scene.hole[side])[..., None]
            total += np.where(usable, end - start, 0)
            count += usable
        step = values[there] - values[here]
        slope = np.where(count > 0, total / np.maximum(count, 1), step)
        off = np.linalg.norm(step - slope, axis=-1)
        edge = np.clip(off / _LIGHT_STEP - 1, 0, 1)[..., None]
        for side in (here, there):
            mismatch[side] = np.maximum(mismatch[side], np.where(scene.hole[side], off, 0))
        slopes.append(np.pad(slope + edge * (step - slope), ((0, y), (0, x), (0, 0))))
    down, right = slopes
    joined = solve_screened_poisson(
        values, scene.hole, scene.forbidden, down=down, right=right, length=_JOIN_PIXELS
    )
    return joined, mismatch
