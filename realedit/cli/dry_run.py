"""Works out where edits would carry their objects, as far as that is known without doing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from guidance import Transform
from realedit.change import Change
from realedit.compose.frame import check_frame, moved_box
from realedit.edits.edit import Carried, Similarity
from realedit.edits.plan import EditStep
from realedit.location import WHOLE, Box, Location


@dataclass(frozen=True)
class Place:
    """Where an object would be.

    Args:
        box: its box; None if it is gone.
        centroid: its centroid (x, y).
        found: whether it is still where it was found.
        matrix: float64 ``[3, 3]``, from (x, y, 1) of where it was found to where it is, in [0, 1] of the
            frame; not known of what was fitted into ``box``.
        scale: the factor by which the matrix enlarges.
        fitted: whether it was fitted into ``box`` or into an outline.
    """

    box: Box | None
    centroid: tuple[float, float]
    found: bool = False
    matrix: np.ndarray = field(default_factory=lambda: np.eye(3))
    scale: float = 1.0
    fitted: bool = False


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
    def kind(self) -> Literal["carried", "copied", "gone", "changed", "brought"]:
        """What happens to the object: it goes to another place, or a second one does, it goes away, or stays.

        "brought" is one that comes from another photo.
        """
        if self.step.brings:
            return "brought"
        if self.after is None or self.after is self.before:
            return "changed"
        if self.after.box is None:
            return "gone"
        return "copied" if self.step.name == "copy" else "carried"


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


def changes_of(
    steps: Sequence[EditStep], found: Mapping[str | None, Location], *, allow_crop: bool
) -> list[Change]:
    """Returns what steps would do to the objects that were found; see :func:`planned`."""
    return [one.change for one in planned(steps, found, allow_crop=allow_crop)]


def planned(
    steps: Sequence[EditStep], found: Mapping[str | None, Location], *, allow_crop: bool
) -> list[Planned]:
    """Returns what steps would do to the objects that were found, in their order.

    Where an object is turned and then moved again, the box encloses the turned box, not the turned object.

    Args:
        steps: what is asked for, with every outline read.
        found: the objects in the photo by their words; None is the object that is shown.
        allow_crop: whether part of an object may leave the frame.

    Raises:
        OutOfFrameError: part of an object would leave the frame, and ``allow_crop`` is not set.
    """
    places = {word: Place(one.box, one.centroid, found=True) for word, one in found.items()}
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
            word: _carried(places[word], to, found[word], allow_crop=allow_crop)
            for word, to in carried.items()
        }
        for word in step.objects:
            one, before, after = found[word], places[word], then[word]
            change = Change(step.name, word, one.source, one.score, before.box, after.box)
            done.append(Planned(number, step, change, before, after))
        places = then
    return done


def _carried(place: Place, to: Carried, location: Location, *, allow_crop: bool) -> Place:
    """Returns the place of an object after an edit has carried it."""
    if place.box is None:
        return place
    if not isinstance(to, Similarity):
        return Place(to, place.centroid, fitted=to is not None)
    transform = Transform(to.dx, to.dy, to.scale, to.angle, place.centroid, to.mirrored)
    if place.found and not allow_crop:
        check_frame(location, transform)
    height, width = location.mask.shape
    box = moved_box(place.box, transform, width / height)
    matrix = np.vstack([transform.matrix(width / height), (0.0, 0.0, 1.0)]) @ place.matrix
    centroid = (place.centroid[0] + to.dx, place.centroid[1] + to.dy)
    return Place(box, centroid, matrix=matrix, scale=place.scale * to.scale, fitted=place.fitted)
