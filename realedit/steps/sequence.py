"""Several steps in a row: what each hands on to the next, and what they amount to together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from realedit.change import Change
from realedit.edits.plan import EditStep
from realedit.edits.recipe import PERSPECTIVE
from realedit.find.by_hand import from_mask
from realedit.location import WHOLE, Location, box_of
from realedit.steps.work import Outcome, State


def after(state: State, outcome: Outcome, step: EditStep) -> State:
    """Returns the state in which the next step finds the photo, and where its objects now are."""
    known = {**state.known, **outcome.mattes}
    shown = state.shown
    if step.takes_away:
        known = {word: matte for word, matte in known.items() if word not in step.objects}
        # an object that was shown without words stays a region, which may be painted into
        shown = shown if None in step.objects else None
    elif shown is not None and step.objects:
        # after a swap, the mask after holds two objects: take the shown one alone
        matte = outcome.mattes.get(shown.word or "", outcome.mask_after)
        hard = matte > 0.5
        if hard.any() and not hard.all():
            shown = from_mask(outcome.photo.rgb, matte, shown.word)
    return replace(state, photo=outcome.photo, inverted=None, prompt=outcome.prompt, shown=shown, known=known)


def mattes(outcomes: Sequence[Outcome], known: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the edited objects' matte in the photo and in the edited one, float32 ``[H, W]`` in [0, 1]."""
    if len(outcomes) == 1:
        return outcomes[0].location.mask, outcomes[0].mask_after
    found = {outcome.location.word: outcome.location.mask for outcome in reversed(outcomes)}
    now = [*known.values(), outcomes[-1].mask_after]
    return np.max(list(found.values()), axis=0), np.max(now, axis=0)


def changes(step: EditStep, outcome: Outcome) -> list[Change]:
    """Returns what a step did, object by object."""
    found = outcome.location
    if not step.objects and not step.brings:
        return [Change(step.name, None, before=WHOLE, after=WHOLE)]
    before = None if step.brings else found.box
    several = bool(outcome.others)
    now = box_of(_own(outcome, found) if several else outcome.mask_after)
    perspective = outcome.metrics.get(PERSPECTIVE)
    first = Change(step.name, found.word, found.source, found.score, before, now, perspective)
    return [first] + [
        Change(step.name, one.word, one.source, one.score, one.box, box_of(_own(outcome, one)))
        for one in outcome.others
    ]


def all_warnings(outcome: Outcome) -> tuple[str, ...]:
    """Returns what the user should know of a step: of how its objects were found, and of what it did."""
    found = (outcome.location.warning, *(one.warning for one in outcome.others))
    return (*(warning for warning in found if warning), *outcome.warnings)


def together(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Returns the figures of several steps, each under its step's number: "step_1_score"."""
    return {
        f"step_{number}_{name}": value
        for number, outcome in enumerate(outcomes, 1)
        for name, value in outcome.metrics.items()
    }


def _own(outcome: Outcome, one: Location) -> np.ndarray:
    """Returns the matte of one of several objects in the edited photo; all 0 if nothing of it is left."""
    return outcome.mattes.get(one.word or "", np.zeros_like(one.mask))
