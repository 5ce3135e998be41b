"""What every kind of edit has in common, and how it tells of itself.

Flags, JSON schema, recipes, checks, dry runs and batches are made from what a kind says here. A kind
is a frozen dataclass. Each of its fields that a user gives carries a :class:`Given` as metadata; what does
not fit one field (which of several is needed, what a shown object stands for) are class variables.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from typing import Any, ClassVar, Literal

from realedit.errors import UsageError
from realedit.location import Box

SHOWN = "null where a mask, a box or a point shows the object"
"""What the JSON schema says of words that may be missing."""


@dataclass(frozen=True)
class Given:
    """What a user gives as one field of an edit.

    Args:
        name: its key in JSON; with "--" before it and hyphens for underscores, its flag.
        help: one line for ``--help`` and the JSON schema.
        metavar: what stands for the value in ``--help``.
        low: least number, where it is one.
        high: greatest number, likewise.
        unit: of the number, as errors say it: " degrees".
        picture: what kind of picture the field names, where it names one: another photo, or an outline at the
            photo's size.
        called: what errors call a text that is empty; None where it may be.
        optional: whether an entry may leave it out although the dataclass has no default.
    """

    name: str
    help: str
    metavar: str = "WORD"
    low: float | None = None
    high: float | None = None
    unit: str = ""
    picture: Literal["photo", "outline"] | None = None
    called: str | None = None
    optional: bool = False

    @property
    def flag(self) -> str:
        """On the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def is_number(self) -> bool:
        """Whether it is a number; else it is text."""
        return self.low is not None


@dataclass(frozen=True)
class Needs:
    """What an edit cannot do without.

    Args:
        names: of the fields of which one must be given; none where no field can say it.
        what: the question that is left open: "how far".
        hint: what to add.
    """

    names: tuple[str, ...]
    what: str
    hint: str


@dataclass(frozen=True)
class ImpliedBy:
    """Fields that ask for an edit by themselves where an object is shown.

    Args:
        names: of the fields.
        what: the question that is left open where no object is shown: "what to move".
        example: words of an object.
    """

    names: tuple[str, ...]
    what: str
    example: str = "mug"


def given(name: str, text: str, metavar: str = "WORD", **others: Any) -> dict[str, Any]:
    """A dataclass field's metadata, with one :class:`Given` in it."""
    return {"given": Given(name, text, metavar, **others)}


@dataclass(frozen=True)
class Similarity:
    """Scale and turn about the object's own centroid, then shift: one object's moves added up.

    Args:
        target: the object's words; None where it is shown.
        dx: fraction of the width, to the right.
        dy: fraction of the height, down.
        scale: times its size.
        angle: degrees, clockwise on screen.
    """

    target: str | None
    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    angle: float = 0.0

    takes_away: ClassVar[bool] = False
    brings: ClassVar[bool] = False

    @property
    def idle(self) -> bool:
        """Whether it changes nothing."""
        return self.dx == 0 and self.dy == 0 and self.scale == 1 and self.angle % 360 == 0

    @property
    def name(self) -> str:
        """The edits that it does, "move, resize" where one object is moved and resized at once."""
        done = {
            "move": bool(self.dx or self.dy),
            "resize": self.scale != 1,
            "rotate": self.angle % 360 != 0,
        }
        return ", ".join(name for name, is_done in done.items() if is_done)

    @property
    def objects(self) -> tuple[str | None, ...]:
        """As of :attr:`Edit.objects`."""
        return (self.target,)

    def then(self, other: Similarity) -> Similarity:
        """This one and another one after it, of the same object."""
        return Similarity(
            self.target,
            self.dx + other.dx,
            self.dy + other.dy,
            self.scale * other.scale,
            self.angle + other.angle,
        )

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """As of :meth:`Edit.carried`."""
        return {self.target: self}


Carried = Similarity | Box | None
"""Where an edit carries an object: moved so, into that box, or away."""


@dataclass(frozen=True)
class Edit:
    """One thing that is done to a photo, as data.

    Raises:
        UsageError: a value is not in its range, or the values contradict each other.
    """

    key: ClassVar[str]
    """The edit's name: its entry's first key in JSON and, with "--" before it, the flag that asks for it."""
    needs: ClassVar[Needs | None] = None
    """What its flags must say besides its key."""
    needs_shown: ClassVar[Needs | None] = None
    """What must be shown, or named by a field, because its key does not name an object."""
    implied_by: ClassVar[ImpliedBy | None] = None
    """Which of its flags ask for it without its key, where an object is shown."""
    takes_away: ClassVar[bool] = False
    """Whether its object is gone afterwards."""
    brings: ClassVar[bool] = False
    """Whether its object comes from another photo."""

    def __post_init__(self) -> None:
        for field, about in givens(type(self)).items():
            value = getattr(self, field.name)
            if about.is_number:
                _check_number(about, value)
            elif about.called is not None and not str(value).strip():
                raise UsageError(
                    f"{about.called} is empty", "say what it is to look like, for example 'a blue mug'"
                )
        self._check()

    def _check(self) -> None:
        """Refuse values that contradict each other."""

    @property
    def name(self) -> str:
        """What it is called in a result."""
        return self.key

    @property
    def similarity(self) -> Similarity | None:
        """The same as a similarity of its object; None where it is none."""
        return None

    @property
    def objects(self) -> tuple[str | None, ...]:
        """The words of the photo's objects that it changes; None is the one that is shown."""
        return (getattr(self, "target", None),)

    @property
    def region_alone(self) -> bool:
        """Whether what is shown is a region, in which nothing need be."""
        return False

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """Where it carries objects, as far as that is known before it is done; those it leaves are not in it.

        Args:
            boxes: of the objects as they are before it, by their words; None is gone.
        """
        return {}


def givens(kind: type[Edit]) -> dict[Field[Any], Given]:
    """The fields of a kind of edit that a user gives, the one of its key first."""
    found = {field: field.metadata["given"] for field in fields(kind) if "given" in field.metadata}
    return dict(sorted(found.items(), key=lambda item: item[1].name != kind.key))


def _check_number(about: Given, value: float) -> None:
    low, high = about.low or 0.0, about.high or 0.0
    if not (math.isfinite(value) and low <= value <= high):
        raise UsageError(f"{about.name} must lie in [{low:g}, {high:g}]{about.unit}, got {value}")
