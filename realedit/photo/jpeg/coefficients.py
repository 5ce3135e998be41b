"""Reads a JPEG's quantised coefficients, by jpeglib.

jpeglib reads them all, of baseline and progressive files, and is not used to write: its writer keeps neither
the fourth component of CMYK nor progressive coding, and takes the standard's own Huffman tables, which makes
files larger. :mod:`realedit.photo.jpeg.scans` writes.
"""

from __future__ import annotations

import importlib
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from realedit.photo.jpeg.marker_segments import (
    BASELINE,
    DHT,
    DQT,
    DRI,
    EXTENDED,
    PROGRESSIVE,
    Frame,
    JpegFile,
)

_ONE_AT_A_TIME = threading.Lock()
"""jpeglib keeps what it reads in global variables of its C code."""
_NEEDED = frozenset((DHT, DQT, DRI, BASELINE, EXTENDED, PROGRESSIVE))


def read_coefficients(file: JpegFile) -> list[np.ndarray]:
    """Returns each component's quantised coefficients, int16 [rows, columns, 64], blocks row by row.

    Args:
        file: the file.

    Raises:
        ValueError: it is not Huffman-coded (but arithmetic or lossless), damaged, or jpeglib is not here.
    """
    if file.frame.kind not in (BASELINE, EXTENDED, PROGRESSIVE):
        raise ValueError("it is not Huffman-coded")
    try:
        library: Any = importlib.import_module("jpeglib")
    except (ImportError, OSError) as error:
        raise ValueError("the package jpeglib is not here") from error
    # without metadata and further pictures, which it would have to understand
    bare = b"\xff\xd8" + b"".join(bytes(segment) for segment in file.of(*_NEEDED)) + file.scans
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(bare)
        try:
            with _ONE_AT_A_TIME:
                read = library.read_dct(str(path))
                planes = [read.Y, read.Cb, read.Cr, read.K]
        except (OSError, ValueError, IndexError) as error:
            raise ValueError(f"jpeglib cannot read it ({error})") from error
    return _checked(planes, file.frame)


def _checked(planes: list[np.ndarray | None], frame: Frame) -> list[np.ndarray]:
    """Returns the planes that a frame has, each of the size that it says."""
    found = [plane for plane in planes if plane is not None]
    expected = [(*frame.blocks(component), 8, 8) for component in frame.components]
    if [plane.shape for plane in found] != expected:
        raise ValueError("jpeglib reads another number of blocks than the file says")
    return [plane.reshape(*plane.shape[:2], 64) for plane in found]
