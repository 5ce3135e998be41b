"""The protocol of methods: a frozen dataclass of settings, each with a default, and one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field
from typing import Any, ClassVar, Protocol

from realedit.bench.case import LoadedCase
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench


class Method(Protocol):
    """A way of making an edit.

    Attributes:
        edits: the kinds of edit that it can make.
        needs_mask: whether it needs a mask of the object.
        needs_object: whether it needs the object's word.
        uses_model: whether it runs the diffusion model.
        grid: values that a search for its best setting tries, by setting.
    """

    edits: ClassVar[frozenset[str]]
    needs_mask: ClassVar[bool]
    needs_object: ClassVar[bool]
    uses_model: ClassVar[bool]
    grid: ClassVar[Mapping[str, tuple[object, ...]]]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def edit(self, loaded: LoadedCase, bench: Workbench) -> Outcome:
        """Edits a case that :func:`unsupported` does not rule out."""
        ...


def unsupported(method: Method, loaded: LoadedCase) -> str | None:
    """Says why a method cannot edit a case, or returns None if it can."""
    case = loaded.case
    if case.edit.kind not in method.edits:
        return f"it does not {case.edit.kind}"
    if method.needs_mask and loaded.mask is None:
        return "it needs a mask of the object, and the case has no mask"
    if method.needs_mask and loaded.mask is not None and not loaded.mask.any():
        return "the case's mask is empty"
    if method.needs_object and case.object is None and case.edit.kind != "text":
        return "the case names no object"
    return None
