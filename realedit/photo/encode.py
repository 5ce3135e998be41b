"""Encodes samples and metadata as the bytes of a file of any format that is written."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from realedit.errors import UsageError
from realedit.photo.encode_jpeg import encode_anew, encode_kept, left_behind
from realedit.photo.formats import FORMATS
from realedit.photo.jpeg.marker_segments import take_apart
from realedit.photo.jpeg_xl import with_jpeg
from realedit.photo.metadata import PhotoMetadata
from realedit.photo.profile_conversion import is_srgb
from realedit.photo.samples import Samples
from realedit.photo.writers import WRITERS


@dataclass(frozen=True)
class Compression:
    """How a file is compressed, where its format leaves a choice.

    Args:
        quality: of 100, with loss; None: the photo's own kind of compression.
        lossless: without loss.

    Raises:
        UsageError: both are given.
    """

    quality: int | None = None
    lossless: bool = False

    def __post_init__(self) -> None:
        if self.lossless and self.quality is not None:
            raise UsageError("a quality and lossless contradict each other", "give one of them")

    def where_possible(self, kind: str) -> Compression:
        """Returns what of it a format (Pillow's name) can do; for photos of many formats."""
        form = FORMATS[kind]
        return Compression(self.quality if form.lossy else None, self.lossless and form.lossless)


@dataclass(frozen=True)
class Encoded:
    """An encoded photo.

    Attributes:
        content: the file.
        keeps: what the file keeps of the samples that are not edited: "all" of them, the "blocks" of a JPEG
            that hold none that are, or "none".
        notes: what the user should know.
    """

    content: bytes
    keeps: str = "all"
    notes: tuple[str, ...] = ()


def check_holds(samples: Samples, kind: str, compression: Compression = Compression()) -> None:
    """Makes sure that a format can hold a photo's depth, transparency, inks and size, compressed as asked.

    Raises:
        UsageError: it cannot; the message says why and which can.
    """
    form = FORMATS[kind]
    if compression.quality is not None and not form.lossy:
        raise UsageError(f"{form.name} files have no quality: they lose nothing", "leave out the quality")
    if compression.lossless and not form.lossless:
        hint = "save as .png, or leave it out" if kind == "JPEG" else "save as .png"
        raise UsageError(f"{form.name} files are not written without loss", hint)
    _check_size(samples, kind)
    _fit(samples, kind)


def encode(
    samples: Samples,
    metadata: PhotoMetadata,
    kind: str,
    *,
    original: Samples | None = None,
    compression: Compression = Compression(),
) -> Encoded:
    """Returns a photo's file.

    A JPEG that is written as JPEG or JPEG XL keeps the coefficients of every block that holds no edited
    sample. Formats that can be compressed with and without loss are written with loss where the photo's own
    file was.

    Args:
        samples: the edited photo's, upright.
        metadata: what goes in beside the pixels.
        kind: the format, as Pillow names it.
        original: the samples as they were read, where an edit has changed them.
        compression: what the user wants of it.

    Raises:
        UsageError: the format cannot hold the photo's depth, transparency, inks, size or metadata.
        OSError, ValueError: the encoder failed.
    """
    check_holds(samples, kind, compression)
    held = _fit(samples, kind)
    left_out = (*_left_out(held, metadata, kind), *(left_behind(metadata) if kind != "JPEG" else ()))
    metadata = replace(metadata, icc=_profile_for(metadata.icc, held.mode))
    if kind == "JPEG":
        return _jpeg(held, original or samples, metadata, compression)
    if kind == "JXL" and metadata.jpeg is not None and compression == Compression():
        try:
            return _jpeg_in_jxl(held, original or samples, metadata)
        except ValueError:  # it is encoded anew, and what changes is told
            pass
    quality = compression.quality
    if (
        quality is None
        and not compression.lossless
        and FORMATS[kind].lossy
        and (metadata.lossy or not FORMATS[kind].lossless)
    ):
        quality = _QUALITY[kind]
    content = WRITERS[kind](held, metadata, quality)
    return Encoded(content, "all" if quality is None else "none", left_out)


_QUALITY = {"WEBP": 90, "AVIF": 92, "HEIF": 95, "JXL": 90}
"""Quality of 100 of files that are compressed with loss: higher makes larger files, lower loses more. Set by
eye."""


def _jpeg(held: Samples, original: Samples, metadata: PhotoMetadata, compression: Compression) -> Encoded:
    """Returns a JPEG, by its own blocks where it has some and no other quality is asked for."""
    own = metadata.jpeg
    notes: tuple[str, ...] = ()
    if own is not None and own.file and compression.quality is None:
        try:
            content, notes = encode_kept(held, original, metadata)
            return Encoded(content, "blocks", notes)
        except ValueError as error:
            notes = (f"the JPEG's own blocks cannot be kept ({error}): it is encoded anew",)
    content = encode_anew(held.to_pillow(), metadata, compression.quality)
    return Encoded(content, "none", (*notes, *left_behind(metadata)))


def _jpeg_in_jxl(held: Samples, original: Samples, metadata: PhotoMetadata) -> Encoded:
    """Returns a JPEG XL file that holds an edited JPEG with its own blocks.

    Raises:
        ValueError: the blocks cannot be kept, or there is no encoder.
    """
    content, notes = encode_kept(held, original, metadata)
    frame = take_apart(content).frame
    return Encoded(with_jpeg(content, frame.width, frame.height), "blocks", notes)


def _left_out(samples: Samples, metadata: PhotoMetadata, kind: str) -> tuple[str, ...]:
    """Returns a note of what a photo has beside its pixels and a format does not hold."""
    form = FORMATS[kind]
    has = {"EXIF": metadata.exif, "colour profile": metadata.icc and not is_srgb(metadata.icc)}
    lost = [name for name, held in has.items() if held and name not in form.metadata]
    told = (f"{form.name} files do not hold the photo's {' and '.join(lost)}",) if lost else ()
    # HEIC's own are read as 16 bits
    cut = kind == "HEIF" and samples.mode.endswith("16") and metadata.format != "HEIF"
    return (*told, "HEIC files are written with 10 of the photo's 16 bits a channel") if cut else told


def _check_size(samples: Samples, kind: str) -> None:
    height, width = samples.values.shape[:2]
    most = FORMATS[kind].most_side
    if max(height, width) > most:
        raise UsageError(
            f"{FORMATS[kind].name} files hold {most} pixels a side at most, the photo has {width} x {height}",
            "use .png",
        )


def _fit(samples: Samples, kind: str) -> Samples:
    """Converts to a mode that the format holds, every visible value unchanged."""
    mode, transparent = samples.mode, not samples.opaque()
    form = FORMATS[kind]
    # BMP has an alpha channel on paper, which most readers ignore
    if kind in ("JPEG", "BMP", "PPM") and transparent:
        raise UsageError(
            f"{form.name} files have no transparency, and the photo is partly transparent",
            "save as .png, .tif or .webp",
        )
    if mode in form.modes and not (mode == "P" and transparent and kind != "PNG"):
        return samples
    if mode == "CMYK" or mode.endswith(";16"):
        what = "CMYK" if mode == "CMYK" else "16 bits a channel"
        fits = [
            other.suffixes[0] for name, other in FORMATS.items() if mode in other.modes and name != "HEIF"
        ]
        raise UsageError(f"{form.name} cannot hold the photo's {what}", f"save as {', '.join(fits)}")
    grey = mode in ("1", "L", "LA") and "L" in form.modes
    if transparent and samples.alpha is not None:
        if grey and "LA" in form.modes:
            return samples
        return Samples("RGBA", np.concatenate((samples.to_rgb(), samples.alpha[..., None]), axis=-1))
    rgb = samples.to_rgb()
    return Samples("L", np.ascontiguousarray(rgb[..., 0])) if grey else Samples("RGB", rgb)


def _profile_for(icc: bytes, mode: str) -> bytes:
    """Leaves out a profile of another colour space than the pixels now have (grey written as RGB)."""
    space = {"1": b"GRAY", "L": b"GRAY", "LA": b"GRAY", "I;16": b"GRAY", "CMYK": b"CMYK"}.get(mode, b"RGB ")
    other_spaces = {b"GRAY", b"RGB ", b"CMYK"} - {space}
    return b"" if icc[16:20] in other_spaces else icc
