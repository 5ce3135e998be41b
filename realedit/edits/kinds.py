"""What can be done to a photo: every kind of edit, and all that is particular to it but its pixels.

A new kind is a class here, a function for it in :mod:`realedit.steps`, and their tests: the command line, the
JSON schema, recipes, dry runs and batches read what the class says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from realedit.edits.edit import Carried, Edit, ImpliedBy, Needs, Similarity, given
from realedit.errors import UsageError
from realedit.location import Box, box_of, shift_to_the_spot

if TYPE_CHECKING:
    import numpy as np

_FIND_IT = "show it with --mask, --box or --point"


@dataclass(frozen=True)
class Move(Edit):
    """Shift an object by (dx, dy), fractions of the photo's width and height; x right, y down.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        dx: fraction of the width, in [-1, 1].
        dy: fraction of the height, in [-1, 1].

    Raises:
        UsageError: a value is not a number in its range.
    """

    key = "move"
    needs = Needs(("dx", "dy"), "how far", "add --dx or --dy, such as --dx 0.2")
    implied_by = ImpliedBy(("dx", "dy"), "what to move")
    target: str | None = field(metadata=given("move", "Move the object of this name."))
    dx: float = field(
        default=0.0,
        metadata=given(
            "dx", "How far to the right, in widths of the photo.", "FRACTION", low=-1, high=1, unit=" widths"
        ),
    )
    dy: float = field(
        default=0.0,
        metadata=given(
            "dy", "How far down, in heights of the photo.", "FRACTION", low=-1, high=1, unit=" heights"
        ),
    )

    @property
    def similarity(self) -> Similarity:
        """A shift."""
        return Similarity(self.target, dx=float(self.dx), dy=float(self.dy))


@dataclass(frozen=True)
class Resize(Edit):
    """Scale an object about its own centroid.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        scale: times its size, in [0.1, 10].

    Raises:
        UsageError: the value is not a number in its range.
    """

    key = "resize"
    needs = Needs(("scale",), "how much", "add --scale, such as --scale 1.3")
    implied_by = ImpliedBy(("scale",), "what to resize")
    target: str | None = field(metadata=given("resize", "Resize the object of this name."))
    scale: float = field(metadata=given("scale", "How many times its size.", "TIMES", low=0.1, high=10))

    @property
    def similarity(self) -> Similarity:
        """A scale."""
        return Similarity(self.target, scale=float(self.scale))


@dataclass(frozen=True)
class Rotate(Edit):
    """Turn an object about its own centroid, in the picture's plane.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        angle: degrees, clockwise on screen, in [-360, 360].

    Raises:
        UsageError: the value is not a number in its range.
    """

    key = "rotate"
    needs = Needs(("angle",), "how far", "add --angle, such as --angle 30")
    implied_by = ImpliedBy(("angle",), "what to turn", "book")
    target: str | None = field(metadata=given("rotate", "Turn the object of this name."))
    angle: float = field(
        metadata=given("angle", "How far, clockwise.", "DEGREES", low=-360, high=360, unit=" degrees")
    )

    @property
    def similarity(self) -> Similarity:
        """A turn."""
        return Similarity(self.target, angle=float(self.angle))


@dataclass(frozen=True)
class Reshape(Edit):
    """Fit an object into a given outline, row by row.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        shape: ``[H, W]`` at the photo's size, white where the object is to be; a file or an array.
    """

    key = "reshape"
    needs = Needs(("shape",), "into what", "add --shape FILE")
    implied_by = ImpliedBy(("shape",), "what to fit into it")
    target: str | None = field(metadata=given("reshape", "Fit the object into the outline of --shape."))
    shape: str | os.PathLike[str] | np.ndarray = field(
        metadata=given(
            "shape", "Picture of the photo's size, white where it is to be.", "FILE", picture="outline"
        )
    )

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """Into the outline, once it is read."""
        if isinstance(self.shape, str | os.PathLike):
            return {}
        return {self.target: box_of(self.shape)}


@dataclass(frozen=True)
class Remove(Edit):
    """Take an object away, its shadow too. ``target`` as in :class:`Move`."""

    key = "remove"
    takes_away = True
    target: str | None = field(metadata=given("remove", "Take the object of this name away."))

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """Away."""
        return {self.target: None}


@dataclass(frozen=True)
class Swap(Edit):
    """Two objects change places; each stands on the spot that the other stood on.

    Args:
        target: one object's words.
        other: the other's.

    Raises:
        UsageError: they are the same.
    """

    key = "swap"
    needs = Needs(("with",), "with what", "add --with WORD, such as --with bowl")
    target: str = field(metadata=given("swap", "Let it change places with the object of --with."))
    other: str = field(metadata=given("with", "The other object.", "TEXT"))

    @property
    def objects(self) -> tuple[str | None, ...]:
        """Both."""
        return self.target, self.other

    def _check(self) -> None:
        _check_two(self.target, self.other)

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """Each to the other's spot."""
        one, other = boxes[self.target], boxes[self.other]
        if one is None or other is None:
            return {}
        return {
            self.target: Similarity(self.target, *shift_to_the_spot(one, other)),
            self.other: Similarity(self.other, *shift_to_the_spot(other, one)),
        }


@dataclass(frozen=True)
class Paste(Edit):
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

    key = "paste"
    brings = True
    needs = Needs(("from",), "from where", "add --from FILE")
    target: str = field(metadata=given("paste", "Put in the object of this name of the photo --from."))
    source: Any = field(metadata=given("from", "The photo that it is taken from.", "FILE", picture="photo"))
    x: float = field(
        default=0.5,
        metadata=given("x", "Where its middle is to lie, in widths.", "FRACTION", low=0, high=1),
    )
    y: float = field(
        default=0.5,
        metadata=given("y", "Where its middle is to lie, in heights.", "FRACTION", low=0, high=1),
    )
    scale: float = field(
        default=1.0,
        metadata=given("scale", "How many times its share of the other photo.", "TIMES", low=0.1, high=10),
    )

    @property
    def objects(self) -> tuple[str | None, ...]:
        """None of this photo's."""
        return ()


