"""Every kind of edit, and all that is particular to it except what it does to pixels.

To add a kind:

1. Here, write its class: a frozen dataclass derived from :class:`~realedit.edits.edit.Edit`, with a ``key``
   and one field for each value that the user gives (:func:`~realedit.edits.edit.given`). :class:`Remove` is
   the smallest example, :class:`Resize` has a number, :class:`Flip` a choice, :class:`Reshape` a file. Add
   the class to ``KINDS`` and its name to ``__all__``, both at the end of this file.
2. In :mod:`realedit.steps`, write the function that does it, with ``@do.register`` above it
   (:mod:`realedit.steps.dispatch` says how).
3. Test both: an entry in ``PAIRS`` of tests/realedit/edits/test_entries.py, the class's name in
   tests/realedit/test_public_names.py, and what happens to the pixels in tests/realedit/steps/.

All else follows from the class: the command line's flags, the JSON schema, recipes, dry runs, batches, and
that ``from realedit import ...`` finds it. tests/realedit/edits/test_kinds.py says which part is missing;
CONTRIBUTING.md has an example, and the documents and lists in which a new kind belongs.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from realedit.edits.edit import (
    AnchorName,
    Carried,
    Edit,
    ImpliedBy,
    Needs,
    Perspective,
    Similarity,
    given,
)
from realedit.errors import Sentence, UsageError
from realedit.location import Box, Point, box_of, shift_to_the_spot

if TYPE_CHECKING:
    import numpy as np

_FIND_IT = "show it with --mask, --box or --point"
_LOWEST_HORIZON, _HIGHEST_HORIZON = 1.0, -10.0
"""Heights of the horizon that may be told, as fractions of the photo's: below the first it is out of the
photo at the bottom, above the second sizes change by less than can be seen. Set by definition and by
geometry."""
_PERSPECTIVE = given(
    "perspective",
    "Its size as its distance asks: auto (the default: where lines tell the horizon), off, or the horizon's "
    "height: 0 top, 1 bottom.",
    "HORIZON",
    low=_HIGHEST_HORIZON,
    high=_LOWEST_HORIZON,
    choices=("auto", "off"),
)


@dataclass(frozen=True)
class Move(Edit):
    """Shifts an object by (dx, dy), fractions of the photo's width and height; x points right, y down.

    Args:
        target: the object's words, or None where a mask, box or point shows it.
        dx: fraction of the width, in [-1, 1].
        dy: fraction of the height, in [-1, 1].
        perspective: how its size changes with its distance when ``dy`` moves its foot: "auto" by the horizon,
            where the photo's lines tell one; "off" not at all; a number by a horizon at that height, as a
            fraction of the photo's, negative above it.

    Raises:
        UsageError: a value is not a number in its range.
    """

    key = "move"
    needs = Needs(("dx", "dy"), "how far", "add --dx or --dy, such as --dx 0.2")
    implied_by = ImpliedBy(("dx", "dy"), "what to move")
    target: str | None = field(metadata=given("move", "The object to move."))
    dx: float = field(
        default=0.0,
        metadata=given(
            "dx",
            "How far right, in widths of the photo; negative: left.",
            "FRACTION",
            low=-1,
            high=1,
            unit=" widths",
            along="x",
        ),
    )
    dy: float = field(
        default=0.0,
        metadata=given(
            "dy",
            "How far down, in heights of the photo; negative: up.",
            "FRACTION",
            low=-1,
            high=1,
            unit=" heights",
            along="y",
        ),
    )
    perspective: Perspective = field(default="auto", metadata=_PERSPECTIVE)

    @property
    def similarity(self) -> Similarity:
        """Returns the shift."""
        return Similarity(self.target, float(self.dx), float(self.dy), perspective=self.perspective)


@dataclass(frozen=True)
class Copy(Edit):
    """Lays a second one of an object, shifted by (dx, dy); the first stays as it is.

    What later edits call by its words is the second one.

    Args:
        target: the object's words, or None where a mask, box or point shows it.
        dx: as :class:`Move`'s.
        dy: as :class:`Move`'s.
        scale: factor of the copy's size about its foot, in [0.1, 10].
        perspective: as :class:`Move`'s.

    Raises:
        UsageError: a value is not a number in its range, or the copy would lie on the first.
    """

    key = "copy"
    needs = Needs(("dx", "dy"), "where to", "add --dx or --dy, such as --dx 0.2")
    target: str | None = field(metadata=given("copy", "The object to lay a second one of; the first stays."))
    dx: float = field(default=0.0, metadata=Move.__dataclass_fields__["dx"].metadata)
    dy: float = field(default=0.0, metadata=Move.__dataclass_fields__["dy"].metadata)
    scale: float = field(
        default=1.0,
        metadata=given(
            "scale", "How many times as large as the first. Default: 1.", "TIMES", low=0.1, high=10
        ),
    )
    perspective: Perspective = field(default="auto", metadata=_PERSPECTIVE)

    def _check(self) -> None:
        if self.dx == 0 and self.dy == 0:
            raise UsageError("the copy would lie on the first", "give a dx or dy, such as dx 0.2")

    @property
    def way(self) -> Similarity:
        """Where the copy lies, from where the first does."""
        shift = Similarity(self.target, float(self.dx), float(self.dy), perspective=self.perspective)
        return shift.then(Similarity(self.target, scale=float(self.scale), anchor="foot"))

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """Returns where the copy lies."""
        return {self.target: self.way}


@dataclass(frozen=True)
class Resize(Edit):
    """Scales an object about its foot, so that it stays standing where it stood, or about its centroid.

    Args:
        target: the object's words, or None where a mask, box or point shows it.
        scale: factor of its size, in [0.1, 10].
        anchor: what keeps its place: "foot", the middle of the object's lower edge, for what stands or lies
            on something; "centre", its centroid, for what hangs, flies or is seen from above. Where the frame
            cuts the object, its foot is at the border.

    Raises:
        UsageError: the value is not a number in its range.
    """

    key = "resize"
    needs = Needs(("scale",), "how much", "add --scale, such as --scale 1.3")
    implied_by = ImpliedBy(("scale",), "what to resize")
    target: str | None = field(metadata=given("resize", "The object to resize."))
    scale: float = field(
        metadata=given("scale", "How many times as large it becomes.", "TIMES", low=0.1, high=10)
    )
    anchor: AnchorName = field(
        default="foot",
        metadata=given(
            "anchor",
            "What of it keeps its place: foot (the default) or centre.",
            "ANCHOR",
            choices=("foot", "centre"),
        ),
    )

    @property
    def similarity(self) -> Similarity:
        """Returns the scaling."""
        return Similarity(self.target, scale=float(self.scale), anchor=self.anchor)


@dataclass(frozen=True)
class Rotate(Edit):
    """Turns an object about its own centroid or its foot, in the picture's plane.

    Args:
        target: the object's words, or None where a mask, box or point shows it.
        angle: degrees, clockwise on screen, in [-360, 360].
        anchor: what keeps its place: "centre", its centroid, or "foot", the middle of its lower edge.

    Raises:
        UsageError: the value is not a number in its range.
    """

    key = "rotate"
    needs = Needs(("angle",), "how far", "add --angle, such as --angle 30")
    implied_by = ImpliedBy(("angle",), "what to turn", "book")
    target: str | None = field(metadata=given("rotate", "The object to turn."))
    angle: float = field(
        metadata=given("angle", "How far it turns clockwise.", "DEGREES", low=-360, high=360, unit=" degrees")
    )
    anchor: AnchorName = field(
        default="centre",
        metadata=given(
            "anchor",
            "What of it keeps its place: centre (the default) or foot.",
            "ANCHOR",
            choices=("foot", "centre"),
        ),
    )

    @property
    def similarity(self) -> Similarity:
        """Returns the turn."""
        return Similarity(self.target, angle=float(self.angle), anchor=self.anchor)


@dataclass(frozen=True)
class Flip(Edit):
    """Mirrors an object about its own centroid; the light keeps coming from where it came.

    Args:
        target: the object's words, or None where a mask, box or point shows it.
        direction: "horizontal" (left becomes right) or "vertical" (top becomes bottom).

    Raises:
        UsageError: the direction is neither of these.
    """

    key = "flip"
    implied_by = ImpliedBy(("direction",), "what to flip")
    target: str | None = field(metadata=given("flip", "The object to mirror."))
    direction: Literal["horizontal", "vertical"] = field(
        default="horizontal",
        metadata=given(
            "direction",
            "Sides that change places: horizontal (left, right; the default) or vertical.",
            "DIRECTION",
            choices=("horizontal", "vertical"),
        ),
    )

    @property
    def similarity(self) -> Similarity:
        """Returns the reflection; a vertical one is a horizontal one and half a turn."""
        return Similarity(self.target, angle=180.0 * (self.direction == "vertical"), mirrored=True)


@dataclass(frozen=True)
class Reshape(Edit):
    """Fits an object into a given outline, row by row.

    Args:
        target: the object's words, or None where a mask, box or point shows it.
        shape: ``[H, W]`` at the photo's size, white where the object is to be; a file or an array.
    """

    key = "reshape"
    leaves_hole = True
    needs = Needs(("shape",), "into what", "add --shape FILE")
    implied_by = ImpliedBy(("shape",), "what to fit into it")
    target: str | None = field(metadata=given("reshape", "The object to fit into the outline in {shape}."))
    shape: str | os.PathLike[str] | np.ndarray = field(
        metadata=given(
            "shape",
            "A picture of the photo's size, white inside the outline.",
            "FILE",
            picture="outline",
        )
    )

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """Returns the outline's box, once the outline is read from its file."""
        if isinstance(self.shape, str | os.PathLike):
            return {}
        return {self.target: box_of(self.shape)}


