"""Reads the header of a JPEG XL file, which its decoder for Pillow tells only with all pixels decoded.

The decoder is handed no size that is not known to be safe: an even picture of a thousand million pixels fits
in fifty bytes. A file may hold a JPEG, coded anew without loss, which can be had back to the bit: such a
photo is edited and written as that JPEG, block by block.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SIGNATURE = b"\xff\x0a"
"""Begin of the coded picture. Set by its standard."""
_BOX_BYTES = 8
"""Bytes of a box's length and name. Set by its standard."""
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width over height that a header may name instead of the width. Set by its standard."""
_SIDE_BITS = (9, 13, 18, 30)
"""Bits of a side less one. Set by its standard."""
_HEAD_BYTES = 64
"""Bytes in which all that is read of the coded picture lies. Set by its standard."""


@dataclass(frozen=True)
class Header:
    """What a JPEG XL file says of its picture.

    Attributes:
        width: pixels, as they lie in the file.
        height: likewise.
        depth: bits a channel.
        is_float: whether samples are no whole numbers.
        animated: whether it may hold several frames.
        lossy: whether it is compressed with loss; a JPEG in it counts as such.
        has_jpeg: whether it holds a JPEG that can be had back.
        has_gain_map: whether it holds an HDR gain map.
    """

    width: int
    height: int
    depth: int = 8
    is_float: bool = False
    animated: bool = False
    lossy: bool = True
    has_jpeg: bool = False
    has_gain_map: bool = False


def read_header(data: bytes) -> Header:
    """Reads a JPEG XL file's header.

    Raises:
        ValueError: it has none.
    """
    if data.startswith(_SIGNATURE):
        return _coded(data, frozenset())
    boxes = list(_boxes(data))
    for name, content in boxes:
        # the first of several parts has a number of four bytes before it
        content = content[4:] if name == b"jxlp" else content
        if name in (b"jxlc", b"jxlp") and content.startswith(_SIGNATURE):
            return _coded(content, frozenset(name for name, _ in boxes))
    raise ValueError("a JPEG XL file without a picture")


def jpeg_inside(data: bytes) -> bytes:
    """Returns the JPEG that a JPEG XL file holds; empty if there is none, or it cannot be had back.

    Args:
        data: the file, whose header says that it holds one.
    """
    library: Any = importlib.import_module("pillow_jxl")
    is_jpeg, _, content, _, _ = library.Decoder(num_threads=0)(data)
    return bytes(content) if is_jpeg else b""


def with_jpeg(jpeg: bytes, width: int, height: int) -> bytes:
    """Returns a JPEG XL file that holds a JPEG, which can be had back to the bit.

    Args:
        jpeg: the JPEG's file.
        width: its pixels.
        height: likewise.

    Raises:
        ValueError: the encoder refuses it, or is not here.
    """
    try:
        library: Any = importlib.import_module("pillow_jxl")
    except ImportError as error:
        raise ValueError("the package pillow-jxl-plugin is not here") from error
    encoder = library.Encoder(
        mode="RGB",
        lossless=True,
        quality=100,
        decoding_speed=0,
        effort=_EFFORT,
        use_container=True,
        use_original_profile=False,
        num_threads=-1,
    )
    try:
        return bytes(encoder(jpeg, width, height, jpeg_encode=True))
    except (RuntimeError, OSError) as error:
        raise ValueError(f"the JPEG does not fit into JPEG XL ({error})") from error


_EFFORT = 7
"""Effort of coding a JPEG anew, of 9: higher takes longer, lower makes larger files. Set to the library's
default."""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields each box's name and content; the last one may be cut short."""
    at = 0
    while at + _BOX_BYTES <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        name, begin = data[at + 4 : at + 8], at + _BOX_BYTES
        if length == 1:
            length, begin = int.from_bytes(data[begin : begin + 8], "big"), begin + 8
        end = at + length if length else len(data)
        if end < begin:
            return
        yield name, data[begin : min(end, begin + _HEAD_BYTES)]
        at = end


class _Bits:
    """Reads bits, the lowest of each byte first; behind the end all are 0."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data[:_HEAD_BYTES], "little")

    def take(self, count: int) -> int:
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value

    def one_of(self, *choices: tuple[int, int]) -> int:
        """Takes a number that is told in one of four ways: so much, and so many bits more."""
        least, count = choices[self.take(2)]
        return least + self.take(count)


def _coded(content: bytes, boxes: frozenset[bytes]) -> Header:
    """Reads the header of the coded picture (ISO 18181-1, D)."""
    bits = _Bits(content[len(_SIGNATURE) :])
    width, height = _size(bits)
    others = {"has_jpeg": b"jbrd" in boxes, "has_gain_map": b"jhgm" in boxes}
    if bits.take(1):  # all as usual: 8 bits, compressed with loss
        return Header(width, height, **others)
    animated = False
    if bits.take(1):
        bits.take(3)  # its orientation, which the decoder applies
        if bits.take(1):
            _size(bits)
        if bits.take(1):
            _preview(bits)
        animated = bool(bits.take(1))
        if animated:
            _skip_animation(bits)
    is_float = bool(bits.take(1))
    depth = (
        bits.one_of((32, 0), (16, 0), (24, 0), (1, 6))
        if is_float
        else bits.one_of((8, 0), (10, 0), (12, 0), (1, 6))
    )
    if is_float:
        bits.take(4)
    bits.take(1)
    extra = bits.one_of((0, 0), (1, 0), (2, 4), (1, 12))
    # further channels of a kind of their own are not followed: the usual one is an alpha of 8 bits
    usual = all(bits.take(1) for _ in range(min(extra, 1)))
    lossy = bool(bits.take(1)) if extra <= 1 and usual else False
    return Header(width, height, depth, is_float, animated, lossy or others["has_jpeg"], **others)


def _size(bits: _Bits) -> tuple[int, int]:
    """Takes a width and a height."""
    small = bits.take(1)

    def side() -> int:
        return 8 * (1 + bits.take(5)) if small else bits.one_of(*((1, count) for count in _SIDE_BITS))

    height = side()
    ratio = bits.take(3)
    if not ratio:
        return side(), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _preview(bits: _Bits) -> None:
    """Takes the size of a preview."""
    small = bits.take(1)
    choices = ((16, 0), (32, 0), (1, 5), (33, 9)) if small else ((1, 6), (65, 8), (321, 10), (1345, 12))
    bits.one_of(*choices)
    if not bits.take(3):
        bits.one_of(*choices)


def _skip_animation(bits: _Bits) -> None:
    """Takes how fast frames follow each other."""
    bits.one_of((100, 0), (1000, 0), (1, 10), (1, 30))
    bits.one_of((1, 0), (1001, 0), (1, 8), (1, 10))
    bits.one_of((0, 0), (0, 3), (0, 16), (0, 32))
    bits.take(1)
