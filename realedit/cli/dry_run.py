"""Works out where edits would carry their objects, as far as that is known without doing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from realedit.change import Change
from realedit.compose.frame import check_frame, moved_box
from realedit.compose.piece import carried as carried_along
from realedit.edits.edit import Carried, Similarity
from realedit.edits.plan import EditStep
from realedit.location import WHOLE, Box, Location
from realedit.placing import placed


@dataclass(frozen=True)
class Place:
    """Where an object would be.

    Args:
        box: its box; None if it is gone.
        centroid: its centroid (x, y).
        there: the object as far as it is in the photo; None if nothing of it is.
        matrix: float64 ``[3, 3]``, from (x, y, 1) of where it was found to where it is, in [0, 1] of the
            frame; not known of what was fitted into ``box``.
        scale: the factor by which the matrix enlarges.
        fitted: whether it was fitted into ``box`` or into an outline.
        perspective: how many times as large perspective makes it in the step that brings it there; None where
            that was not asked or is not known.
    """

    box: Box | None
    centroid: tuple[float, float]
    there: Location | None = None
    matrix: np.ndarray = field(default_factory=lambda: np.eye(3))
    scale: float = 1.0
    fitted: bool = False
    perspective: float | None = None


@dataclass(frozen=True)
class Planned:
    """What a step would do to one object.

    Args:
        number: the step's, from 1.
        step: the step.
        change: what is told of it.
        before: where the object is before it; None of one that comes from elsewhere, or of the whole photo.
        after: where it is afterwards, likewise.
    """

    number: int
    step: EditStep
    change: Change
    before: Place | None = None
    after: Place | None = None

    @property
    def kind(self) -> Literal["carried", "gone", "changed", "brought"]:
        """Whether the object goes to another place, away, or stays, or comes from another photo."""
        if self.step.brings:
            return "brought"
        if self.after is None or self.after is self.before:
            return "changed"
        return "gone" if self.after.box is None else "carried"


@dataclass(frozen=True)
class DryRun:
    """What a dry run finds out.

    Args:
        found: the objects in the photo by their words; None is the object that is shown.
        plan: what would be done to them, in its order.
    """

    found: Mapping[str | None, Location]
    plan: Sequence[Planned]

    @property
    def changes(self) -> list[Change]:
        """What is told of it."""
        return [one.change for one in self.plan]


Horizon = Callable[[], float | None]
"""Finds the height of the photo's horizon; see :func:`realedit.placing.placed`."""


def _no_horizon() -> None:
    return None


def changes_of(
    steps: Sequence[EditStep],
    found: Mapping[str | None, Location],
    horizon: Horizon = _no_horizon,
    *,
    allow_crop: bool,
) -> list[Change]:
    """Returns what steps would do to the objects that were found; see :func:`planned`."""
    return [one.change for one in planned(steps, found, horizon, allow_crop=allow_crop)]


def planned(
    steps: Sequence[EditStep],
    found: Mapping[str | None, Location],
    horizon: Horizon = _no_horizon,
    *,
    allow_crop: bool,
) -> list[Planned]:
    """Returns what steps would do to the objects that were found, in their order.

    Args:
        steps: what is asked for, with every outline read.
        found: the objects in the photo by their words; None is the object that is shown.
        horizon: finds the height of the photo's horizon, where an edit asks for it.
        allow_crop: whether part of an object may leave the frame.

    Raises:
        OutOfFrameError: part of an object would leave the frame, or its cut edge would show, and
            ``allow_crop`` is not set.
        UsageError: an object does not stand below the horizon that was told.
    """
    places = {word: Place(one.box, one.centroid, one) for word, one in found.items()}
    done: list[Planned] = []
    for number, step in enumerate(steps, 1):
        if step.brings:
            done.append(Planned(number, step, Change(step.name, getattr(step, "target", None))))
            continue
        if not step.objects:
            done.append(Planned(number, step, Change(step.name, None, before=WHOLE, after=WHOLE)))
            continue
        carried = step.carried({word: place.box for word, place in places.items()})
        then = places | {
            word: _carried(places[word], to, horizon, allow_crop=allow_crop) for word, to in carried.items()
        }
        for word in step.objects:
            one, before, after = found[word], places[word], then[word]
            scale = after.perspective if word in carried else None
            change = Change(step.name, word, one.source, one.score, before.box, after.box, scale)
            done.append(Planned(number, step, change, before, after))
        places = then
    return done


def _carried(place: Place, to: Carried, horizon: Horizon, *, allow_crop: bool) -> Place:
    """Returns the place of an object after an edit has carried it."""
    if place.there is None:
        return place
    if not isinstance(to, Similarity):
        if to is None:
            return Place(None, place.centroid)
        return Place(to, place.centroid, _filling(to, place.there), fitted=True)
    way = placed(to, place.there, horizon)
    transform, (height, width) = way.transform, place.there.mask.shape
    if not allow_crop:
        check_frame(place.there, transform)
    mask = carried_along(place.there.mask, transform).clip(0, 1)
    return Place(
        moved_box(place.there, transform),
        (place.centroid[0] + transform.dx, place.centroid[1] + transform.dy),
        replace(place.there, mask=mask) if (mask > 0.5).any() else None,
        np.vstack([transform.matrix(width / height), (0.0, 0.0, 1.0)]) @ place.matrix,
        place.scale * transform.scale,
        place.fitted,
        way.perspective,
    )


def _filling(box: Box, location: Location) -> Location:
    """Returns an object that fills a box of the same photo."""
    height, width = location.mask.shape
    x0, y0, x1, y1 = (round(side * size) for side, size in zip(box, (width, height) * 2, strict=True))
    mask = np.zeros((height, width), np.float32)
    mask[y0:y1, x0:x1] = 1
    return replace(location, mask=mask)
