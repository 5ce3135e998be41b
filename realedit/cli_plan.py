"""What a dry run tells: where edits would carry their objects, as far as that is known without doing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidance import Transform
from realedit.change import WHOLE, Box, Change, box_of
from realedit.edits import Edit, LookOf, Paste, Plan, Remove, Reshape, Step, Swap, SwapLooks, plan
from realedit.frame import check_frame, moved_box
from realedit.locate import Location
from realedit.steps.geometric import shift_to_the_spot
from realedit.steps.sequence import name_of


@dataclass(frozen=True)
class _Place:
    """Where an object would be: its box and its centroid, and whether it still is where it was found."""

    box: Box | None
    centroid: tuple[float, float]
    found: bool = False


def planned(edits: Sequence[Edit], found: Mapping[str | None, Location], *, allow_crop: bool) -> list[Change]:
    """What edits would do to the objects that were found, in their order.

    Of an object that is turned and then carried on, the box is one about the turned box.

    Args:
        edits: what is asked for, every outline in it read.
        found: the objects in the photo by their words; None is what is shown.
        allow_crop: whether an object may leave the frame.

    Raises:
        OutOfFrameError: an object would leave it all the same.
    """
    places = {word: _Place(one.box, one.centroid, found=True) for word, one in found.items()}
    changes: list[Change] = []
    for step in plan(edits):
        if isinstance(step, Paste):
            changes.append(Change(name_of(step), step.target))
            continue
        if isinstance(step, LookOf):
            changes.append(Change(name_of(step), None, before=WHOLE, after=WHOLE))
            continue
        words = [step.target, step.other] if isinstance(step, Swap | SwapLooks) else [step.target]
        then = places | _carried(step, places, found, allow_crop=allow_crop)
        for word in words:
            one = found[word]
            changes.append(
                Change(name_of(step), word, one.source, one.score, places[word].box, then[word].box)
            )
        places = then
    return changes


def _carried(
    step: Step, places: Mapping[str | None, _Place], found: Mapping[str | None, Location], *, allow_crop: bool
) -> dict[str | None, _Place]:
    """The objects that a step carries elsewhere, and where."""
    here = places.get(step.target)
    if here is None or here.box is None:
        return {}
    match step:
        case Remove():
            return {step.target: replace(here, box=None)}
        case Reshape(shape=np.ndarray() as shape):
            return {step.target: replace(here, box=box_of(shape), found=False)}
        case Plan():
            moves = {step.target: Transform(step.dx, step.dy, step.scale, step.angle, here.centroid)}
        case Swap():
            there = places[step.other]
            if there.box is None:
                return {}
            moves = {
                step.target: Transform(*shift_to_the_spot(here.box, there.box), centre=here.centroid),
                step.other: Transform(*shift_to_the_spot(there.box, here.box), centre=there.centroid),
            }
        case _:
            return {}
    return {word: _moved(places[word], found[word], to, allow_crop) for word, to in moves.items()}


def _moved(place: _Place, location: Location, to: Transform, allow_crop: bool) -> _Place:
    if place.found and not allow_crop:
        check_frame(location, to)
    height, width = location.mask.shape
    box = None if place.box is None else moved_box(place.box, to, width / height)
    return _Place(box, (place.centroid[0] + to.dx, place.centroid[1] + to.dy))