@dataclass(frozen=True)
class Restyle(Edit):
    """Give an object another look by text; it keeps its place and outline.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        text: what it is to look like, such as "a blue mug".

    Raises:
        UsageError: the text is empty.
    """

    key = "restyle"
    needs = Needs(("as", "like", "object"), "how", "add --as 'a blue mug', --like FILE or --object WORD")
    implied_by = ImpliedBy(("as", "like"), "what to restyle")
    target: str | None = field(metadata=given("restyle", "Give it the look of --as, or of --like."))
    text: str = field(
        metadata=given("as", "What it is to look like: 'a blue mug'.", "TEXT", called="the new look")
    )


@dataclass(frozen=True)
class Like(Edit):
    """Give an object the look of an object in another photo; it keeps its place and outline.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        source: the other photo: anything that :func:`realedit.load_photo` takes; None for the same photo.
        other: the words of the object there; the target's own by default.

    Raises:
        UsageError: neither another photo nor another object is named.
    """

    key = "restyle"
    needs = Restyle.needs
    implied_by = Restyle.implied_by
    target: str | None = field(metadata=given("restyle", "Give it the look of --as, or of --like."))
    source: Any = field(
        default=None,
        metadata=given(
            "like",
            "A photo whose object it is to look like; the same photo, if it is left out.",
            "FILE",
            picture="photo",
        ),
    )
    other: str | None = field(
        default=None,
        metadata=given("object", "The object there whose look it takes. Default: that of the same name."),
    )

    def _check(self) -> None:
        if self.source is None and (self.other is None or self.other == self.target):
            raise UsageError("an object already looks like itself", "name another photo or another object")
        if self.target is None and self.other is None:
            raise UsageError("whose look is it to take?", "name the object in the other photo")


@dataclass(frozen=True)
class Replace(Edit):
    """Put something else where an object is.

    Args:
        target: the object's words, or None where a mask, box or point names it.
        text: what is to be there, such as "a bowl".

    Raises:
        UsageError: the text is empty.
    """

    key = "replace"
    needs = Needs(("with",), "with what", "add --with TEXT, such as --with 'a bowl'")
    target: str | None = field(metadata=given("replace", "Put what --with says in its place."))
    text: str = field(metadata=given("with", "What is to be there.", "TEXT", called="the new object"))


@dataclass(frozen=True)
class Background(Edit):
    """Change what is about an object by text, and keep the object.

    Args:
        target: the words of the object that stays, or None where a mask, box or point names it.
        text: what the surroundings are to be, such as "a marble table".

    Raises:
        UsageError: the text is empty.
    """

    key = "background"
    needs_shown = Needs(("keep",), "what stays", f"add --keep WORD, or {_FIND_IT}")
    target: str | None = field(metadata=given("keep", "The object that stays.", optional=True))
    text: str = field(
        metadata=given(
            "background", "Surround the object of --keep with this.", "TEXT", called="the new background"
        )
    )


@dataclass(frozen=True)
class Retouch(Edit):
    """Paint a text into a region that a mask, box or point shows; ``text`` says what the region shows."""

    key = "retouch"
    needs_shown = Needs((), "where", _FIND_IT)
    text: str = field(
        metadata=given(
            "retouch", "Paint this where --mask, --box or --point shows.", "TEXT", called="the text"
        )
    )
    target: ClassVar[None] = None

    @property
    def region_alone(self) -> bool:
        """It paints into a region."""
        return True


@dataclass(frozen=True)
class SwapLooks(Edit):
    """Two objects of one photo exchange their looks.

    Args:
        target: one object's words.
        other: the other's.

    Raises:
        UsageError: they are the same.
    """

    key = "swap_looks"
    needs = Swap.needs
    target: str = field(metadata=given("swap_looks", "Let it exchange looks with the object of --with."))
    other: str = field(metadata=given("with", "The other object.", "TEXT"))

    @property
    def objects(self) -> tuple[str | None, ...]:
        """Both."""
        return self.target, self.other

    def _check(self) -> None:
        _check_two(self.target, self.other)


@dataclass(frozen=True)
class LookOf(Edit):
    """The whole photo keeps its layout and takes the look of another photo.

    Args:
        source: the other photo: anything that :func:`realedit.load_photo` takes.
    """

    key = "look_of"
    source: Any = field(
        metadata=given("look_of", "Give the whole photo the look of this one.", "FILE", picture="photo")
    )
    target: ClassVar[None] = None

    @property
    def objects(self) -> tuple[str | None, ...]:
        """None: all of the photo."""
        return ()


def _check_two(one: str, other: str) -> None:
    if one == other:
        raise UsageError(f"an object and itself: {one}", "name two objects")


KINDS: tuple[type[Edit], ...] = (
    Move,
    Resize,
    Rotate,
    Reshape,
    Remove,
    Swap,
    Paste,
    Restyle,
    Like,
    Replace,
    Background,
    Retouch,
    SwapLooks,
    LookOf,
)
"""Every kind of edit, in the order in which ``--help`` names them."""

__all__ = [
    "Background",
    "Edit",
    "Like",
    "LookOf",
    "Move",
    "Paste",
    "Remove",
    "Replace",
    "Reshape",
    "Resize",
    "Restyle",
    "Retouch",
    "Rotate",
    "Swap",
    "SwapLooks",
]
