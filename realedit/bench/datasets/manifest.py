"""Our own layout: ``manifest.jsonl``, one case a line.

    {"id": "a", "photo": "a.png", "prompt": "a mug on a table", "object": "mug",
     "edit": {"kind": "move", "dx": 0.2}, "mask": "a-mask.png", "truth": "a-moved.png"}

``mask``, ``truth``, ``truth_mask``, ``colour`` and ``id`` (by default the photo's name) may be left out.
Files are named relative to the folder. Unknown keys are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from realedit.bench.case import Case
from realedit.bench.datasets.lines import Strict, checked_id, file_in, read_lines
from realedit.bench.datasets.text_edits import Asked, text_edits
from realedit.bench.edit_spec import EditSpec
from realedit.photo.photo import load_photo

MANIFEST = "manifest.jsonl"

Words = Annotated[str, Field(min_length=1)]
Shift = Annotated[float, Field(ge=-1, le=1)]


class _Move(Strict):
    kind: Literal["move"]
    dx: Shift = 0.0
    dy: Shift = 0.0


class _Resize(Strict):
    kind: Literal["resize"]
    scale: Annotated[float, Field(ge=0.1, le=10)]


class _Rotate(Strict):
    kind: Literal["rotate"]
    angle: Annotated[float, Field(ge=-360, le=360)]


class _Remove(Strict):
    kind: Literal["remove"]


class _Replace(Strict):
    kind: Literal["replace"]
    new_object: Words
    new_colour: Words | None = None


class _Recolour(Strict):
    kind: Literal["recolour"]
    new_colour: Words


class _Text(Strict):
    kind: Literal["text"]
    target_prompt: Words


class _Line(Strict):
    id: str | None = None
    photo: Words
    prompt: str
    object: Words | None = None
    edit: Annotated[
        _Move | _Resize | _Rotate | _Remove | _Replace | _Recolour | _Text, Field(discriminator="kind")
    ]
    mask: Words | None = None
    truth: Words | None = None
    truth_mask: Words | None = None
    colour: Words | None = None


def load_manifest(folder: Path) -> list[Case]:
    """Reads the cases of a folder with :data:`MANIFEST`.

    Raises:
        UsageError: a line is not as above; the message names file and line.
        PhotoError: a file is missing.
    """
    cases: list[Case] = []
    seen: set[str] = set()
    for where, line in read_lines(folder / MANIFEST, _Line):

        def there(name: str | None, where: str = where) -> Path | None:
            return None if name is None else file_in(where, folder, name)

        cases.append(
            Case(
                checked_id(where, line.id or Path(line.photo).stem, seen),
                file_in(where, folder, line.photo),
                line.prompt,
                line.object,
                _edit(line, there(line.mask)),
                there(line.mask),
                there(line.truth),
                there(line.truth_mask),
                line.colour,
            )
        )
    return cases


def _edit(line: _Line, mask: Path | None) -> EditSpec:
    own = ()
    if isinstance(line.edit, _Text):
        share = None if mask is None else float((load_photo(mask).rgb.max(-1) > 127).mean())
        # the words before and after: the object is the same
        blended = f"{line.object} {line.object}" if line.object else ""
        own = text_edits(Asked(line.prompt, line.edit.target_prompt, blended=blended, share=share))
    return EditSpec(**line.edit.model_dump(), own=own)
