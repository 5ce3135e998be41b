"""What can be done to a photo: edits as data, and the steps that a list of them is done in."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from realedit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np


def _check(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise UsageError(f"{name} must lie in [{low:g}, {high:g}]{unit}, got {value}")


def _check_text(name: str, text: str) -> None:
    if not text.strip():
        raise UsageError(f"{name} is empty", "say what it is to look like, for example 'a blue mug'")


@dataclass(frozen=True)
class _Pair:
    """Two objects of one photo."""

    target: str
    other: str

    def __post_init__(self) -> None:
        if self.target == self.other:
            raise UsageError(f"an object and itself: {self.target}", "name two objects")


@dataclass(frozen=True)
class _ByText:
    """An object, and a text that says what is to be seen."""

    target: str | None
    text: str
    what: ClassVar[str]

    def __post_init__(self) -> None:
        _check_text(self.what, self.text)


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
        _check("scale", self.scale, 0.1, 10)


@dataclass(frozen=True)
class Rotate:
    """Turn an object about its own centroid, in the picture's plane.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        angle: degrees, clockwise on screen, in [-360, 360].

    Raises:
        UsageError: the value is not a number in its range.
    """

    target: str | None
    angle: float

    def __post_init__(self) -> None:
        _check("angle", self.angle, -360, 360, " degrees")


@dataclass(frozen=True)
class Reshape:
    """Fit an object into a given outline, row by row.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        shape: ``[H, W]`` at the photo's size, white where the object is to be; a file or an array.
    """

    target: str | None
    shape: str | os.PathLike[str] | np.ndarray


@dataclass(frozen=True)
class Remove:
    """Take an object away, its shadow too. ``target`` as in :class:`Move`."""

    target: str | None


@dataclass(frozen=True)
class Swap(_Pair):
    """Two objects change places.

    Args:
        target: one object's words.
        other: the other's.

    Raises:
        UsageError: they are the same.
    """


@dataclass(frozen=True)
class Paste:
    """Put an object of another photo into this one.

    Args:
        target: the object's words, in the other photo.
        source: the other photo: anything that :func:`realedit.load_photo` takes.
        x: where its centroid comes to lie, fraction of this photo's width.
        y: likewise of its height.
        scale: times its own share of the longer side, in [0.1, 10].

    Raises:
        UsageError: a value is not a number in its range.
    """

    target: str
    source: Any
    x: float = 0.5
    y: float = 0.5
    scale: float = 1.0

    def __post_init__(self) -> None:
        _check("x", self.x, 0, 1)
        _check("y", self.y, 0, 1)
        _check("scale", self.scale, 0.1, 10)


@dataclass(frozen=True)
class Restyle(_ByText):
    """Give an object another look by text; it keeps its place and outline.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        text: what it is to look like, such as "a blue mug".

    Raises:
        UsageError: the text is empty.
    """

    what: ClassVar[str] = "the new look"


@dataclass(frozen=True)
class Replace(_ByText):
    """Put something else where an object is.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        text: what is to be there, such as "a bowl".

    Raises:
        UsageError: the text is empty.
    """

    what: ClassVar[str] = "the new object"


@dataclass(frozen=True)
class Background(_ByText):
    """Change what is about an object by text, and keep the object.

    Args:
        target: the words of the object that stays, or None where a mask, box or point names it.
        text: what the surroundings are to be, such as "a marble table".

    Raises:
        UsageError: the text is empty.
    """

    what: ClassVar[str] = "the new background"


@dataclass(frozen=True)
class Retouch:
    """Paint a text into a region that a mask, box or point shows; ``text`` says what the region shows."""

    text: str
    target: None = None

    def __post_init__(self) -> None:
        _check_text("the text", self.text)


@dataclass(frozen=True)
class Like:
    """Give an object the look of an object in another photo; it keeps its place and outline.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        source: the other photo: anything that :func:`realedit.load_photo` takes; None for the same photo.
        other: the words of the object there; the target's own by default.
    """

    target: str | None
    source: Any = None
    other: str | None = None

    def __post_init__(self) -> None:
        if self.source is None and (self.other is None or self.other == self.target):
            raise UsageError("an object already looks like itself", "name another photo or another object")
        if self.target is None and self.other is None:
            raise UsageError("whose look is it to take?", "name the object in the other photo")


@dataclass(frozen=True)
class SwapLooks(_Pair):
    """Two objects of one photo exchange their looks.

    Args:
        target: one object's words.
        other: the other's.

    Raises:
        UsageError: they are the same.
    """


@dataclass(frozen=True)
class LookOf:
    """The whole photo keeps its layout and takes the look of another photo.

    Args:
        source: the other photo: anything that :func:`realedit.load_photo` takes.
    """

    source: Any
    target: None = None


Edit = (
    Move | Resize | Rotate | Reshape | Remove | Swap | Paste | Restyle | Replace | Background | Retouch | Like
    | SwapLooks | LookOf
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """One object's moves added up: its words, its shift (fractions), its scale, its angle (degrees)."""

    target: str | None
    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    angle: float = 0.0

    def then(self, edit: Move | Resize | Rotate) -> Plan:
        """With one more."""
        match edit:
            case Move():
                return replace(self, dx=self.dx + float(edit.dx), dy=self.dy + float(edit.dy))
            case Resize():
                return replace(self, scale=self.scale * float(edit.scale))
            case Rotate():
                return replace(self, angle=self.angle + float(edit.angle))

    @property
    def idle(self) -> bool:
        """Whether it changes nothing."""
        return self.dx == 0 and self.dy == 0 and self.scale == 1 and self.angle % 360 == 0


