"""What all kinds of edit have in common: the base class :class:`Edit`, and how a kind describes itself.

A kind of edit is a frozen dataclass in :mod:`realedit.edits.kinds`. It describes itself in three ways, from
which the flags, the JSON schema, recipes, checks, dry runs and batches are made:

* Each field that a user gives carries a :class:`Given` as metadata, made by :func:`given`: its name, its
  help, its range.
* Class variables say what no single field can: ``key`` (the edit's own name), ``needs`` (one of several
  fields must be there), ``takes_away`` (the object is gone afterwards)... All but ``key`` have defaults.
* A few methods may be overridden: ``_check`` (values that contradict each other), ``objects`` (where it is
  not the one ``target``), ``carried`` (where the object ends up, which a dry run tells).

What an edit does to the pixels is not said here: see :mod:`realedit.steps.dispatch`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields
from typing import Any, ClassVar, Literal

from realedit.errors import UsageError
from realedit.location import Box
from realedit.prompts import tidied

OBJECTS = ("target", "other")
"""Fields that hold an object's words."""
MOST_TEXT_LETTERS = 10_000
"""Letters of a text, such as a new look: more are refused, fewer are read as far as the model reads. Set far
above what models read."""
_MENTIONED = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Given:
    """Describes one field of an edit that a user gives.

    Args:
        name: its key in JSON. Its flag is the same with "--" before it and hyphens for underscores.
        help: one line for ``--help`` and the JSON schema. It mentions the field named "from" as ``{from}``,
            which becomes ``--from`` on the command line and ``"from"`` in the schema.
        metavar: stands for the value in ``--help``.
        low: smallest number allowed; None for a field that is text.
        high: largest number allowed; None for a field that is text.
        unit: of the number, as errors write it: " degrees".
        choices: the words that it may be; empty where it may be any text. With ``low`` and ``high`` it may be
            one of these words or a number.
        picture: "photo" if the field names another photo, "outline" if it names a mask at the photo's size.
        called: what errors call the text ("the new look"). The text must not be empty; None allows it.
        optional: whether a JSON entry may leave the field out although the dataclass has no default for it.
        along: the side of the photo that the number is a fraction of, if it is one.
    """

    name: str
    help: str
    metavar: str = "WORD"
    low: float | None = None
    high: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    picture: Literal["photo", "outline"] | None = None
    called: str | None = None
    optional: bool = False
    along: Literal["x", "y"] | None = None

    @property
    def flag(self) -> str:
        """Its flag on the command line."""
        return flag_of(self.name)

    @property
    def is_number(self) -> bool:
        """Whether it is, or may be, a number; otherwise it is text."""
        return self.low is not None

    @property
    def words(self) -> str:
        """What it may be where it has choices, as errors say it: "auto, off or a number from -10 to 1"."""
        number = [f"a number from {self.low:g} to {self.high:g}"] if self.is_number else []
        *first, last = (*self.choices, *number)
        return f"{', '.join(first)} or {last}"

    @property
    def flag_help(self) -> str:
        """Its help where fields are flags."""
        text = self._help(flag_of)
        return text if self.along is None else f"{text} Also as 20% or 120px."

    @property
    def json_help(self) -> str:
        """Its help where fields are keys of a JSON object."""
        return self._help('"{}"'.format)

    def _help(self, mention: Callable[[str], str]) -> str:
        return _MENTIONED.sub(lambda found: mention(found[1]), self.help)


def flag_of(name: str) -> str:
    """The flag of a field or of a kind of edit: "swap_looks" -> "--swap-looks"."""
    return "--" + name.replace("_", "-")


@dataclass(frozen=True)
class Needs:
    """Says which fields an edit cannot do without.

    Args:
        names: fields of which at least one must be given; empty if no field can answer the question.
        what: the question that stays open without them: "how far".
        hint: what the user should add.
    """

    names: tuple[str, ...]
    what: str
    hint: str


@dataclass(frozen=True)
class ImpliedBy:
    """Says which flags ask for an edit without its own flag, once an object is shown: ``--box ... --dx 0.2``.

    Args:
        names: the fields of those flags.
        what: the question that stays open if no object is shown: "what to move".
        example: an object's name for the hint.
    """

    names: tuple[str, ...]
    what: str
    example: str = "mug"


def given(name: str, text: str, metavar: str = "WORD", **others: Any) -> dict[str, Any]:
    """Returns a dataclass field's metadata with one :class:`Given` in it; arguments as there."""
    return {"given": Given(name, text, metavar, **others)}


AnchorName = Literal["foot", "centre"]
"""What of an object keeps its place when it is scaled or turned."""
Perspective = float | Literal["auto", "off"]
"""Height of the horizon as a fraction of the photo's (0 is its upper edge), or how to find it."""


