"""What a JPEG file holds behind its picture: further pictures (CIPA DC-007, "MPF") and other data."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from realedit.photo.jpeg.marker_segments import APP0, APP2, JpegFile, Segment, take_apart

_MPF = b"MPF\0"
"""Begin of the segment that lists pictures. Set by its specification."""
_PRIMARY = 0x030000
"""Kind of the first picture in that list. Set by its specification."""
_MOST = 16
"""Pictures that are looked for behind the first: with more, the rest counts as other data. Not measured."""
_LEAST_VIDEO_BYTES = 1024
"""Bytes of other data behind the pictures: fewer count as padding, more as a video or the like. Not
measured."""


@dataclass(frozen=True)
class Behind:
    """What lies behind the picture of a JPEG file.

    Attributes:
        pictures: further JPEG pictures, in their order.
        more: whether there is other data, as a phone's video is.
    """

    pictures: tuple[bytes, ...] = ()
    more: bool = False


def behind(file: JpegFile) -> Behind:
    """Returns what lies behind a file's picture; data that cannot be read counts as other data."""
    pictures: list[bytes] = []
    rest, at = file.rest, 0
    while len(pictures) < _MOST:
        begin = rest.find(b"\xff\xd8\xff", at)
        # a video may hold these bytes too: pictures follow each other but for padding
        if begin < 0 or rest[at:begin].strip(b"\0"):
            break
        try:
            size = len(rest) - begin - len(take_apart(rest[begin:]).rest)
        except ValueError:
            break
        pictures.append(rest[begin : begin + size])
        at = begin + size
    return Behind(tuple(pictures), len(rest[at:].strip(b"\0")) >= _LEAST_VIDEO_BYTES)


def has_list(file: JpegFile) -> bool:
    """Tells whether the file lists its pictures in a segment of its own."""
    return any(segment.body.startswith(_MPF) for segment in file.of(APP2))


def with_pictures(first: bytes, pictures: Sequence[bytes], *, listed: bool) -> bytes:
    """Returns a file that holds several pictures.

    Args:
        first: the JPEG that every reader shows.
        pictures: the JPEGs behind it.
        listed: whether a segment lists them.
    """
    if not listed:
        return b"".join((first, *pictures))
    # behind its metadata
    metadata = takewhile(lambda one: APP0 <= one.marker <= APP0 + 15, take_apart(first).segments)
    head = 2 + sum(len(bytes(segment)) for segment in metadata)
    sizes = [len(picture) for picture in pictures]
    length = len(bytes(_list(0, 0, sizes)))
    # places are counted from behind the segment's name; the first picture's is 0 by definition
    start = len(first) + length - (head + 4 + len(_MPF))
    segment = bytes(_list(len(first) + length, start, sizes))
    return b"".join((first[:head], segment, first[head:], *pictures))


def _list(first_size: int, start: int, sizes: Sequence[int]) -> Segment:
    """Returns the segment that lists the pictures.

    Args:
        first_size: bytes of the first picture.
        start: place of the second.
        sizes: bytes of the pictures behind the first.
    """
    entries = [struct.pack("<IIIHH", _PRIMARY, first_size, 0, 0, 0)]
    for size in sizes:
        entries.append(struct.pack("<IIIHH", 0, size, start, 0, 0))
        start += size
    count = len(entries)
    directory = struct.pack("<4sIH", b"II*\0", 8, 3)
    directory += struct.pack("<HHI4s", 0xB000, 7, 4, b"0100")
    directory += struct.pack("<HHII", 0xB001, 4, 1, count)
    directory += struct.pack("<HHII", 0xB002, 7, 16 * count, 8 + 2 + 3 * 12 + 4)
    directory += struct.pack("<I", 0)
    return Segment(APP2, _MPF + directory + b"".join(entries))
