"""From what is asked of an object to the one transform that carries it: its foot, its size by perspective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from guidance import Transform
from realedit.compose.foot import feet
from realedit.compose.frame_cut import cut_sides
from realedit.edits.edit import Similarity
from realedit.errors import UsageError
from realedit.location import Location

_LEAST_DEPTH = 0.05
"""Distance of a foot below the horizon as a fraction of the height: nearer to it or above it an object does
not stand on the ground that is seen, farther below it does. Set by eye: nearer, a pixel more or less makes
another size."""
_MOST_TIMES, _MOST_TIMES_FOUND = 3.0, 1.7
"""Factors of size by perspective, by a horizon that was told and by one that was found: above them and below
their inverses the first is refused and the second not believed, between them the object takes that size. Set
by eye: objects of ReS become up to 2.6 times as large, but what stands on another thing and not on the ground
would grow as much wrongly, which looks far worse than a size that is kept."""
_LEAST_CHANGE = 0.01
"""Change of size by perspective as a share: smaller ones are left out, larger ones are made. Set by eye: less
cannot be seen."""


@dataclass(frozen=True)
class Placed:
    """Where an object is put.

    Args:
        transform: from its old place to the new one, about its centroid.
        perspective: how many times as large perspective makes it; None where that was not asked or is not
            known.
    """

    transform: Transform
    perspective: float | None = None


def placed(step: Similarity, location: Location, horizon: Callable[[], float | None]) -> Placed:
    """Works out where a similarity puts an object.

    Args:
        step: what is asked.
        location: the object.
        horizon: finds the height of the photo's horizon as a fraction of the height; None where nothing tells
            it. Called where perspective is "auto" and the object goes up or down.

    Raises:
        UsageError: the object does not stand below the horizon that was told.
    """
    height, width = location.mask.shape
    aspect, centre = width / height, location.centroid
    plain = Placed(Transform(step.dx, step.dy, step.scale, step.angle, centre, step.mirrored))
    if all(_is_about_its_centroid(move) for move in step.each):
        return plain
    done, scale, seen = np.eye(3), step.scale, None
    for move in step.each:
        times = _times(move, feet(location, done[:2])[1][1], horizon)
        if times is not None:
            seen, scale = times * (seen or 1.0), times * scale
        x, y, _ = done @ (*centre, 1)
        about = (float(x), float(y))
        if times is not None or move.anchor == "foot":
            about = _foot(location, done, hangs=times is None)
        one = Transform(move.dx, move.dy, move.scale * (times or 1.0), move.angle, about, move.mirrored)
        done = np.array([*one.matrix(aspect), [0, 0, 1]]) @ done
    if seen is None and all(move.anchor == "centre" for move in step.each):
        return plain
    x, y, _ = done @ (*centre, 1)
    return Placed(
        Transform(float(x) - centre[0], float(y) - centre[1], scale, step.angle, centre, step.mirrored), seen
    )


def _is_about_its_centroid(move: Similarity) -> bool:
    """Returns whether neither the object's foot nor perspective matters."""
    shifted_only = move.scale == 1 and move.angle == 0
    return (move.anchor == "centre" or shifted_only) and (move.perspective == "off" or move.dy == 0)


def _foot(location: Location, done: np.ndarray, *, hangs: bool) -> tuple[float, float]:
    """Returns (x, y) of the foot of an object that was carried by a 3 x 3 matrix.

    Where the frame cuts the object at a side, the foot is at that border, so that the cut edge stays there.

    Args:
        location: the object, where it was.
        done: what has carried it, of (x, y, 1) in fractions of the frame.
        hangs: whether an object that the frame cuts at the top alone hangs from there.
    """
    (x, y), foot = feet(location, done[:2])
    sides = cut_sides(location.hard)
    beside, above = (
        ("left" in sides) != ("right" in sides),
        hangs and "top" in sides and "bottom" not in sides,
    )
    if not (beside or above):
        return foot
    at = (float("right" in sides) if beside else x, 0.0 if above else y, 1.0)
    moved = done @ at
    return float(moved[0]), float(moved[1])


def _times(move: Similarity, foot: float, horizon: Callable[[], float | None]) -> float | None:
    """Returns how many times as large perspective makes an object whose foot goes from ``foot`` down by dy.

    Of a plane seen by a pinhole camera, one over the depth is proportional to the distance from the horizon.

    Raises:
        UsageError: the foot is not below the horizon that was told, or does not stay there.
    """
    if move.perspective == "off" or move.dy == 0:
        return None
    told = move.perspective != "auto"
    height = move.perspective if isinstance(move.perspective, float | int) else horizon()
    if height is None:
        return None
    before, after = foot - height, foot + move.dy - height
    if min(before, after) < _LEAST_DEPTH:
        if not told:
            return None
        when = "lies" if before < _LEAST_DEPTH else "would come to lie"
        at = foot if before < _LEAST_DEPTH else foot + move.dy
        raise UsageError(
            f"the object's foot {when} at {at:.2f} of the height, not below the horizon at {height:.2f}",
            "tell a higher horizon (a smaller number), or --perspective off to keep its size",
        )
    times = after / before
    most = _MOST_TIMES if told else _MOST_TIMES_FOUND
    if not 1 / most <= times <= most:
        if not told:
            return None
        raise UsageError(
            f"by the horizon at {height:.2f} the object would become {times:.2g} times as large",
            "tell a higher horizon (a smaller number), or --perspective off to keep its size",
        )
    return times if abs(times - 1) >= _LEAST_CHANGE else 1.0
