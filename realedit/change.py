"""What an edit did to one object: how it was found, where it was, where it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in fractions of the frame."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


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


def box_of(mask: np.ndarray) -> Box | None:
    """The box of what a mask ``[H, W]`` in [0, 1] covers by half or more; None where that is nothing."""
    rows, columns = np.flatnonzero((mask >= 0.5).any(axis=1)), np.flatnonzero((mask >= 0.5).any(axis=0))
    if not rows.size:
        return None
    height, width = mask.shape
    return (
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1) / width),
        float((rows[-1] + 1) / height),
    )
