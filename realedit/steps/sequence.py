"""Several steps one after the other: what each hands to the next, and what they come to together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realedit.change import WHOLE, Change, box_of
from realedit.edit_entries import key_of
from realedit.edits import LookOf, Paste, Plan, Remove, Step
from realedit.locate import Location, from_mask
from realedit.steps.work import Outcome, Work


def after(work: Work, outcome: Outcome, step: Step) -> Work:
    """What the next step works with: the edited photo, and where its objects now are."""
    known = work.known | outcome.mattes
    given = work.given
    if isinstance(step, Remove):
        known = {word: matte for word, matte in known.items() if word != step.target}
        # where it has no words it is a region too, which may be painted into
        given = given if step.target is None else None
    elif given is not None and not isinstance(step, Paste | LookOf):
        # of a swap, the shown object alone
        after = outcome.mattes.get(given.word or "", outcome.mask_after)
        hard = after > 0.5
        if hard.any() and not hard.all():
            given = from_mask(outcome.photo.rgb, after, given.word)
    return replace(work, photo=outcome.photo, inverted=None, prompt=outcome.prompt, given=given, known=known)


def mattes(outcomes: Sequence[Outcome], known: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What the edited objects covered in the photo, and what they cover in the edited one."""
    if len(outcomes) == 1:
        return outcomes[0].location.mask, outcomes[0].mask_after
    found = {outcome.location.word: outcome.location.mask for outcome in reversed(outcomes)}
    now = [*known.values(), outcomes[-1].mask_after]
    return np.max(list(found.values()), axis=0), np.max(now, axis=0)


def changes(step: Step, outcome: Outcome) -> list[Change]:
    """What a step did, object by object."""
    name, found = name_of(step), outcome.location
    if isinstance(step, LookOf):
        return [Change(name, None, before=WHOLE, after=WHOLE)]
    before = None if isinstance(step, Paste) else found.box
    several = bool(outcome.others)
    after = box_of(_own(outcome, found) if several else outcome.mask_after)
    first = Change(name, found.word, found.source, found.score, before, after)
    return [first] + [
        Change(name, one.word, one.source, one.score, one.box, box_of(_own(outcome, one)))
        for one in outcome.others
    ]


def _own(outcome: Outcome, one: Location) -> np.ndarray:
    """The matte of one of several objects in the edited photo; empty where none of it is left there."""
    return outcome.mattes.get(one.word or "", np.zeros_like(one.mask))


def name_of(step: Step) -> str:
    """A step by its edits' names: "remove"; "move, resize" where one object is moved and resized at once."""
    if not isinstance(step, Plan):
        return key_of(step)
    done = {"move": bool(step.dx or step.dy), "resize": step.scale != 1, "rotate": step.angle % 360 != 0}
    return ", ".join(name for name, is_done in done.items() if is_done)


def together(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The figures of several steps, each by its step's number."""
    return {
        f"step_{number}_{name}": value
        for number, outcome in enumerate(outcomes, 1)
        for name, value in outcome.metrics.items()
    }
