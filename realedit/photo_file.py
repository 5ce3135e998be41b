"""Writing a photo: format by suffix, metadata and provenance inside, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realedit.atomic_write import write_files
from realedit.errors import OutputExistsError, PhotoError, UsageError
from realedit.photo_encode import encode, format_for
from realedit.provenance import mark_packet, recipe_json, sidecar_path

if TYPE_CHECKING:
    from realedit.photo import Photo


def save_photo(
    photo: Photo,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    recipe: Mapping[str, Any] | None = None,
    embed_recipe: bool = False,
    sidecar: bool = True,
) -> Path:
    """Write an edited photo, marked as such; PNG, TIFF, WebP and BMP without loss.

    Args:
        photo: what to write.
        path: where; its suffix chooses the format (.jpg .jpeg .png .tif .tiff .webp .bmp .heic .heif).
        force: whether files that are there may be replaced.
        recipe: how the edit was made: strings, finite numbers, lists and dicts of them.
        embed_recipe: put the recipe into the file's XMP instead of beside it.
        sidecar: whether the recipe, unless embedded, is written to `<path>.realedit.json`.

    Returns:
        The path written.

    Raises:
        OutputExistsError: a file is there already and `force` is not set.
        UsageError: the suffix, the folder, or what the format cannot hold.
        PhotoError: the disk or the encoder failed; nothing is left behind.
        ValueError: the recipe holds something else.
    """
    output = Path(path)
    kind = format_for(output.suffix)
    embedded = recipe if embed_recipe else None
    if kind == "BMP" and embedded is not None:
        raise UsageError("BMP cannot hold a recipe", "leave it in the sidecar, or save as .png")
    contents: dict[Path, bytes] = {}
    if recipe is not None and sidecar and not embed_recipe:
        contents[sidecar_path(output)] = recipe_json(recipe)
    _check_destination(photo, output, contents, force)
    metadata = replace(photo.metadata, xmp=mark_packet(photo.metadata.xmp, embedded))
    try:
        contents = {output: encode(photo.native, metadata, kind)} | contents
    except (OSError, ValueError, RuntimeError) as error:
        raise PhotoError(f"{output.name} could not be encoded ({error})", "try .png") from error
    try:
        write_files(contents, force=force)
    except FileExistsError as error:
        raise _exists(output) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise PhotoError(
            f"{output} could not be written ({reason})", "check the folder and the disk"
        ) from error
    return output


def _check_destination(photo: Photo, output: Path, others: Mapping[Path, bytes], force: bool) -> None:
    folder = output.parent
    if not folder.is_dir():
        raise UsageError(f"no such folder: {folder}", "make it first")
    for path in (output, *others):
        if path.is_dir():
            raise UsageError(f"{path} is a folder", "name a file in it")
    if force:
        return
    if (
        photo.source is not None
        and output.exists()
        and photo.source.exists()
        and output.samefile(photo.source)
    ):
        raise OutputExistsError(
            f"{output} is the photo being edited",
            "choose another name, or --force (force=True) to replace it",
        )
    for path in (output, *others):
        if os.path.lexists(path):
            raise _exists(path)


def _exists(path: Path) -> OutputExistsError:
    return OutputExistsError(
        f"{path} exists already", "choose another name, or --force (force=True) to replace it"
    )
