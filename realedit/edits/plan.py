"""Plans a list of edits: in which steps it is done, and which object a mask, box or point shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realedit.edits.edit import Edit, Similarity
from realedit.errors import UsageError
from realedit.prompts import holds_words, split

EditStep = Similarity | Edit
"""What is done at once: one object's moves added up, or one edit of another kind."""


@dataclass(frozen=True)
class Plan:
    """A checked list of edits, and what follows from it before any photo is read.

    Args:
        edits: as they were asked for, in their order.
        steps: what is done at once, in its order.
        shown_word: the words of the object that a mask, box or point shows; None where none is shown, or no
            edit names it.
    """

    edits: tuple[Edit, ...]
    steps: tuple[EditStep, ...]
    shown_word: str | None = None

    @property
    def objects(self) -> tuple[str | None, ...]:
        """The words of the photo's objects that are changed, each once; None for one that is shown."""
        return tuple(dict.fromkeys(word for edit in self.edits for word in edit.objects))


def plan(edits: Edit | Sequence[Edit], *, shown: bool) -> Plan:
    """Plans edits.

    Args:
        edits: one, or several in their order; neighbours that move one object are done at once.
        shown: whether a mask, box or point shows an object.

    Raises:
        UsageError: there are no edits, a step changes nothing, an object is edited after it was taken away,
            an edit needs what is not shown, or not exactly one object can be meant by what is shown.
    """
    listed = tuple(edits) if isinstance(edits, Sequence) else (edits,)
    if not listed:
        raise UsageError("there is nothing to do", "give an edit, for example Move('mug', dx=0.2)")
    planned = Plan(listed, steps_of(listed), _shown_word(listed, shown=shown))
    _check_order(listed)
    return planned


def steps_of(edits: Sequence[Edit]) -> tuple[EditStep, ...]:
    """Returns the steps in which edits are done; neighbours that move one object are one step.

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
    """Returns the words of the object that a mask, box or point shows.

    Raises:
        UsageError: an edit needs what is not shown, or not exactly one object can be meant by what is.
    """
    targets = dict.fromkeys(edit.objects[0] for edit in edits if edit.objects)
    if not shown:
        if None in targets:
            raise UsageError("what is to be edited?", "give a word, a mask, a box or a point")
        return None
    if not targets:
        raise UsageError(
            "a mask, box or point shows an object of the photo, and nothing here edits one",
            "leave it out: a pasted object is found by its name, another photo's look is for the whole photo",
        )
    if len(targets) > 1:
        raise UsageError(
            "a mask, box or point shows one object, the edits name several", "edit one after the other"
        )
    return next(iter(targets))


def _check_order(edits: Sequence[Edit]) -> None:
    """Refuses to edit an object after it was taken away.

    An object of the same name may be there again, if an edit in between puts one in; and whoever takes a
    "mug" away twice means two mugs.

    Raises:
        UsageError: an edit changes an object that an earlier one took away.
    """
    gone: set[str | None] = set()
    for edit in edits:
        for word in edit.objects:
            if word not in gone:
                continue
            if word is None and not edit.region_alone:
                raise UsageError("what is shown is taken away before it is edited", "change the order")
            if word is not None and not edit.takes_away:
                raise UsageError(
                    f"'{word}' is taken away before it is edited",
                    "change the order; where there are several, say which, such as 'left mug'",
                )
        if edit.takes_away:
            gone |= set(edit.objects)
        gone -= {word for word in gone if word is not None and _puts_in(edit, word)}


def _puts_in(edit: Edit, word: str) -> bool:
    return any(holds_words(text, split(word)[1]) for text in edit.puts_in)
