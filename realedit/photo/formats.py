"""The formats of photos: how a file shows which it is, their suffixes, and what each holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from realedit.errors import UsageError


@dataclass(frozen=True)
class Format:
    """A format that is written.

    Attributes:
        name: as messages have it.
        suffixes: of its files; the first is the usual one.
        modes: of samples that it holds as they are; others are converted without loss or refused.
        most_side: longest side in pixels.
        lossy: whether it can be written with loss, at a quality.
        lossless: whether it can be written without.
        metadata: whether it holds EXIF, a colour profile and XMP.
    """

    name: str
    suffixes: tuple[str, ...]
    modes: tuple[str, ...]
    most_side: int
    lossy: bool = False
    lossless: bool = True
    metadata: frozenset[str] = frozenset({"EXIF", "colour profile", "XMP"})


_NONE: frozenset[str] = frozenset()
FORMATS: Mapping[str, Format] = {
    "JPEG": Format(
        "JPEG",
        (".jpg", ".jpeg", ".jfif", ".jpe", ".mpo"),
        ("L", "RGB", "CMYK"),
        65500,
        lossy=True,
        lossless=False,
    ),
    "PNG": Format(
        "PNG", (".png",), ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "RGB;16", "RGBA;16"), 2**31 - 1
    ),
    "TIFF": Format(
        "TIFF",
        (".tif", ".tiff"),
        ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "RGB;16", "RGBA;16"),
        2**32 - 1,
    ),
    "WEBP": Format("WebP", (".webp",), ("RGB", "RGBA"), 16383, lossy=True),
    "AVIF": Format("AVIF", (".avif",), ("RGB", "RGBA"), 65536, lossy=True),
    "HEIF": Format(
        "HEIC",
        (".heic", ".heif"),
        ("L", "LA", "RGB", "RGBA", "I;16", "RGB;16", "RGBA;16"),
        16384,
        lossy=True,
        lossless=False,
    ),
    "JXL": Format(
        "JPEG XL",
        (".jxl",),
        ("L", "LA", "RGB", "RGBA"),  # its encoder for Pillow marks 16 bits as linear light
        2**30,
        lossy=True,
        metadata=frozenset({"EXIF", "XMP"}),
    ),
    "JPEG2000": Format(
        "JPEG 2000",
        (".jp2", ".j2k", ".jpx", ".jpf", ".j2c"),
        ("L", "LA", "RGB", "RGBA", "CMYK", "I;16"),
        2**31 - 1,
        metadata=_NONE,
    ),
    "TGA": Format("TGA", (".tga",), ("1", "L", "LA", "P", "RGB", "RGBA"), 65535, metadata=_NONE),
    "PPM": Format(
        "PPM",
        (".ppm", ".pgm", ".pnm", ".pbm"),
        ("1", "L", "RGB", "I;16", "RGB;16"),
        2**31 - 1,
        metadata=_NONE,
    ),
    "BMP": Format("BMP", (".bmp",), ("1", "L", "P", "RGB"), 2**31 - 1, metadata=_NONE),
}
"""Formats that are written, by Pillow's name. Sides are set by each format's header or its encoder."""
SUFFIXES: Mapping[str, str] = {
    suffix: kind for kind, written in FORMATS.items() for suffix in written.suffixes
}
READABLE = "JPEG, PNG, TIFF, WebP, AVIF, HEIC, JPEG XL, JPEG 2000, GIF, BMP, TGA, PPM"
"""Formats that are read, for messages. GIF is not written: its photos become PNG."""
_BRANDS = {
    "HEIF": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"),
    "AVIF": (b"avif", b"avis"),
}
"""Brands of files in the container that HEIC and AVIF share. Set by their specifications."""
_SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "TIFF"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WEBP"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), "BMP"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"), "JXL"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), "JPEG2000"),
    (re.compile(rb"P[1-6]\s"), "PPM"),
)
MOST_FILE_BYTES = 2**30
"""Bytes of a photo's file: a longer one is refused before it is read whole, a shorter one is read. The most
pixels that are decoded are 0.7 GB at 16 bits and four channels."""
HEAD_BYTES = 64
"""Bytes from a file's begin that show which format it has. Set by the formats."""
_TGA_TYPES, _TGA_DEPTHS = (1, 2, 3, 9, 10, 11), (1, 8, 15, 16, 24, 32)
"""Kinds of pictures and bits of a pixel that TGA has. Set by its specification."""


def sniff(head: bytes) -> str | None:
    """Returns the format of a file's content, as Pillow names it; None if it is none that is read.

    TGA files have no signature: what is left and has the header of one counts as one.

    Args:
        head: the file, or its first :data:`HEAD_BYTES`.
    """
    if head[4:8] == b"ftyp":
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(len(head), HEAD_BYTES), 4))]
        # the first brand may be of the container alone
        for brand in brands:
            for kind, known in _BRANDS.items():
                if brand in known:
                    return kind
        return "HEIF" if head[8:12] in (b"mif1", b"msf1") else None
    for signature, kind in _SIGNATURES:
        if signature.match(head):
            return kind
    return "TGA" if _is_tga(head) else None


def has_gain_map(data: bytes) -> bool:
    """Tells whether a HEIC or AVIF file says that it holds an HDR gain map (ISO 21496-1, "tmap")."""
    length = int.from_bytes(data[:4], "big")
    return data[4:8] == b"ftyp" and b"tmap" in data[8 : min(length, HEAD_BYTES)]


def _is_tga(head: bytes) -> bool:
    if len(head) < 18:
        return False
    mapped, kind, depth = head[1], head[2], head[16]
    return mapped == (kind in (1, 9)) and kind in _TGA_TYPES and depth in _TGA_DEPTHS and not head[17] & 0xC0


def format_for(suffix: str) -> str:
    """Returns the format of a file name's suffix, as Pillow names it.

    Raises:
        UsageError: realedit does not write it; the message lists the suffixes that it writes.
    """
    kind = SUFFIXES.get(suffix.lower())
    if kind is None:
        what = f"realedit does not write {suffix!r} files" if suffix else "the output name has no suffix"
        raise UsageError(what, f"use one of {', '.join(form.suffixes[0] for form in FORMATS.values())}")
    return kind


def own_suffix(kind: str | None, path: Path) -> str:
    """Returns the suffix for an edited photo's file: its own, unless its content is of another format.

    Args:
        kind: the format of the photo's content, as Pillow names it; None if it is not known.
        path: the photo's file.
    """
    if kind is not None and kind in FORMATS:
        fits = path.suffix.lower() in FORMATS[kind].suffixes
        return path.suffix if fits else FORMATS[kind].suffixes[0]
    return path.suffix if kind is None and path.suffix.lower() in SUFFIXES else ".png"
