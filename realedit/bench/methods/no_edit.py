"""No edit: the photo as it is, the figure that every method has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from realedit.bench.case import LoadedCase
from realedit.bench.edit_spec import KINDS
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench


@dataclass(frozen=True)
class NoEdit:
    """The untouched photo."""

    edits: ClassVar[frozenset[str]] = frozenset(KINDS)
    needs_mask: ClassVar[bool] = False
    needs_object: ClassVar[bool] = False
    uses_model: ClassVar[bool] = False
    grid: ClassVar[Mapping[str, tuple[object, ...]]] = {}

    def edit(self, loaded: LoadedCase, bench: Workbench) -> Outcome:
        """Returns the photo."""
        return Outcome(loaded.photo, after=loaded.mask if loaded.case.edit.kind != "remove" else None)
