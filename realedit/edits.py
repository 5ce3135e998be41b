"""What can be done to an object: edits as data, and the one transform that those of an object add up to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from realedit.errors import UsageError


@dataclass(frozen=True)
class Move:
    """Shift an object by (dx, dy), fractions of the photo's width and height; x right, y down.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        dx: fraction of the width, in [-1, 1].
        dy: fraction of the height, in [-1, 1].

    Raises:
        UsageError: a value is not a number in its range.
    """

    target: str | None
    dx: float = 0.0
    dy: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("dx", self.dx), ("dy", self.dy)):
            if not (math.isfinite(value) and -1 <= value <= 1):
                raise UsageError(f"{name} must be a fraction of the photo in [-1, 1], got {value}")


@dataclass(frozen=True)
class Resize:
    """Scale an object about its own centroid.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        scale: times its size, in [0.1, 10].

    Raises:
        UsageError: the value is not a number in its range.
    """

    target: str | None
    scale: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and 0.1 <= self.scale <= 10):
            raise UsageError(f"scale must lie in [0.1, 10], got {self.scale}")


Edit = Move | Resize


@dataclass(frozen=True)
class Plan:
    """One object's edits added up: its words, its shift (fractions of width, height) and its scale."""

    target: str | None
    dx: float
    dy: float
    scale: float


def plan(edits: Edit | Sequence[Edit]) -> Plan:
    """Add up the edits of one object.

    Raises:
        UsageError: there are none, they name more than one object, or together they change nothing.
    """
    edits = [edits] if isinstance(edits, Move | Resize) else list(edits)
    if not edits:
        raise UsageError("there is nothing to do", "give an edit, for example Move('mug', dx=0.2)")
    targets = {edit.target for edit in edits}
    if len(targets) > 1:
        names = ", ".join(sorted(str(target) for target in targets))
        raise UsageError(f"one run edits one object, got {names}", "edit them one after the other")
    moves = [edit for edit in edits if isinstance(edit, Move)]
    scale = math.prod(edit.scale for edit in edits if isinstance(edit, Resize))
    total = Plan(edits[0].target, sum(m.dx for m in moves), sum(m.dy for m in moves), scale)
    if total.dx == 0 and total.dy == 0 and total.scale == 1:
        raise UsageError("the edit changes nothing", "give a dx, dy or scale")
    return total