@dataclass(frozen=True)
class Remove(Edit):
    """Takes an object and its shadow away.

    Args:
        target: the object's words, or None where a mask, box or point shows it.
    """

    key = "remove"
    leaves_hole = True
    takes_away = True
    target: str | None = field(metadata=given("remove", "The object to take away, with its shadow."))

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """Says that the object is gone."""
        return {self.target: None}


@dataclass(frozen=True)
class Swap(Edit):
    """Lets two objects change places: each then stands where the other stood.

    Args:
        target: one object's words.
        other: the other's.

    Raises:
        UsageError: they are the same.
    """

    key = "swap"
    leaves_hole = True
    needs = Needs(("with",), "with what", "add --with WORD, such as --with bowl")
    target: str = field(metadata=given("swap", "The object to swap; {with} names the other one."))
    other: str = field(metadata=given("with", "The other object.", "TEXT"))

    @property
    def objects(self) -> tuple[str | None, ...]:
        """Both objects."""
        return self.target, self.other

    def _check(self) -> None:
        _check_two(self.target, self.other)

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """Returns the shift of each object to the other's spot."""
        one, other = boxes[self.target], boxes[self.other]
        if one is None or other is None:
            return {}
        return {
            self.target: Similarity(self.target, *shift_to_the_spot(one, other)),
            self.other: Similarity(self.other, *shift_to_the_spot(other, one)),
        }


