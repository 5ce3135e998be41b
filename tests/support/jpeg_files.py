"""JPEG files of every kind that cameras, phones and editors write, made here from any picture.

``python tests/support/jpeg_files.py FOLDER`` writes them, to be looked at.
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jpeglib
import numpy as np
from PIL import Image

from realedit.photo.jpeg.marker_segments import DQT, Segment, take_apart

_SAMPLINGS = {"444": (1, 1), "422": (2, 1), "420": (2, 2), "440": (1, 2), "411": (4, 1), "410": (4, 2)}
"""Luma's horizontal and vertical factors, chroma's being 1."""


def every_kind(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    """Yields names and files.

    Args:
        picture: RGB, 160 x 120 or larger; the files show it or a part of it.
    """
    odd = picture.crop((0, 0, 93, 61))
    for name, factors in _SAMPLINGS.items():
        yield f"{name}", _by_jpeglib(picture, factors)
        yield f"{name}-odd", _by_jpeglib(odd, factors)
        yield f"{name}-odd-progressive", _by_jpeglib(odd, factors, ["PROGRESSIVE_MODE"])
    for name, subsampling in {"444": 0, "422": 1, "420": 2}.items():
        for quality in (30, 97):
            yield (
                f"{name}-progressive-{quality}",
                _saved(odd, quality=quality, subsampling=subsampling, progressive=True),
            )
        yield f"{name}-restarts", _saved(odd, subsampling=subsampling, restart_marker_blocks=2)
        yield (
            f"{name}-restarts-progressive",
            _saved(odd, subsampling=subsampling, restart_marker_rows=1, progressive=True),
        )
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112], exif[0x010F] = orientation, "Acme"
        details = exif.get_ifd(0x8769)
        details.update({0xA002: odd.width, 0xA003: odd.height})
        yield f"turned-{orientation}", _saved(odd, exif=exif, subsampling=2)
    for name, tables in phone_tables().items():
        yield f"phone-{name}", _saved(odd, qtables=tables, subsampling=2)
        yield f"phone-{name}-progressive", _saved(odd, qtables=tables, subsampling=2, progressive=True)
    grey = odd.convert("L")
    yield "grey", _saved(grey)
    yield "grey-progressive", _saved(grey, progressive=True)
    yield "grey-sampled-2x2", _with_factors(_saved(grey), 0x22)
    yield "rgb", _saved(odd, keep_rgb=True, quality=90)
    yield "rgb-progressive", _saved(odd, keep_rgb=True, quality=90, progressive=True)
    inks = odd.convert("CMYK")
    yield "cmyk", _saved(inks, quality=85)
    yield "cmyk-progressive", _saved(inks, quality=85, progressive=True)
    yield "ycck", _ycck(_saved(inks, quality=85))
    yield "ycck-progressive", _ycck(_saved(inks, quality=85, progressive=True))
    yield "sixteen-bit-tables", _with_deep_tables(_saved(odd))
    yield "optimised", _saved(odd, optimize=True, quality=88)
    yield "fill-bytes", _saved(odd).replace(b"\xff\xc0", b"\xff\xff\xff\xc0", 1)
    yield "profile-and-comment", _saved(odd, icc_profile=b"\1" * 70_000, comment=b"a comment", dpi=(72, 72))
    yield "one-block-wide", _saved(picture.crop((0, 0, 17, 90)), subsampling=2)
    yield "one-unit", _saved(picture.crop((0, 0, 16, 16)), subsampling=2)
    yield "saturated", _saved(_saturated(), quality=60, subsampling=2)


def phone_tables() -> dict[str, list[list[int]]]:
    """Returns quantisation tables that libjpeg makes at no quality, like those of phones' own encoders.

    Three of them for three components, flat ones, and such as grow along the diagonal without the standard's
    shape.
    """
    k = np.add.outer(np.arange(8), np.arange(8))
    diagonal = (2 + k // 2).ravel().tolist()
    steep = (1 + (k * k) // 3).ravel().tolist()
    flat = [3] * 64
    return {"flat": [flat, [5] * 64], "diagonal": [diagonal, steep], "three": [flat, diagonal, steep]}


def _saved(picture: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", **({} if "qtables" in options else {"quality": 80}) | options)
    return file.getvalue()


def _by_jpeglib(picture: Image.Image, factors: tuple[int, int], flags: list[str] | None = None) -> bytes:
    across, down = factors
    written: Any = jpeglib.from_spatial(np.asarray(picture))
    written.samp_factor = ((down, across), (1, 1), (1, 1))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "one.jpg"
        written.write_spatial(str(path), qt=82, flags=[f"+{flag}" for flag in flags or []])
        return path.read_bytes()


def _ycck(data: bytes) -> bytes:
    """Says of a file of four components that its first three are luma and chroma."""
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\2" + data[at + 1 :]


def _with_factors(data: bytes, factors: int) -> bytes:
    """Gives the one component of a grey file sampling factors, which mean nothing there."""
    at = data.index(b"\xff\xc0") + 11
    return data[:at] + bytes([factors]) + data[at + 1 :]


def _with_deep_tables(data: bytes) -> bytes:
    """Writes the same quantisation tables with 16 bits a value."""
    file = take_apart(data)
    parts = [b"\xff\xd8"]
    for segment in file.segments:
        body = segment.body
        if segment.marker == DQT:
            body = bytes([body[0] | 0x10]) + struct.pack(">64H", *body[1:65])
        parts.append(bytes(Segment(segment.marker, body)))
    return b"".join((*parts, file.scans))


def _saturated() -> Image.Image:
    """Returns hard edges between the extremes of colour, whose samples leave 0..255 when decoded."""
    values = np.random.default_rng(1).integers(0, 2, (12, 18, 3), np.uint8) * 255
    return Image.fromarray(values.repeat(5, axis=0).repeat(5, axis=1))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with Image.open(Path(__file__).parents[2] / "examples" / "photos" / "mug.jpg") as opened:
        for made, content in every_kind(opened.convert("RGB").resize((320, 240))):
            (folder / f"{made}.jpg").write_bytes(content)
