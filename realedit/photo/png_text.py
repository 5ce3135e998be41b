"""Takes out of a PNG what Pillow refuses to unpack: texts (XMP among them) and profiles without end."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from PIL import PngImagePlugin

HEAD_BYTES = 8
"""Bytes of the signature that a PNG file begins with. Set by its standard."""
REFUSES = "MAX_TEXT"
"""In Pillow's words, where text or a profile is larger than its limits."""
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_PROFILE = b"iCCP"


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields the name of each chunk of a PNG, and the whole chunk; the last may be cut short."""
    at = HEAD_BYTES
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at : at + 12 + length]
        at += 12 + length


def without_texts(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Returns a PNG without its texts, and without its profile where that is too large, and what to say.

    Args:
        data: the file.
    """
    left: list[bytes] = []
    told: dict[str, None] = {}
    for name, chunk in chunks(data):
        if name in _TEXTS:
            told["the photo's texts, XMP among them, are too large and are left out"] = None
        elif name == _PROFILE and _is_too_large(chunk[8:-4]):
            told["the photo's colour profile is too large and is left out: colours may differ"] = None
        else:
            left.append(chunk)
    return data[:HEAD_BYTES] + b"".join(left), tuple(told)


def _is_too_large(content: bytes) -> bool:
    """Tells whether a profile becomes larger than Pillow allows; it is unpacked no further."""
    packed = content.partition(b"\0")[2][1:]
    try:
        unpacked = zlib.decompressobj().decompress(packed, PngImagePlugin.MAX_TEXT_CHUNK + 1)
    except zlib.error:
        return False
    return len(unpacked) > PngImagePlugin.MAX_TEXT_CHUNK
