"""What edits bring along besides words and numbers: other photos, and outlines."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from realedit.edits import Edit, Like, LookOf, Paste, Reshape
from realedit.inputs import as_mask, as_photo
from realedit.photo import Photo


def with_pictures(edits: Sequence[Edit], photo: Photo) -> list[Edit]:
    """Edits with their files read, so that one that is missing is told before any work.

    Args:
        edits: some may name files.
        photo: the photo that they are edits of.

    Raises:
        PhotoError: a file cannot be read.
        UsageError: an outline has another size than the photo, or shows nothing, or everything.
    """
    return [_with_picture(edit, photo) for edit in edits]


def _with_picture(edit: Edit, photo: Photo) -> Edit:
    match edit:
        case Paste() | LookOf():
            return replace(edit, source=as_photo(edit.source))
        case Like() if edit.source is not None:
            return replace(edit, source=as_photo(edit.source))
        case Reshape():
            file = isinstance(edit.shape, str | os.PathLike)
            name = f"the outline {edit.shape}" if file else "the outline"
            return replace(edit, shape=as_mask(edit.shape, photo, name))
    return edit
