"""Writes a photo: format by suffix, metadata and provenance inside, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realedit.errors import PhotoError, UsageError
from realedit.photo.encode import encode, format_for
from realedit.photo.provenance import mark_packet, recipe_json, sidecar_path
from realedit.system.destinations import check_free, disk_errors
from realedit.system.whole_files import write_files

if TYPE_CHECKING:
    from realedit.photo.photo import Photo


def save_photo(
    photo: Photo,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    recipe: Mapping[str, Any] | None = None,
    embed_recipe: bool = False,
    sidecar: bool = True,
) -> Path:
    """Writes an edited photo, marked as edited; PNG, TIFF, WebP and BMP without loss.

    Args:
        photo: the edited photo.
        path: the file to write; its suffix chooses the format (.jpg .jpeg .png .tif .tiff .webp .bmp .heic
            .heif).
        force: whether existing files may be replaced.
        recipe: how the edit was made: strings, finite numbers, and lists and dicts of them.
        embed_recipe: whether the recipe goes into the file's XMP instead of beside it.
        sidecar: whether the recipe, unless embedded, is written to `<path>.realedit.json`.

    Returns:
        The path written.

    Raises:
        OutputExistsError: a file exists already and `force` is not set.
        UsageError: the suffix is unknown, the folder is missing, or the format cannot hold the photo.
        PhotoError: the disk or the encoder failed; nothing is left behind.
        ValueError: the recipe holds other values.
    """
    output = Path(path)
    kind = format_for(output.suffix)
    embedded = recipe if embed_recipe else None
    if kind == "BMP" and embedded is not None:
        raise UsageError("BMP cannot hold a recipe", "leave it in the sidecar, or save as .png")
    contents: dict[Path, bytes] = {}
    if recipe is not None and sidecar and not embed_recipe:
        contents[sidecar_path(output)] = recipe_json(recipe)
    check_free([output, *contents], source=photo.source, force=force)
    metadata = replace(photo.metadata, xmp=mark_packet(photo.metadata.xmp, embedded))
    try:
        contents = {output: encode(photo.native, metadata, kind)} | contents
    except (OSError, ValueError, RuntimeError) as error:
        raise PhotoError(f"{output.name} could not be encoded ({error})", "try .png") from error
    with disk_errors(output):
        write_files(contents, force=force)
    return output