@dataclass(frozen=True)
class Paste(Edit):
    """Puts an object of another photo into this one.

    Args:
        target: the object's words, in the other photo.
        source: the other photo: anything that :func:`realedit.load_photo` takes.
        x: where its centroid comes to lie, as a fraction of this photo's width, in [0, 1].
        y: the same, as a fraction of the height.
        scale: its share of this photo's longer side over its share of the other photo's, in [0.1, 10].
        from_point: "x,y" in [0, 1], a point on it in the other photo, or several with blanks between them;
            None: it is found by its words.

    Raises:
        UsageError: a value is not a number in its range.
    """

    key = "paste"
    brings = True
    needs = Needs(("from",), "from where", "add --from FILE")
    target: str = field(metadata=given("paste", "The object to put in; {from} names its photo."))
    source: Any = field(
        metadata=given("from", "The photo that the object comes from.", "FILE", picture="photo")
    )
    x: float = field(
        default=0.5,
        metadata=given(
            "x", "Where its middle lies: 0 left, 1 right. Default: 0.5.", "FRACTION", low=0, high=1, along="x"
        ),
    )
    y: float = field(
        default=0.5,
        metadata=given(
            "y", "Where its middle lies: 0 top, 1 bottom. Default: 0.5.", "FRACTION", low=0, high=1, along="y"
        ),
    )
    scale: float = field(
        default=1.0,
        metadata=given(
            "scale",
            "How large, in times its share of the other photo. Default: 1.",
            "TIMES",
            low=0.1,
            high=10,
        ),
    )
    from_point: str | None = field(
        default=None,
        metadata=given(
            "from_point",
            "A point on it in the photo of {from}: x,y; or several with blanks. Default: by its name.",
            "X,Y",
        ),
    )

    def _check(self) -> None:
        _ = self.places

    @property
    def places(self) -> tuple[Point, ...]:
        """The points on it in the other photo, (x, y) in [0, 1]; none where it is found by its words.

        Raises:
            UsageError: they are no points.
        """
        return tuple(_place(text) for text in (self.from_point or "").split())

    @property
    def objects(self) -> tuple[str | None, ...]:
        """No object of this photo."""
        return ()


@dataclass(frozen=True)
class Restyle(Edit):
    """Gives an object another look by text; it keeps its place and outline.

    Args:
        target: the object's words, or None where a mask, box or point shows it.
        text: what it is to look like, such as "a blue mug".

    Raises:
        UsageError: the text is empty.
    """

    key = "restyle"
    paints = True
    by_model = True
    needs = Needs(("as", "like", "object"), "how", "add --as 'a blue mug', --like FILE or --object WORD")
    implied_by = ImpliedBy(("as", "like"), "what to restyle")
    target: str | None = field(
        metadata=given("restyle", "The object that gets another look, by {as} or {like}.")
    )
    text: str = field(
        metadata=given("as", "What it is to look like: 'a blue mug'.", "TEXT", called="the new look")
    )


