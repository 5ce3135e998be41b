"""Encodes samples and metadata as the bytes of a JPEG, PNG, TIFF, WebP, BMP or HEIC file."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from typing import Any, cast

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

from realedit.errors import UsageError
from realedit.photo.metadata import IPTC_RESOURCE, PhotoMetadata
from realedit.photo.samples import Samples
from realedit.photo.sixteen_bit import encode_png, encode_tiff

SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".heic": "HEIF",
    ".heif": "HEIF",
}
_HOLDS = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "RGB;16", "RGBA;16"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "RGB;16", "RGBA;16"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB"),
    "HEIF": ("L", "LA", "RGB", "RGBA"),
}
"""Modes that each format holds as they are; others are converted without loss or refused."""
_MOST_SIDE_PIXELS = {
    "JPEG": 65500,
    "WEBP": 16383,
    "BMP": 2**31 - 1,
    "PNG": 2**31 - 1,
    "TIFF": 2**32 - 1,
    "HEIF": 16384,
}
"""Longest side in pixels of each format: longer photos are refused, others written. Set by the format's
header or its encoder."""
_MOST_SEGMENT_BYTES = 65533
"""Bytes in a segment of a JPEG file: a larger block of metadata does not fit, a smaller one does. Set by its
standard."""
_MOST_XMP_BYTES = 65504
"""The same for XMP, whose segment begins with a name of its own. Set by its specification."""
_QUALITY = 95
"""Quality of JPEGs that were none before, and of HEIC, of 100: higher makes larger files, lower loses more.
Set by eye."""
_PNG_LEVEL = 4
"""Compression level of PNG, of 9: higher takes longer, lower makes larger files. Set on noisy photos, where 6
takes twice the time of 4 and saves nothing."""
_WEBP_METHOD, _WEBP_EFFORT = 2, 20
"""Effort of lossless WebP, of 6 and of 100: higher takes longer, lower makes larger files. Set on photos,
where the defaults take twice the time for one percent."""
_INTEROP = 0xA005
"""EXIF tag of the interoperability directory, an offset into its own file. Set by the EXIF standard."""


def format_for(suffix: str) -> str:
    """Returns the format of a file name's suffix, as Pillow names it.

    Raises:
        UsageError: realedit does not write it; the message lists the suffixes that it writes.
    """
    kind = SUFFIXES.get(suffix.lower())
    if kind is None:
        what = f"realedit does not write {suffix!r} files" if suffix else "the output name has no suffix"
        raise UsageError(what, f"use one of {', '.join(SUFFIXES)}")
    return kind


def check_holds(samples: Samples, kind: str) -> None:
    """Makes sure that a format can hold a photo's depth, transparency, inks and size.

    Raises:
        UsageError: it cannot; the message says why and which can.
    """
    _check_size(samples, kind)
    _fit(samples, kind)


def encode(samples: Samples, metadata: PhotoMetadata, kind: str) -> bytes:
    """Returns the file's bytes, lossless except for JPEG and HEIC.

    A JPEG photo written as JPEG keeps its own quantisation tables and chroma subsampling; other photos are
    written at quality 95 without subsampling.

    Raises:
        UsageError: the format cannot hold the photo's depth, transparency, inks, size or metadata.
        OSError, ValueError: the encoder failed.
    """
    _check_size(samples, kind)
    held = _fit(samples, kind)
    metadata = replace(metadata, icc=_profile_for(metadata.icc, held.mode))
    sixteen_bit = held.mode in ("RGB;16", "RGBA;16")
    if kind == "PNG" and sixteen_bit:
        return encode_png(held.values, **_png_options(metadata, held))
    if kind == "TIFF" and sixteen_bit:
        return encode_tiff(
            held.values, exif=metadata.exif, icc=metadata.icc, xmp=metadata.xmp, dpi=metadata.dpi
        )
    if kind == "HEIF":
        return _encode_heif(held, metadata)
    options = {
        "JPEG": _jpeg_options,
        "PNG": _png_options,
        "TIFF": _tiff_options,
        "WEBP": _webp_options,
        "BMP": _bmp_options,
    }[kind](metadata, held)
    file = io.BytesIO()
    held.to_pillow().save(file, kind, **options)
    return file.getvalue()


def _check_size(samples: Samples, kind: str) -> None:
    height, width = samples.values.shape[:2]
    most = _MOST_SIDE_PIXELS[kind]
    if max(height, width) > most:
        raise UsageError(
            f"{kind} files hold {most} pixels a side at most, the photo has {width} x {height}", "use .png"
        )


def _fit(samples: Samples, kind: str) -> Samples:
    """Converts to a mode that the format holds, every visible value unchanged."""
    mode, transparent = samples.mode, not samples.opaque()
    # BMP has an alpha channel on paper, which most readers ignore
    if kind in ("JPEG", "BMP") and transparent:
        raise UsageError(
            f"{kind} files have no transparency, and the photo is partly transparent",
            "save as .png, .tif or .webp",
        )
    if mode in _HOLDS[kind] and not (mode == "P" and transparent and kind != "PNG"):
        return samples
    if mode == "CMYK" or mode.endswith(";16"):
        what = "CMYK" if mode == "CMYK" else "16 bits a channel"
        fits = [suffix for suffix, other in SUFFIXES.items() if mode in _HOLDS[other]]
        raise UsageError(f"{kind} cannot hold the photo's {what}", f"save as {', '.join(fits)}")
    grey = mode in ("1", "L", "LA") and "L" in _HOLDS[kind]
    if transparent and samples.alpha is not None:
        if grey and "LA" in _HOLDS[kind]:
            return samples
        return Samples("RGBA", np.concatenate((samples.to_rgb(), samples.alpha[..., None]), axis=-1))
    rgb = samples.to_rgb()
    return Samples("L", np.ascontiguousarray(rgb[..., 0])) if grey else Samples("RGB", rgb)


def _profile_for(icc: bytes, mode: str) -> bytes:
    """Leaves out a profile of another colour space than the pixels now have (grey written as RGB)."""
    space = {"1": b"GRAY", "L": b"GRAY", "LA": b"GRAY", "I;16": b"GRAY", "CMYK": b"CMYK"}.get(mode, b"RGB ")
    other_spaces = {b"GRAY", b"RGB ", b"CMYK"} - {space}
    return b"" if icc[16:20] in other_spaces else icc


def _jpeg_options(metadata: PhotoMetadata, _: Samples) -> dict[str, Any]:
    options: dict[str, Any] = {"exif": metadata.exif, "xmp": metadata.xmp, "icc_profile": metadata.icc}
    if len(metadata.exif) > _MOST_SEGMENT_BYTES or len(metadata.xmp) > _MOST_XMP_BYTES:
        raise UsageError(
            "JPEG cannot hold that much metadata", "save as .png or .tif, or leave the recipe in the sidecar"
        )
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    if metadata.comment:
        options["comment"] = metadata.comment
    if metadata.iptc:
        options["extra"] = _iptc_segment(metadata.iptc)
    if metadata.jpeg is None:
        return options | {"quality": _QUALITY, "subsampling": 0}
    return options | {
        "qtables": [list(table) for table in metadata.jpeg.tables],
        "subsampling": metadata.jpeg.subsampling,
        "progressive": metadata.jpeg.progressive,
        "keep_rgb": metadata.jpeg.keep_rgb,
    }


def _iptc_segment(record: bytes) -> bytes:
    """Returns a JPEG APP13 segment with one Photoshop image resource; empty if the record does not fit."""
    header = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", IPTC_RESOURCE, 0, len(record))
    body = header + record + b"\0" * (len(record) % 2)
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body if len(body) <= _MOST_SEGMENT_BYTES else b""


def _png_options(metadata: PhotoMetadata, samples: Samples) -> dict[str, Any]:
    chunks = PngImagePlugin.PngInfo()
    for kind, data in metadata.png_chunks:
        chunks.add(kind, data)
    if metadata.xmp:
        chunks.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", "replace"))
    options: dict[str, Any] = {"pnginfo": chunks, "exif": metadata.exif, "icc_profile": metadata.icc}
    options["compress_level"] = _PNG_LEVEL
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    if samples.palette is not None and not samples.opaque():
        options["transparency"] = samples.palette[:, 3].tobytes().rstrip(b"\xff")
    return options


def _tiff_options(metadata: PhotoMetadata, _: Samples) -> dict[str, Any]:
    exif = Image.Exif()
    exif.load(metadata.exif)
    # its value is an offset into the old file, which Pillow's TIFF writer would copy as a number
    exif.get_ifd(ExifTags.IFD.Exif).pop(_INTEROP, None)
    if metadata.xmp:
        exif[700] = metadata.xmp
    # uncompressed: with compression Pillow writes through libtiff, which cannot take EXIF's nested tags
    options: dict[str, Any] = {"compression": "raw", "exif": exif, "icc_profile": metadata.icc}
    return options | ({"dpi": metadata.dpi} if metadata.dpi else {})


def _webp_options(metadata: PhotoMetadata, _: Samples) -> dict[str, Any]:
    return {
        "lossless": True,
        "exact": True,  # colours under full transparency are samples of the photo too
        "method": _WEBP_METHOD,
        "quality": _WEBP_EFFORT,
        "exif": metadata.exif,
        "xmp": metadata.xmp,
        "icc_profile": metadata.icc,
    }


def _bmp_options(metadata: PhotoMetadata, _: Samples) -> dict[str, Any]:
    return {"dpi": metadata.dpi} if metadata.dpi else {}


def _encode_heif(samples: Samples, metadata: PhotoMetadata) -> bytes:
    try:
        import pillow_heif
    except ImportError:
        raise UsageError(
            "writing HEIC needs the package pillow-heif", "pip install pillow-heif, or use .jpg"
        ) from None
    height, width = samples.values.shape[:2]
    data = np.ascontiguousarray(samples.values).tobytes()
    file = io.BytesIO()
    library = cast("Any", pillow_heif)  # its types are incomplete
    picture = library.from_bytes(samples.mode, (width, height), data)
    if metadata.icc:
        picture.info["icc_profile"] = metadata.icc
        picture.info["icc_profile_type"] = "prof"
    picture.save(file, quality=_QUALITY, chroma=444, exif=metadata.exif or None, xmp=metadata.xmp or None)
    return file.getvalue()
