"""Writes a photo: format by suffix, metadata and provenance inside, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from realedit.errors import PhotoError, UsageError
from realedit.photo.codec_errors import CODEC_ERRORS
from realedit.photo.encode import Compression, Encoded, encode
from realedit.photo.formats import FORMATS, format_for
from realedit.photo.measured import Kept, measured
from realedit.photo.provenance import mark_packet, recipe_json, sidecar_path
from realedit.system.destinations import check_free, disk_errors
from realedit.system.memory import out_of_memory
from realedit.system.whole_files import write_files

if TYPE_CHECKING:
    from realedit.photo.photo import Photo


@dataclass(frozen=True)
class Saved:
    """A photo that was written.

    Attributes:
        path: the file.
        figures: what it keeps of the photo, see :class:`realedit.photo.measured.Kept`.
        warnings: what the user should know about it.
    """

    path: Path
    figures: Mapping[str, float]
    warnings: tuple[str, ...] = ()


def save_photo(
    photo: Photo,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    recipe: Mapping[str, Any] | None = None,
    embed_recipe: bool = False,
    sidecar: bool = True,
    compression: Compression = Compression(),
) -> Path:
    """Writes an edited photo, marked as edited.

    PNG, TIFF, BMP, JPEG 2000, TGA and PPM lose nothing. A JPEG written as JPEG or JPEG XL keeps the
    coefficients of every block that holds no edited pixel. WebP, AVIF and other JPEG XL are written as the
    photo was, with or without loss, unless ``compression`` says otherwise; HEIC with loss.

    Args:
        photo: the edited photo.
        path: the file to write; its suffix chooses the format, see :data:`realedit.photo.formats.SUFFIXES`.
        force: whether existing files may be replaced.
        recipe: how the edit was made: strings, finite numbers, and lists and dicts of them.
        embed_recipe: whether the recipe goes into the file's XMP instead of beside it.
        sidecar: whether the recipe, unless embedded, is written to `<path>.realedit.json`.
        compression: a quality, or without loss.

    Returns:
        The path written.

    Raises:
        OutputExistsError: a file exists already and `force` is not set.
        UsageError: the suffix is unknown, the folder is missing, or the format cannot hold the photo.
        PhotoError: the disk or the encoder failed; nothing is left behind.
        ValueError: the recipe holds other values.
    """
    beside = recipe if sidecar and not embed_recipe else None
    embedded = recipe if embed_recipe else None
    return _write(photo, Path(path), beside, embedded, None, force=force, compression=compression).path


def save_measured(
    photo: Photo,
    path: str | os.PathLike[str],
    region: np.ndarray,
    *,
    force: bool = False,
    recipe: Mapping[str, Any] | None = None,
    compression: Compression = Compression(),
) -> Saved:
    """Writes an edited photo as :func:`save_photo` does, and measures what the file keeps of it.

    Args:
        photo: the edited photo.
        path: see :func:`save_photo`.
        region: where the edit may have changed it, bool [H, W].
        force: see :func:`save_photo`.
        recipe: written beside it.
        compression: see :func:`save_photo`.

    Raises:
        RealEditError: as of :func:`save_photo`.
    """
    return _write(photo, Path(path), recipe, None, region, force=force, compression=compression)


def _write(
    photo: Photo,
    output: Path,
    beside: Mapping[str, Any] | None,
    embedded: Mapping[str, Any] | None,
    region: np.ndarray | None,
    *,
    force: bool,
    compression: Compression,
) -> Saved:
    """Writes a photo with its recipe beside or inside it, and measures it where a region is given."""
    kind = format_for(output.suffix)
    if embedded is not None and "XMP" not in FORMATS[kind].metadata:
        raise UsageError(
            f"{FORMATS[kind].name} cannot hold a recipe", "leave it in the sidecar, or save as .png"
        )
    contents = {} if beside is None else {sidecar_path(output): recipe_json(beside)}
    check_free([output, *contents], source=photo.source, force=force)
    encoded = _encoded(photo, kind, compression, embedded, output.name)
    kept = Kept({}, encoded.notes) if region is None else _kept(photo, kind, encoded, region)
    with disk_errors(output):
        write_files({output: encoded.content} | contents, force=force)
    return Saved(output, kept.figures, kept.warnings)


def encode_measured(
    photo: Photo, kind: str, region: np.ndarray, compression: Compression = Compression()
) -> tuple[bytes, Kept]:
    """Returns an edited photo's file, marked as edited, and what it keeps of the photo.

    Args:
        photo: the edited photo.
        kind: the format, as Pillow names it.
        region: where the edit may have changed it, bool [H, W].
        compression: see :func:`save_photo`.

    Raises:
        UsageError: the format cannot hold the photo.
        PhotoError: the encoder failed.
    """
    encoded = _encoded(photo, kind, compression, None, "the photo")
    return encoded.content, _kept(photo, kind, encoded, region)


def _kept(photo: Photo, kind: str, encoded: Encoded, region: np.ndarray) -> Kept:
    return measured(encoded, kind, photo.original or photo.native, photo.metadata, region)


def _encoded(
    photo: Photo, kind: str, compression: Compression, recipe: Mapping[str, Any] | None, name: str
) -> Encoded:
    """Returns an edited photo's file, marked as edited.

    Args:
        photo: the edited photo.
        kind: the format, as Pillow names it.
        compression: see :func:`save_photo`.
        recipe: goes into the file's XMP.
        name: what errors call the file.

    Raises:
        UsageError: the format cannot hold the photo.
        PhotoError: the encoder failed.
    """
    metadata = replace(photo.metadata, xmp=mark_packet(photo.metadata.xmp, recipe))
    try:
        return encode(photo.native, metadata, kind, original=photo.original, compression=compression)
    except CODEC_ERRORS as error:
        raise out_of_memory(error) or PhotoError(
            f"{name} could not be encoded ({error})", "try .png"
        ) from error
