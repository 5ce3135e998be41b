"""Reads the structure of a JPEG file: its marker segments, frame and quantisation tables (T.81, B)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

import numpy as np

SOI, EOI, SOS, DQT, DHT, DAC, DRI, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xCC, 0xDD, 0xFE
APP0, APP1, APP2, APP13, APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2
"""Markers of the frames whose coefficients are Huffman-coded."""
ARITHMETIC, ARITHMETIC_PROGRESSIVE = 0xC9, 0xCA
"""Markers of the frames whose coefficients have arithmetic coding."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
"""Markers of frames of every kind. Set by the standard."""
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In coded data: a marker other than a stuffed byte, a restart or fill."""
_ZIGZAG = """
 0  1  8 16  9  2  3 10 17 24 32 25 18 11  4  5 12 19 26 33 40 48 41 34 27 20 13  6  7 14 21 28
35 42 49 56 57 50 43 36 29 22 15 23 30 37 44 51 58 59 52 45 38 31 39 46 53 60 61 54 47 55 62 63
"""
ZIGZAG = np.array(_ZIGZAG.split(), np.intp)
"""Place in a block, row by row, of the coefficient that comes k-th in the file."""


@dataclass(frozen=True)
class Segment:
    """A marker and what belongs to it.

    Attributes:
        marker: its second byte.
        body: the bytes behind its length.
    """

    marker: int
    body: bytes

    def __bytes__(self) -> bytes:
        """Return the segment as it stands in a file."""
        return struct.pack(">BBH", 0xFF, self.marker, len(self.body) + 2) + self.body


@dataclass(frozen=True)
class Component:
    """One of the planes of samples that a JPEG holds.

    Attributes:
        number: its own, by which scans name it.
        across: horizontal sampling factor.
        down: vertical sampling factor.
        table: the number of its quantisation table.
    """

    number: int
    across: int
    down: int
    table: int


@dataclass(frozen=True)
class Frame:
    """What the frame header says.

    Attributes:
        kind: its marker: :data:`BASELINE`, :data:`EXTENDED`, :data:`PROGRESSIVE` or another.
        width: of the picture, in samples.
        height: likewise.
        components: in their order.
    """

    kind: int
    width: int
    height: int
    components: tuple[Component, ...]

    @property
    def across(self) -> int:
        """The largest horizontal sampling factor."""
        return max(component.across for component in self.components)

    @property
    def down(self) -> int:
        """The largest vertical sampling factor."""
        return max(component.down for component in self.components)

    @property
    def mcu(self) -> tuple[int, int]:
        """Height and width in samples of the smallest unit that holds whole blocks of every component."""
        return 8 * self.down, 8 * self.across

    def blocks(self, component: Component) -> tuple[int, int]:
        """Returns how many rows and columns of blocks a component has, without those that fill up a unit."""
        height = ceil(self.height * component.down / self.down)
        width = ceil(self.width * component.across / self.across)
        return ceil(height / 8), ceil(width / 8)


@dataclass(frozen=True)
class JpegFile:
    """A JPEG file, taken apart.

    Attributes:
        segments: those before the first scan, in their order.
        frame: what the frame header says.
        tables: quantisation tables by number, uint16 [64], row by row.
        scans: from the first scan's marker to the end of the picture.
        rest: what follows the picture: further pictures, a video, padding.
    """

    segments: tuple[Segment, ...]
    frame: Frame
    tables: dict[int, np.ndarray]
    scans: bytes
    rest: bytes

    def of(self, *markers: int) -> list[Segment]:
        """Returns the segments with one of the markers."""
        return [segment for segment in self.segments if segment.marker in markers]

    def adobe_transform(self) -> int | None:
        """Returns the colour transform in Adobe's marker (0 none, 1 YCbCr, 2 YCCK), if there is one."""
        for segment in self.of(APP14):
            if segment.body[:5] == b"Adobe" and len(segment.body) >= 12:
                return segment.body[11]
        return None


def take_apart(data: bytes) -> JpegFile:
    """Takes a JPEG file apart.

    Args:
        data: the file.

    Raises:
        ValueError: it is no JPEG, is cut short, or is built in a way that this module does not follow.
    """
    if data[:2] != b"\xff\xd8":
        raise ValueError("no JPEG")
    segments: list[Segment] = []
    at = 2
    while True:
        marker, body, at = _segment(data, at)
        if marker == SOS:
            break
        segments.append(Segment(marker, body))
    start = at - len(body) - 4
    end = _end(data, at)
    frames = [segment for segment in segments if segment.marker in _FRAMES]
    if len(frames) != 1:
        raise ValueError(f"{len(frames)} frames")
    frame = _frame(frames[0])
    tables = _tables(segment.body for segment in segments if segment.marker == DQT)
    if any(component.table not in tables for component in frame.components):
        raise ValueError("a quantisation table is missing")
    return JpegFile(tuple(segments), frame, tables, data[start:end], data[end:])


def _segment(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Returns the marker at a place, its body, and the place behind it."""
    if data[at : at + 1] != b"\xff":
        raise ValueError(f"no marker at byte {at}")
    while data[at + 1 : at + 2] == b"\xff":  # fill bytes
        at += 1
    head = data[at + 1 : at + 4]
    if len(head) < 3:
        raise ValueError("the file ends in its headers")
    marker, length = struct.unpack(">BH", head)
    body = data[at + 4 : at + 2 + length]
    if length < 2 or len(body) != length - 2:
        raise ValueError(f"a segment of {length} bytes at byte {at}")
    return marker, body, at + 2 + length


def _end(data: bytes, at: int) -> int:
    """Returns the place behind the picture's end, from a place in its coded data."""
    while (found := _NEXT_MARKER.search(data, at)) is not None:
        if data[found.end() - 1] == EOI:
            return found.end()
        marker, _, at = _segment(data, found.start())
        if marker == DQT:
            raise ValueError("quantisation tables that change between scans")
    raise ValueError("the picture has no end")


def _frame(segment: Segment) -> Frame:
    if len(segment.body) < 6:
        raise ValueError("a frame header that is cut short")
    depth, height, width, count = struct.unpack(">BHHB", segment.body[:6])
    body = segment.body[6:]
    if depth != 8 or not height or not width or not count or len(body) != 3 * count:
        raise ValueError(f"a frame of {depth} bits, {width} x {height}, {count} components")
    components = tuple(
        Component(number, factors >> 4, factors & 15, table)
        for number, factors, table in zip(body[::3], body[1::3], body[2::3], strict=True)
    )
    if any(not component.across or not component.down for component in components):
        raise ValueError("a sampling factor of 0")
    return Frame(segment.marker, width, height, components)


def _tables(bodies: Iterable[bytes]) -> dict[int, np.ndarray]:
    tables: dict[int, np.ndarray] = {}
    for body in bodies:
        at = 0
        while at < len(body):
            kind = np.dtype(">u2" if body[at] >> 4 else "u1")
            values = np.frombuffer(body[at + 1 : at + 1 + 64 * kind.itemsize], kind)
            if values.size != 64 or not values.all():
                raise ValueError("a quantisation table that is cut short or holds 0")
            table = np.empty(64, np.uint16)
            table[ZIGZAG] = values
            tables[body[at] & 15] = table
            at += 1 + 64 * kind.itemsize
    return tables
