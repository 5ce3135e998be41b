"""Several steps one after the other: what each hands to the next, and what they come to together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from realedit.change import Change
from realedit.edits.plan import EditStep
from realedit.find.by_hand import from_mask
from realedit.location import WHOLE, Location, box_of
from realedit.steps.work import Outcome, State


def after(state: State, outcome: Outcome, step: EditStep) -> State:
    """What the next step finds: the edited photo, and where its objects now are."""
    known = {**state.known, **outcome.mattes}
    shown = state.shown
    if step.takes_away:
        known = {word: matte for word, matte in known.items() if word not in step.objects}
        # where it has no words it is a region too, which may be painted into
        shown = shown if None in step.objects else None
    elif shown is not None and step.objects:
        # of a swap, the shown object alone
        matte = outcome.mattes.get(shown.word or "", outcome.mask_after)
        hard = matte > 0.5
        if hard.any() and not hard.all():
            shown = from_mask(outcome.photo.rgb, matte, shown.word)
    return replace(state, photo=outcome.photo, inverted=None, prompt=outcome.prompt, shown=shown, known=known)


def mattes(outcomes: Sequence[Outcome], known: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What the edited objects covered in the photo, and what they cover in the edited one."""
    if len(outcomes) == 1:
        return outcomes[0].location.mask, outcomes[0].mask_after
    found = {outcome.location.word: outcome.location.mask for outcome in reversed(outcomes)}
    now = [*known.values(), outcomes[-1].mask_after]
    return np.max(list(found.values()), axis=0), np.max(now, axis=0)


def changes(step: EditStep, outcome: Outcome) -> list[Change]:
    """What a step did, object by object."""
    found = outcome.location
    if not step.objects and not step.brings:
        return [Change(step.name, None, before=WHOLE, after=WHOLE)]
    before = None if step.brings else found.box
    several = bool(outcome.others)
    now = box_of(_own(outcome, found) if several else outcome.mask_after)
    first = Change(step.name, found.word, found.source, found.score, before, now)
    return [first] + [
        Change(step.name, one.word, one.source, one.score, one.box, box_of(_own(outcome, one)))
        for one in outcome.others
    ]


def together(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The figures of several steps, each by its step's number."""
    return {
        f"step_{number}_{name}": value
        for number, outcome in enumerate(outcomes, 1)
        for name, value in outcome.metrics.items()
    }


def _own(outcome: Outcome, one: Location) -> np.ndarray:
    """The matte of one of several objects in the edited photo; empty where none of it is left there."""
    return outcome.mattes.get(one.word or "", np.zeros_like(one.mask))
