"""How a list of edits is done: in which steps, and which object is the one that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realedit.edits.edit import Edit, Similarity
from realedit.errors import UsageError

EditStep = Similarity | Edit
"""What is done at once: one object's moves added up, or one edit of another kind."""


@dataclass(frozen=True)
class Plan:
    """A list of edits, checked, and what follows from it before any photo is read.

    Args:
        edits: as they were asked for, in their order.
        steps: that they are done in.
        shown_word: the words of the object that a mask, a box or a point shows; None where none is shown, or
            no edit names it.
    """

    edits: tuple[Edit, ...]
    steps: tuple[EditStep, ...]
    shown_word: str | None = None

    @property
    def objects(self) -> tuple[str | None, ...]:
        """The words of the photo's objects that are changed, each once; None for one that is shown."""
        return tuple(dict.fromkeys(word for edit in self.edits for word in edit.objects))


def plan(edits: Edit | Sequence[Edit], *, shown: bool) -> Plan:
    """Plan edits.

    Args:
        edits: one, or several in their order; neighbours that move one object are done at once.
        shown: whether a mask, a box or a point shows an object.

    Raises:
        UsageError: there are none, a step changes nothing, an edit needs what is not shown, or what is shown
            is no edit's, or may be several's.
    """
    listed = tuple(edits) if isinstance(edits, Sequence) else (edits,)
    if not listed:
        raise UsageError("there is nothing to do", "give an edit, for example Move('mug', dx=0.2)")
    return Plan(listed, steps_of(listed), _shown_word(listed, shown=shown))


def steps_of(edits: Sequence[Edit]) -> tuple[EditStep, ...]:
    """The steps that edits are done in, in their order; neighbours that move one object are one step.

    Raises:
        UsageError: a step changes nothing.
    """
    steps: list[EditStep] = []
    for edit in edits:
        one, last = edit.similarity, steps[-1] if steps else None
        if one is not None and isinstance(last, Similarity) and last.target == one.target:
            steps[-1] = last.then(one)
        else:
            steps.append(one or edit)
    if any(isinstance(step, Similarity) and step.idle for step in steps):
        raise UsageError("the edit changes nothing", "give a dx, dy, scale or angle")
    return tuple(steps)


def _shown_word(edits: Sequence[Edit], *, shown: bool) -> str | None:
    """The words of the object that a mask, a box or a point shows to edits."""
    targets = dict.fromkeys(edit.objects[0] for edit in edits if edit.objects)
    if not shown:
        if None in targets:
            raise UsageError("what is to be edited?", "give a word, a mask, a box or a point")
        return None
    if not targets:
        raise UsageError(
            "a mask, box or point shows an object of the photo, and nothing here edits one",
            "leave it out: a pasted object is found by its word, and a photo's look is taken by all of it",
        )
    gone = False
    for edit in edits:
        of_shown = edit.objects[:1] == (None,)
        if gone and of_shown and not edit.region_alone:
            raise UsageError("what is shown is taken away before it is edited", "change the order")
        gone |= edit.takes_away and of_shown
    if len(targets) > 1:
        raise UsageError(
            "a mask, box or point shows one object, the edits name several", "edit one after the other"
        )
    return next(iter(targets))