@dataclass(frozen=True)
class Similarity:
    """Mirrors, scales and turns an object about a point of its own, then shifts it: several moves in one.

    Args:
        target: the object's words; None where it is shown.
        dx: shift to the right, as a fraction of the width.
        dy: shift down, as a fraction of the height.
        scale: factor of its size, without what perspective adds.
        angle: degrees, clockwise on screen.
        mirrored: whether left and right change places, before the turn.
        anchor: the point that it is scaled and turned about: its foot or its centroid.
        perspective: the horizon by which its size changes with ``dy``; see :data:`Perspective`.
        moves: where it is several in one, each of them in its order; ``dx`` to ``mirrored`` are then what
            they come to, and ``anchor`` and ``perspective`` are each one's own. Empty where it is one.
    """

    target: str | None
    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    angle: float = 0.0
    mirrored: bool = False
    anchor: AnchorName = "centre"
    perspective: Perspective = "off"
    moves: tuple[Similarity, ...] = ()

    takes_away: ClassVar[bool] = False
    brings: ClassVar[bool] = False
    by_model: ClassVar[bool] = False
    paints: ClassVar[bool] = False
    leaves_hole: ClassVar[bool] = True

    @property
    def idle(self) -> bool:
        """Whether it changes nothing."""
        still = self.dx == 0 and self.dy == 0 and self.scale == 1 and self.angle % 360 == 0
        return still and not self.mirrored

    @property
    def name(self) -> str:
        """The edits that it does: "move, resize" where one object is moved and resized at once."""
        done = {
            "move": bool(self.dx or self.dy),
            "resize": self.scale != 1,
            # mirrored and turned by half is mirrored top to bottom
            "rotate": self.angle % (180 if self.mirrored else 360) != 0,
            "flip": self.mirrored,
        }
        return ", ".join(name for name, is_done in done.items() if is_done)

    @property
    def objects(self) -> tuple[str | None, ...]:
        """See :attr:`Edit.objects`."""
        return (self.target,)

    @property
    def each(self) -> tuple[Similarity, ...]:
        """The moves that it is made of, in their order; itself alone where it is one."""
        return self.moves or (self,)

    def then(self, other: Similarity) -> Similarity:
        """Returns this similarity followed by another one of the same object."""
        turned = -self.angle if other.mirrored else self.angle  # seen in a mirror, a turn goes the other way
        return Similarity(
            self.target,
            self.dx + other.dx,
            self.dy + other.dy,
            self.scale * other.scale,
            turned + other.angle,
            self.mirrored != other.mirrored,
            moves=(*self.each, *other.each),
        )

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """See :meth:`Edit.carried`."""
        return {self.target: self}


Carried = Similarity | Box | None
"""Where an edit carries an object: along a similarity, into a box, or away (None)."""


@dataclass(frozen=True)
class Edit:
    """One thing that is done to a photo, as data; the base class of all kinds.

    Raises:
        UsageError: a value is out of its range, or values contradict each other.
    """

    key: ClassVar[str]
    """The edit's name: the key that names it in a JSON entry, and its flag without "--"."""
    needs: ClassVar[Needs | None] = None
    """Fields of which one must be given besides the key."""
    needs_shown: ClassVar[Needs | None] = None
    """Fields that name the object where the key does not (a background's is its text), unless it is shown."""
    implied_by: ClassVar[ImpliedBy | None] = None
    """Fields that ask for the edit without its key, once an object is shown."""
    takes_away: ClassVar[bool] = False
    """Whether its object is gone afterwards."""
    brings: ClassVar[bool] = False
    """Whether its object comes from another photo."""
    by_model: ClassVar[bool] = False
    """Whether the model makes what it asks for, a look or something new; if not, the photo's pixels do."""
    paints: ClassVar[bool] = False
    """Whether the model paints a region by text."""
    leaves_hole: ClassVar[bool] = False
    """Whether an object is taken up from its place."""

    def __post_init__(self) -> None:
        for field, about in givens(type(self)).items():
            value = getattr(self, field.name)
            if field.name in OBJECTS:
                object.__setattr__(self, field.name, None if value is None else tidied(value))
            elif about.choices and isinstance(value, str):
                if value not in about.choices:
                    raise UsageError(f"{about.name} must be {about.words}, got {value}")
            elif about.is_number:
                _check_number(about, value)
            elif about.called is not None and not str(value).strip():
                raise UsageError(
                    f"{about.called} is empty", "say what it is to look like, for example 'a blue mug'"
                )
            elif about.called is not None and len(str(value)) > MOST_TEXT_LETTERS:
                raise UsageError(
                    f"{about.called} has {len(str(value)):,} letters",
                    "say it in some words: models read fewer than a hundred",
                )
        self._check()

    def _check(self) -> None:
        """Refuses values that contradict each other; kinds override it.

        Raises:
            UsageError: they do.
        """

    @property
    def name(self) -> str:
        """What a result calls it."""
        return self.key

    @property
    def similarity(self) -> Similarity | None:
        """The same as a similarity of its object, so that neighbours can be added up; None if it is none."""
        return None

    @property
    def objects(self) -> tuple[str | None, ...]:
        """The words of the photo's objects that it changes; None is the object that is shown."""
        return (getattr(self, "target", None),)

    @property
    def puts_in(self) -> tuple[str, ...]:
        """Words of what it may put into the photo: texts that describe something, a pasted object's name."""
        found = givens(type(self)).items()
        texts = [getattr(self, field.name) for field, about in found if about.called is not None]
        return tuple([*texts, getattr(self, "target", "")] if self.brings else texts)

    @property
    def region_alone(self) -> bool:
        """Whether it works on the region that is shown, whether an object is there or not."""
        return False

    def carried(self, boxes: Mapping[str | None, Box | None]) -> Mapping[str | None, Carried]:
        """Returns where it carries objects, as far as that is known beforehand; those that stay are left out.

        Args:
            boxes: the objects' boxes before the edit, by their words; None is an object that is gone.
        """
        return {}


def givens(kind: type[Edit]) -> dict[Field[Any], Given]:
    """Returns the fields of a kind of edit that a user gives, the one named by its key first."""
    found = {field: field.metadata["given"] for field in fields(kind) if "given" in field.metadata}
    return dict(sorted(found.items(), key=lambda item: item[1].name != kind.key))


def names_of(kind: type[Edit]) -> set[str]:
    """Returns the names of those fields: the keys that an entry of the kind may have."""
    return {about.name for about in givens(kind).values()}


def _check_number(about: Given, value: float) -> None:
    low, high = about.low or 0.0, about.high or 0.0
    if not (math.isfinite(value) and low <= value <= high):
        raise UsageError(f"{about.name} must lie in [{low:g}, {high:g}]{about.unit}, got {value}")
