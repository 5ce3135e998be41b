"""Rendered cases whose truth is known, as ``examples/tabletop/cases.py`` writes them: ``cases.jsonl``.

Today's layout has ``edit`` in each line and ``ID_photo.webp``, ``ID_mask.webp``, ``ID_truth.webp`` and
``ID_truth_mask.webp``. The older one has no ``edit``; each line stands for two cases, ``ID-move`` to
``ID_moved.png`` and, where that is there, ``ID-remove`` to ``ID_removed.png``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from realedit.bench.case import Case
from realedit.bench.datasets.lines import Strict, checked_id, file_in, read_lines
from realedit.bench.edit_spec import EditSpec

MANIFEST = "cases.jsonl"

_NEEDED = {
    "move": ("dx", "dy"),
    "resize": ("scale",),
    "rotate": ("angle",),
    "remove": (),
    "replace": ("new_object",),
    "recolour": ("new_colour",),
}


class _Line(Strict):
    id: str
    edit: Literal["move", "resize", "rotate", "remove", "replace", "recolour"] | None = None
    prompt: str
    object: str
    colour: str | None = None
    color: str | None = None
    dx: Annotated[float, Field(ge=-1, le=1)] | None = None
    dy: Annotated[float, Field(ge=-1, le=1)] | None = None
    scale: Annotated[float, Field(gt=0)] | None = None
    angle: float | None = None
    new_object: str | None = None
    new_colour: str | None = None
    area: float | None = None

    @model_validator(mode="after")
    def _complete(self) -> _Line:
        missing = [name for name in _NEEDED[self.edit or "move"] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a {self.edit or 'move'} needs {' and '.join(missing)}")
        return self


def load_counterfactual(folder: Path) -> list[Case]:
    """Reads the cases of a folder with :data:`MANIFEST`.

    Raises:
        UsageError: a line is not as above; the message names file and line.
        PhotoError: a picture is missing.
    """
    seen: set[str] = set()
    return [
        case
        for where, line in read_lines(folder / MANIFEST, _Line)
        for case in _cases(where, folder, line, seen)
    ]


def _cases(where: str, folder: Path, line: _Line, seen: set[str]) -> Iterator[Case]:
    def picture(kind: str) -> Path:
        return file_in(where, folder, f"{line.id}_{kind}.{'png' if line.edit is None else 'webp'}")

    def case(name: str, edit: EditSpec, truth: str, truth_mask: str | None) -> Case:
        return Case(
            checked_id(where, name, seen),
            picture("photo"),
            line.prompt,
            line.object,
            edit,
            picture("mask"),
            picture(truth),
            picture(truth_mask) if truth_mask else None,
            line.colour or line.color,
        )

    if line.edit is not None:
        numbers = {name: getattr(line, name) for name in _NEEDED[line.edit]}
        if line.edit == "replace":
            numbers["new_colour"] = line.new_colour
        yield case(line.id, EditSpec(line.edit, **numbers), "truth", "truth_mask")
        return
    yield case(f"{line.id}-move", EditSpec("move", line.dx or 0.0, line.dy or 0.0), "moved", "moved_mask")
    if os.path.isfile(folder / f"{line.id}_removed.png"):
        yield case(f"{line.id}-remove", EditSpec("remove"), "removed", None)
