"""Several steps one after the other: what each hands to the next, and what they come to together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realedit.edits import LookOf, Paste, Remove, Step
from realedit.locate import from_mask
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


def together(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The figures of several steps, each by its step's number."""
    return {
        f"step_{number}_{name}": value
        for number, outcome in enumerate(outcomes, 1)
        for name, value in outcome.metrics.items()
    }
