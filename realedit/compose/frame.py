"""Checks that an edit keeps the object inside the frame, and out of sight what the frame has cut off."""

from __future__ import annotations

import math

import numpy as np

from guidance import Transform
from realedit.compose.foot import silhouette
from realedit.compose.frame_cut import shown_edges
from realedit.errors import OutOfFrameError, Sentence
from realedit.location import Box, Location

_CUT_SIDES = 0.003
"""Distance of the object's box from a border, as a share of the frame: nearer, the frame cuts the object
already and it may stay cut there; farther, it has to stay inside. Set by eye: a pixel or two of a small
photo."""
_OVER_SIDES = 0.002
"""Distance over a border, as a share of the frame: farther out an edit is refused, up to it is allowed. Set
by eye: less than a pixel of a small photo."""
_LOST_SHARE = 0.02
"""Share of the object's area that an edit may carry out of the frame: farther out it is refused, up to it is
done with a warning, because a photographer would rather have the edit than be asked about a sliver. Set by
judgement."""
_COUNTED_SIDE = 1024
"""Longest side of the grid on which that share is counted, in pixels: a longer one counts thin things more
exactly and takes longer. Not measured."""
_STRAIGHT = 0.1
"""Length of a cut edge, in square roots of the object's area: at or above it an edit that brings the edge
into the photo is refused, below it is done with a warning, because so short a straight edge is hardly seen.
Set by eye, on the masks of 25 photographs of COCOEE and 16 scenes of ReS."""


def check_frame(location: Location, transform: Transform) -> None:
    """Refuses a transform that carries the object over the border, or its cut edge into the photo.

    A sliver of it may leave, up to :data:`_LOST_SHARE` of the object; :func:`lost_share` tells how much.

    Raises:
        OutOfFrameError: it does; the message says by how much, or at which border.
    """
    x0, y0, x1, y1 = location.box
    left, top, right, bottom = moved_box(location, transform)
    # an object that the frame cuts already may stay cut on that side
    over = {
        "left": -left if x0 > _CUT_SIDES else -left - x0,
        "right": right - 1 if x1 < 1 - _CUT_SIDES or right > x1 else 0.0,
        "top": -top if y0 > _CUT_SIDES else -top - y0,
        "bottom": bottom - 1 if y1 < 1 - _CUT_SIDES or bottom > y1 else 0.0,
    }
    if lost_share(location, transform) > _LOST_SHARE:
        _refuse(over, location.word)
    cut = shown_edges(location, transform, least=_STRAIGHT)
    if cut:
        sides = " and the ".join(sorted(cut))
        told = f"{_name(location.word)} goes on beyond the frame at the {sides}: its straight edge would show"
        raise OutOfFrameError(
            Sentence(told, "edge_would_show"),
            f"keep it at the {sides}, or --allow-crop to let the edge show",
        )


def lost_share(location: Location, transform: Transform) -> float:
    """Returns the share of the object's pixels that a transform carries out of the frame, in [0, 1]."""
    height, width = location.mask.shape
    every = 1 + max(height, width) // _COUNTED_SIDE
    inside = location.mask[::every, ::every] >= location.mask.max() / 2
    rows, columns = np.nonzero(inside)
    if not rows.size:
        return 0.0
    places = np.stack([(every * columns + 0.5) / width, (every * rows + 0.5) / height])
    matrix = np.array(transform.matrix(width / height), np.float64)
    moved = matrix[:, :2] @ places + matrix[:, 2:]
    return float(((moved < 0) | (moved > 1)).any(0).mean())


def moved_box(location: Location, transform: Transform) -> Box:
    """Returns the box about the object once it is carried by a transform; it may reach over the border."""
    height, width = location.mask.shape
    matrix = np.array(transform.matrix(width / height), np.float64)
    moved = matrix[:, :2] @ silhouette(location) + matrix[:, 2:]
    (left, top), (right, bottom) = moved.min(1), moved.max(1)
    return float(left), float(top), float(right), float(bottom)


def check_box(box: Box, word: str | None = None) -> None:
    """Refuses a box (x0, y0, x1, y1), in fractions of the frame, that reaches over the border.

    Raises:
        OutOfFrameError: it does; the message says by how much.
    """
    x0, y0, x1, y1 = box
    _refuse({"left": -x0, "right": x1 - 1, "top": -y0, "bottom": y1 - 1}, word)


def _refuse(over: dict[str, float], word: str | None) -> None:
    side, amount = max(over.items(), key=lambda item: item[1])
    if amount > _OVER_SIDES:
        percent = math.ceil(100 * amount - 1e-6)  # 0.6 + 0.3 + 0.3 is a little more than 1.2
        length = "width" if side in ("left", "right") else "height"
        told = f"{_name(word)} would leave the frame by {percent} % of its {length} at the {side}"
        raise OutOfFrameError(
            Sentence(told, "leaves_frame"), "use a smaller change, or --allow-crop to let it be cut"
        )


def _name(word: str | None) -> str:
    return "the object" if word is None else f"'{word}'"
