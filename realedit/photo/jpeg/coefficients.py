"""Reads a JPEG's quantised coefficients, by jpeglib.

jpeglib reads them all, of baseline and progressive files, and is not used to write: its writer keeps neither
the fourth component of CMYK nor progressive coding, and takes the standard's own Huffman tables, which makes
files larger. :mod:`realedit.photo.jpeg.scans` writes.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import threading
from contextlib import nullcontext
from typing import Any

import numpy as np

from realedit.photo.jpeg.marker_segments import (
    ARITHMETIC,
    ARITHMETIC_PROGRESSIVE,
    BASELINE,
    DAC,
    DHT,
    DQT,
    DRI,
    EXTENDED,
    PROGRESSIVE,
    Frame,
    JpegFile,
)
from realedit.system.library_messages import without_library_messages
from realedit.system.passing_files import as_file

_ONE_AT_A_TIME = threading.Lock()
"""jpeglib keeps what it reads in global variables of its C code."""
_ARITHMETIC = frozenset((ARITHMETIC, ARITHMETIC_PROGRESSIVE))
_READ = frozenset((BASELINE, EXTENDED, PROGRESSIVE)) | _ARITHMETIC
_NEEDED = frozenset((DHT, DAC, DQT, DRI)) | _READ
_LIBRARY_OF_ARITHMETIC = "turbo210"
"""The one of jpeglib's libraries that reads arithmetic coding, too: its usual one was made while that was
patented."""


def read_coefficients(file: JpegFile) -> list[np.ndarray]:
    """Returns each component's quantised coefficients, int16 [rows, columns, 64], blocks row by row.

    Args:
        file: the file.

    Raises:
        ValueError: it is coded without loss or in a hierarchy, damaged, or jpeglib is not here.
    """
    if file.frame.kind not in _READ:
        raise ValueError("it is coded without loss or in a hierarchy")
    try:
        library: Any = importlib.import_module("jpeglib")
    except (ImportError, OSError) as error:
        raise ValueError("the package jpeglib is not here") from error
    # without metadata and further pictures, which it would have to understand
    bare = b"\xff\xd8" + b"".join(bytes(segment) for segment in file.of(*_NEEDED)) + file.scans
    try:
        with _ONE_AT_A_TIME, without_library_messages(), as_file(bare) as path:
            own = file.frame.kind in _ARITHMETIC
            with library.version(_LIBRARY_OF_ARITHMETIC) if own else nullcontext():
                return _planes(library, os.fspath(path), file.frame)
    except (OSError, IndexError, AttributeError, RuntimeError) as error:
        raise ValueError(f"jpeglib cannot read it ({error})") from error


def _planes(library: Any, path: str, frame: Frame) -> list[np.ndarray]:  # noqa: ANN401 - it has no types
    """Reads a file by jpeglib's C code, which needs no copy of the file.

    Its Python code would write one into the folder of temporary files, leave it there where it cannot be
    read, and print its name.

    Raises:
        ValueError: it has other blocks than the frame says.
        OSError: it cannot be read.
    """
    told = library.read_dct(path)
    shapes = [frame.blocks(component) for component in frame.components]
    if told.block_dims.tolist() != [list(shape) for shape in shapes]:
        raise ValueError("jpeglib reads another number of blocks than the file says")
    planes = [np.zeros((*shape, 64), np.int16) for shape in shapes]
    tables, numbers = np.zeros((4, 64), np.uint16), np.zeros(4, np.int16)
    pointers = [ctypes.c_void_p(plane.ctypes.data) for plane in planes] + [None] * (4 - len(planes))
    code = library._bind.CJpegLib.get()
    if not code.read_jpeg_dct(
        os.fsencode(path),
        *pointers,
        ctypes.c_void_p(tables.ctypes.data),
        ctypes.c_void_p(numbers.ctypes.data),
    ):
        raise OSError("its data are damaged")
    return planes
