"""From a step to the function that does it, which registers itself here by the step's type."""

from __future__ import annotations

from functools import singledispatch

from realedit.edits.plan import EditStep
from realedit.steps.work import Outcome, Work


@singledispatch
def do(step: EditStep, work: Work) -> Outcome:
    """Do one step.

    Raises:
        TypeError: no function has been registered for this kind of step.
    """
    raise TypeError(f"nothing does a step of type {type(step).__name__}: {work.photo.size}")
