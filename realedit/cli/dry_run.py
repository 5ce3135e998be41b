"""Works out where edits would carry their objects, as far as that is known without doing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guidance import Transform
from realedit.change import Change
from realedit.compose.frame import check_frame, moved_box
from realedit.edits.edit import Carried, Similarity
from realedit.edits.plan import EditStep
from realedit.location import WHOLE, Box, Location


@dataclass(frozen=True)
class _Place:
    """Where an object would be: its box, its centroid, and whether it is still where it was found."""

    box: Box | None
    centroid: tuple[float, float]
    found: bool = False


def changes_of(
    steps: Sequence[EditStep], found: Mapping[str | None, Location], *, allow_crop: bool
) -> list[Change]:
    """Returns what steps would do to the objects that were found, in their order.

    Where an object is turned and then moved again, the box encloses the turned box, not the turned object.

    Args:
        steps: what is asked for, with every outline read.
        found: the objects in the photo by their words; None is the object that is shown.
        allow_crop: whether part of an object may leave the frame.

    Raises:
        OutOfFrameError: part of an object would leave the frame, and ``allow_crop`` is not set.
    """
    places = {word: _Place(one.box, one.centroid, found=True) for word, one in found.items()}
    changes: list[Change] = []
    for step in steps:
        if step.brings:
            changes.append(Change(step.name, getattr(step, "target", None)))
            continue
        if not step.objects:
            changes.append(Change(step.name, None, before=WHOLE, after=WHOLE))
            continue
        carried = step.carried({word: place.box for word, place in places.items()})
        then = places | {
            word: _carried(places[word], to, found[word], allow_crop=allow_crop)
            for word, to in carried.items()
        }
        for word in step.objects:
            one = found[word]
            changes.append(Change(step.name, word, one.source, one.score, places[word].box, then[word].box))
        places = then
    return changes


def _carried(place: _Place, to: Carried, location: Location, *, allow_crop: bool) -> _Place:
    """Returns the place of an object after an edit has carried it."""
    if place.box is None:
        return place
    if not isinstance(to, Similarity):
        return _Place(to, place.centroid)
    transform = Transform(to.dx, to.dy, to.scale, to.angle, place.centroid, to.mirrored)
    if place.found and not allow_crop:
        check_frame(location, transform)
    height, width = location.mask.shape
    box = moved_box(place.box, transform, width / height)
    return _Place(box, (place.centroid[0] + to.dx, place.centroid[1] + to.dy))
