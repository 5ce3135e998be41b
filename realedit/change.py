"""Says what an edit did to one object: how it was found, where it was and where it is."""

from __future__ import annotations

from dataclasses import dataclass

from realedit.location import Box


@dataclass(frozen=True)
class Change:
    """What a step did, or will do, to one object.

    Args:
        edit: the names of the step's edits: "move", "move, resize", "swap_looks".
        word: the object's words; None if it was shown without words.
        source: how it was found: "word", "mask", "box" or "point"; None if it was not looked for.
        score: how sure that is, in [0, 1]; None if it was not looked for.
        before: its box; None if the photo did not hold it.
        after: its box in the edited photo; None if it is gone, or if only the edit itself will tell.
        perspective: how many times as large perspective makes it; None where that was not asked or is not
            known.
    """

    edit: str
    word: str | None
    source: str | None = None
    score: float | None = None
    before: Box | None = None
    after: Box | None = None
    perspective: float | None = None
