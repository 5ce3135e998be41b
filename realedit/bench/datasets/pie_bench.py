"""PIE-Bench: ``mapping_file.json`` beside ``annotation_images/`` (Ju et al. 2024, arXiv 2310.01506).

Each entry has ``image_path``, ``original_prompt``, ``editing_prompt``, ``editing_instruction``,
``editing_type_id`` ("0".."9"), ``blended_word`` ("old new" or "") and ``mask`` (run lengths over the
flattened 512 x 512 picture). What changes stands in [brackets] in the prompts. The user brings the data.

Types 1 (change object) and 3 (delete object) become ``replace`` and ``remove`` where the prompts say of
what; every other type is ``text``: the photo as the other prompt says, and for realedit itself the nearest of
its own edits (:mod:`realedit.bench.datasets.text_edits`). There is no truth: what lies outside the mask is
measured against the photo.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from realedit.bench.case import Case
from realedit.bench.datasets.lines import checked, checked_id, file_in, read_mapping
from realedit.bench.datasets.phrases import name_in, thing_in
from realedit.bench.datasets.prompt_pair import plain
from realedit.bench.datasets.text_edits import Asked, text_edits
from realedit.bench.edit_spec import EditSpec, TextEdit
from realedit.bench.run_lengths import RunLengths
from realedit.errors import UsageError

MANIFEST = "mapping_file.json"
PICTURES = "annotation_images"

CATEGORIES = (
    "random",
    "change object",
    "add object",
    "delete object",
    "change content",
    "change pose",
    "change colour",
    "change material",
    "change background",
    "change style",
)

_BRACKETS = re.compile(r"\[([^\]]+)\]")


class _Entry(BaseModel):
    # others' format: keys that later versions of it add are not ours to refuse
    model_config = ConfigDict(extra="ignore", frozen=True)

    image_path: str
    original_prompt: str
    editing_prompt: str
    editing_type_id: str
    blended_word: str = ""
    mask: list[int]


def load_pie_bench(folder: Path) -> list[Case]:
    """Reads the cases of a folder in PIE-Bench's own layout.

    Raises:
        UsageError: an entry is not as above.
        PhotoError: a picture is missing.
    """
    seen: set[str] = set()
    return [_case(where, folder, key, value, seen) for where, key, value in read_mapping(folder / MANIFEST)]


def _case(where: str, folder: Path, key: str, value: object, seen: set[str]) -> Case:
    entry = checked(where, value, _Entry)
    try:
        mask = RunLengths(tuple(entry.mask))
    except ValueError as error:
        raise UsageError(f"{where}: mask: {error}", "fix the mapping file") from error
    if not (entry.editing_type_id.isdecimal() and int(entry.editing_type_id) < len(CATEGORIES)):
        raise UsageError(f"{where}: no editing type {entry.editing_type_id!r}", "they are 0 to 9")
    old, new = _words(entry)
    target = plain(entry.editing_prompt)
    category = CATEGORIES[int(entry.editing_type_id)]
    match category:
        case "change object" if old and new:
            edit = EditSpec("replace", new_object=new, target_prompt=target, own=_named(old, "replace", new))
        case "delete object" if old:
            edit = EditSpec("remove", target_prompt=target, own=_named(old, "remove"))
        case _:
            share = float(mask.decode().mean())
            asked = Asked(entry.original_prompt, entry.editing_prompt, category, entry.blended_word, share)
            edit = EditSpec("text", target_prompt=target, own=text_edits(asked))
    return Case(
        checked_id(where, key, seen),
        file_in(where, folder / PICTURES, entry.image_path),
        plain(entry.original_prompt),
        old,
        edit,
        mask,
        category=category,
    )


def _named(old: str, kind: str, new: str | None = None) -> tuple[TextEdit, ...]:
    """Returns realedit's edit where the brackets hold more than a name: "a cat [and a butterfly]"."""
    name, instead = name_in(old), new and thing_in(new)
    return () if (name, instead) == (old, new) else (TextEdit(kind, name, instead, "word"),)


def _words(entry: _Entry) -> tuple[str | None, str | None]:
    """Returns what changes, and into what: the blended words, else what is in brackets in either prompt."""
    blended = entry.blended_word.split()
    if len(blended) == 2:
        return blended[0], blended[1]
    found = [_BRACKETS.findall(text) for text in (entry.original_prompt, entry.editing_prompt)]
    old, new = (words[0].strip() if words else None for words in found)
    return old, new
