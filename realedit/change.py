"""What an edit did to one object: how it was found, where it was, where it is."""

from __future__ import annotations

from dataclasses import dataclass

from realedit.location import Box


@dataclass(frozen=True)
class Change:
    """What a step did, or is going to do, to one object.

    Args:
        edit: the step by its edits' names: "move", "move, resize", "swap_looks".
        word: the object's words; None where it was shown without.
        source: how it was found: "word", "mask", "box" or "point"; None where it was not looked for.
        score: how surely, in [0, 1]; None likewise.
        before: its box; None where the photo did not hold it.
        after: its box in the edited photo; None where it is gone, or is not known before it is done.
    """

    edit: str
    word: str | None
    source: str | None = None
    score: float | None = None
    before: Box | None = None
    after: Box | None = None
