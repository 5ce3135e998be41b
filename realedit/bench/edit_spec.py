"""What a case asks for, as data, and the one place where that becomes realedit's own edits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

GEOMETRIC = frozenset({"move", "resize", "rotate"})
"""Edits that a similarity transform of the object's pixels describes."""

KINDS = (*sorted(GEOMETRIC), "remove", "replace", "recolour", "text")
"""Every kind of edit that a case can ask for; ``text`` is whatever another prompt says."""


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
    """

    kind: str
    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    angle: float = 0.0
    new_object: str | None = None
    new_colour: str | None = None
    target_prompt: str | None = None

    def fields(self) -> dict[str, Any]:
        """What differs from "nothing", for a record."""
        plain = EditSpec(self.kind)
        return {
            name: value
            for name, value in asdict(self).items()
            if name == "kind" or value != getattr(plain, name)
        }

    def new_words(self, old: str) -> str:
        """The words of the object as it is after the edit."""
        words = (self.new_colour, self.new_object or old)
        return " ".join(word for word in words if word)

    def prompt_after(self, prompt: str, old: str | None, colour: str | None) -> str:
        """What the edited photo shows: as the data set says it, else the prompt with the words exchanged."""
        if self.target_prompt is not None:
            return self.target_prompt
        if old is None or self.kind not in ("replace", "recolour"):
            return prompt
        for words in (f"{colour} {old}" if colour else old, old):
            if words in prompt:
                return prompt.replace(words, self.new_words(old), 1)
        return f"{prompt} and a {self.new_words(old)}"


Builder = Callable[[EditSpec, str | None], Any]

_BUILDERS: Mapping[str, tuple[str, Builder]] = {
    "move": ("Move", lambda e, word: _edit("Move", word, dx=e.dx, dy=e.dy)),
    "resize": ("Resize", lambda e, word: _edit("Resize", word, scale=e.scale)),
    "rotate": ("Rotate", lambda e, word: _edit("Rotate", word, angle=e.angle)),
    "remove": ("Remove", lambda e, word: _edit("Remove", word)),
    "replace": ("Replace", lambda e, word: _edit("Replace", word, e.new_words(word or ""))),
    "recolour": ("Restyle", lambda e, word: _edit("Restyle", word, e.new_words(word or ""))),
}


def supported_kinds() -> frozenset[str]:
    """The kinds for which ``realedit.edits`` has an edit."""
    from realedit import edits

    return frozenset(kind for kind, (name, _) in _BUILDERS.items() if hasattr(edits, name))


def realedit_edit(spec: EditSpec, word: str | None) -> Any:  # noqa: ANN401 - one of realedit.edits' classes
    """The edit of ``realedit.edits`` that a case asks for; its kind is one of :func:`supported_kinds`."""
    return _BUILDERS[spec.kind][1](spec, word)


def _edit(name: str, *positional: object, **keywords: object) -> Any:  # noqa: ANN401
    from realedit import edits

    return getattr(edits, name)(*positional, **keywords)