Step = (
    Plan | Reshape | Remove | Swap | Paste | Restyle | Replace | Background | Retouch | Like | SwapLooks
    | LookOf
)  # fmt: skip


def plan(edits: Edit | Sequence[Edit]) -> tuple[Step, ...]:
    """The steps that edits are done in, in their order; neighbours that move one object are one step.

    Raises:
        UsageError: there are none, or a step changes nothing.
    """
    given = list(edits) if isinstance(edits, Sequence) else [edits]
    if not given:
        raise UsageError("there is nothing to do", "give an edit, for example Move('mug', dx=0.2)")
    steps: list[Step] = []
    for edit in given:
        if isinstance(edit, Move | Resize | Rotate):
            last = steps[-1] if steps else None
            if isinstance(last, Plan) and last.target == edit.target:
                steps[-1] = last.then(edit)
            else:
                steps.append(Plan(edit.target).then(edit))
        else:
            steps.append(edit)
    if any(isinstance(step, Plan) and step.idle for step in steps):
        raise UsageError("the edit changes nothing", "give a dx, dy, scale or angle")
    return tuple(steps)


def shown_word(edits: Sequence[Edit], *, shown: bool) -> str | None:
    """The words of the object that a mask, a box or a point shows to edits.

    Args:
        edits: at least one.
        shown: whether there is such a mask, box or point.

    Raises:
        UsageError: an edit needs what is not shown, or what is shown is no edit's, or may be several's.
    """
    named = dict.fromkeys(edit.target for edit in edits if not isinstance(edit, Paste | LookOf))
    if not shown:
        if None in named:
            raise UsageError("what is to be edited?", "give a word, a mask, a box or a point")
        return None
    if not named:
        raise UsageError(
            "a mask, box or point shows an object of the photo, and nothing here edits one",
            "leave it out: a pasted object is found by its word, and a photo's look is taken by all of it",
        )
    gone = False
    for edit in edits:
        if gone and edit.target is None and not isinstance(edit, Retouch | Paste | LookOf):
            raise UsageError("what is shown is taken away before it is edited", "change the order")
        gone |= isinstance(edit, Remove) and edit.target is None
    if len(named) > 1:
        raise UsageError(
            "a mask, box or point shows one object, the edits name several", "edit one after the other"
        )
    return next(iter(named))


def subjects(edits: Sequence[Edit]) -> tuple[str | None, ...]:
    """The words of the objects in the photo that edits change, each once; None for one that is shown."""
    named: list[str | None] = []
    for edit in edits:
        if not isinstance(edit, Paste | LookOf):
            named.append(edit.target)
        if isinstance(edit, Swap | SwapLooks):
            named.append(edit.other)
    return tuple(dict.fromkeys(named))