@dataclass(frozen=True)
class Like(Edit):
    """Gives an object the look of another one, of this photo or of another; it keeps its place and outline.

    Args:
        target: the object's words, or None where a mask, box or point shows it.
        source: the other photo: anything that :func:`realedit.load_photo` takes; None for the same photo.
        other: the words of the object there; the target's own by default.

    Raises:
        UsageError: neither another photo nor another object is named.
    """

    key = "restyle"
    by_model = True
    needs = Restyle.needs
    implied_by = Restyle.implied_by
    target: str | None = field(
        metadata=given("restyle", "The object that gets another look, by {as} or {like}.")
    )
    source: Any = field(
        default=None,
        metadata=given(
            "like",
            "A photo of what it is to look like. Default: this photo.",
            "FILE",
            picture="photo",
        ),
    )
    other: str | None = field(
        default=None,
        metadata=given("object", "The object there that lends the look. Default: same name."),
    )

    def _check(self) -> None:
        if self.source is None and (self.other is None or self.other == self.target):
            raise UsageError("an object already looks like itself", "name another photo or another object")
        if self.target is None and self.other is None:
            raise UsageError("whose look is it to take?", "name the object in the other photo")


@dataclass(frozen=True)
class Replace(Edit):
    """Puts something else where an object is.

    Args:
        target: the object's words, or None where a mask, box or point shows it.
        text: what is to be there, such as "a bowl".

    Raises:
        UsageError: the text is empty.
    """

    key = "replace"
    paints = True
    by_model = True
    needs = Needs(("with",), "with what", "add --with TEXT, such as --with 'a bowl'")
    target: str | None = field(metadata=given("replace", "The object to replace by what {with} says."))
    text: str = field(
        metadata=given("with", "What is to be there: 'a bowl'.", "TEXT", called="the new object")
    )


@dataclass(frozen=True)
class Background(Edit):
    """Changes the surroundings of an object by text, and keeps the object.

    Args:
        target: the words of the object that stays, or None where a mask, box or point shows it.
        text: what the surroundings are to be, such as "a marble table".

    Raises:
        UsageError: the text is empty.
    """

    key = "background"
    paints = True
    by_model = True
    needs_shown = Needs(("keep",), "what stays", f"add --keep WORD, or {_FIND_IT}")
    target: str | None = field(metadata=given("keep", "The object that stays.", optional=True))
    text: str = field(
        metadata=given(
            "background",
            "What is to surround the object of {keep}: 'a marble table'.",
            "TEXT",
            called="the new background",
        )
    )


@dataclass(frozen=True)
class Retouch(Edit):
    """Paints into the region that a mask, box or point shows.

    Args:
        text: what the region is to show, such as "an apple".

    Raises:
        UsageError: the text is empty.
    """

    key = "retouch"
    paints = True
    by_model = True
    needs_shown = Needs((), "where", _FIND_IT)
    text: str = field(
        metadata=given(
            "retouch", "What to paint where a mask, box or point shows.", "TEXT", called="the text"
        )
    )
    target: ClassVar[None] = None

    @property
    def region_alone(self) -> bool:
        """True: it paints into whatever region is shown."""
        return True


@dataclass(frozen=True)
class SwapLooks(Edit):
    """Lets two objects of the photo exchange their looks.

    Args:
        target: one object's words.
        other: the other's.

    Raises:
        UsageError: they are the same.
    """

    key = "swap_looks"
    by_model = True
    needs = Swap.needs
    target: str = field(metadata=given("swap_looks", "The object to swap looks; {with} names the other one."))
    other: str = field(metadata=given("with", "The other object.", "TEXT"))

    @property
    def objects(self) -> tuple[str | None, ...]:
        """Both objects."""
        return self.target, self.other

    def _check(self) -> None:
        _check_two(self.target, self.other)


@dataclass(frozen=True)
class LookOf(Edit):
    """Gives the whole photo the look of another one; the layout stays.

    Args:
        source: the other photo: anything that :func:`realedit.load_photo` takes.
    """

    key = "look_of"
    by_model = True
    source: Any = field(
        metadata=given("look_of", "The photo whose look the whole photo takes.", "FILE", picture="photo")
    )
    target: ClassVar[None] = None

    @property
    def objects(self) -> tuple[str | None, ...]:
        """No single object: the look changes everywhere."""
        return ()


def _place(text: str) -> Point:
    """Reads "x,y".

    Raises:
        UsageError: it is no place in the photo.
    """
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        x = y = math.nan
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise UsageError(
            f"from_point must be x,y, fractions of width and height from 0 to 1, got '{text}'",
            "for example 0.3,0.6; several points with blanks between them",
        )
    return x, y


def _check_two(one: str, other: str) -> None:
    if one == other:
        raise UsageError(Sentence(f"an object and itself: {one}", "same_thing"), "name two different objects")


KINDS: tuple[type[Edit], ...] = (
    Move,
    Copy,
    Resize,
    Rotate,
    Flip,
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
    "Copy",
    "Edit",
    "Flip",
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
