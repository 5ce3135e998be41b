"""The edit that a case asks for, as data, and the one place that turns it into realedit's own edits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from realedit.errors import UsageError

if TYPE_CHECKING:
    from realedit.edits import Edit

GEOMETRIC = frozenset({"move", "resize", "rotate"})
"""Edits that a similarity transform of the object's pixels describes."""

KINDS = (*sorted(GEOMETRIC), "remove", "replace", "recolour", "text")
"""Every kind of edit that a case can ask for; ``text`` is whatever another prompt says."""

Shown = Literal["word", "mask", "rest", "whole"]
"""What tells where an edit's object is: its word, the case's mask, or what the mask leaves out; "whole" is
all of the picture."""


@dataclass(frozen=True)
class TextEdit:
    """One of realedit's own edits that another prompt asks for.

    Args:
        kind: one of :data:`TEXT_EDITS`.
        word: words of the prompt before the edit that it is about; None where there are none.
        text: what is to be seen; None for a removal.
        shown: what tells where.
    """

    kind: str
    word: str | None
    text: str | None
    shown: Shown

    def __str__(self) -> str:
        """Describes the edit in words, for a record."""
        word = f" '{self.word}'" if self.word else ""
        text = f" as '{self.text}'" if self.text else ""
        return f"{self.kind}{word}{text} by {self.shown}"


@dataclass(frozen=True)
class EditSpec:
    """One edit of a case's object.

    Args:
        kind: one of :data:`KINDS`.
        dx: shift, a fraction of the width; move.
        dy: shift, a fraction of the height; move.
        scale: times its size about its own centroid; resize.
        angle: degrees, clockwise on screen; rotate.
        new_object: what stands in its place; replace.
        new_colour: its new colour; recolour, and replace where it is known.
        target_prompt: what the edited photo shows, where the data set says it.
        own: realedit's edits, where the kind alone does not tell; other methods have the prompt. Each of
            several is shown by its word.
    """

    kind: str
    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    angle: float = 0.0
    new_object: str | None = None
    new_colour: str | None = None
    target_prompt: str | None = None
    own: tuple[TextEdit, ...] = ()

    def fields(self) -> dict[str, Any]:
        """Returns the fields that differ from an edit that does nothing, for a record."""
        plain = EditSpec(self.kind)
        found = {
            name: value
            for name, value in asdict(self).items()
            if name == "kind" or value != getattr(plain, name)
        }
        return found | ({"own": ", ".join(map(str, self.own))} if self.own else {})

    def shown(self, *, mask_given: bool = False) -> Shown:
        """Returns what tells realedit where the object is.

        Args:
            mask_given: whether the case's mask stands in for the word.
        """
        found = self.own[0] if self.own else TextEdit(self.kind, None, None, "word")
        if found.shown != "word" or not mask_given:
            return found.shown
        # the mask shows what may change, a change of the background takes what stays
        return "rest" if found.kind == "background" else "mask"

    def new_words(self, old: str) -> str:
        """Returns the words of the object as it is after the edit."""
        words = (self.new_colour, self.new_object or old)
        return " ".join(word for word in words if word)

    def prompt_after(self, prompt: str, old: str | None, colour: str | None) -> str:
        """Returns what the edited photo shows: as the data set says, else the prompt with words exchanged."""
        if self.target_prompt is not None:
            return self.target_prompt
        if old is None or self.kind not in ("replace", "recolour"):
            return prompt
        for words in (f"{colour} {old}" if colour else old, old):
            if words in prompt:
                return prompt.replace(words, self.new_words(old), 1)
        return f"{prompt} and a {self.new_words(old)}"


Builder = Callable[[EditSpec, str | None], "Edit"]
"""Makes realedit's edit of a spec and the object's word."""

_BUILDERS: Mapping[str, tuple[str, Builder]] = {
    "move": ("Move", lambda e, word: _edit("Move", word, dx=e.dx, dy=e.dy)),
    "resize": ("Resize", lambda e, word: _edit("Resize", word, scale=e.scale, anchor="centre")),
    "rotate": ("Rotate", lambda e, word: _edit("Rotate", word, angle=e.angle)),
    "remove": ("Remove", lambda e, word: _edit("Remove", word)),
    "replace": ("Replace", lambda e, word: _edit("Replace", word, e.new_words(word or ""))),
    "recolour": ("Restyle", lambda e, word: _edit("Restyle", word, e.new_words(word or ""))),
}

TEXT_EDITS: Mapping[str, str] = {
    "restyle": "Restyle",
    "replace": "Replace",
    "remove": "Remove",
    "background": "Background",
    "retouch": "Retouch",
}
"""Classes of ``realedit.edits`` that an edit of kind ``text`` can come to."""


def supported_kinds() -> frozenset[str]:
    """Returns the kinds for which ``realedit.edits`` has an edit."""
    from realedit import edits

    found = frozenset(kind for kind, (name, _) in _BUILDERS.items() if hasattr(edits, name))
    return found | {"text"} if all(hasattr(edits, name) for name in TEXT_EDITS.values()) else found


def realedit_edits(spec: EditSpec, word: str | None) -> list[Edit]:
    """Returns the edits of ``realedit.edits`` that a case asks for; see :func:`supported_kinds` for its kind.

    Raises:
        UsageError: it is by text, and its prompts do not differ.
    """
    if spec.own:
        return [_text_edit(edit) for edit in spec.own]
    if spec.kind == "text":
        raise UsageError("the prompts before and after the edit do not differ", "say what is to change")
    return [_BUILDERS[spec.kind][1](spec, word)]


def _text_edit(edit: TextEdit) -> Edit:
    name = TEXT_EDITS[edit.kind]
    match edit.kind:
        case "remove":
            return _edit(name, edit.word)
        case "retouch":
            return _edit(name, edit.text)
    return _edit(name, edit.word, edit.text)


def _edit(name: str, *positional: object, **keywords: object) -> Edit:
    from realedit import edits

    return getattr(edits, name)(*positional, **keywords)
