"""Writes an edited JPEG in which every block that the edit does not touch keeps its coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realedit.photo.jpeg.blocks import with_edit
from realedit.photo.jpeg.coefficients import read_coefficients
from realedit.photo.jpeg.marker_segments import (
    APP0,
    APP14,
    ARITHMETIC,
    ARITHMETIC_PROGRESSIVE,
    DQT,
    EXTENDED,
    PROGRESSIVE,
    JpegFile,
    Segment,
)
from realedit.photo.jpeg.scans import code_scans

_HUFFMAN = {ARITHMETIC: EXTENDED, ARITHMETIC_PROGRESSIVE: PROGRESSIVE}
"""Frames that are written in the place of those with arithmetic coding, which few programs read."""
_JFIF_BYTES = 12
"""Bytes of a JFIF segment before the size of its thumbnail. Set by its standard."""


def edited_jpeg(
    file: JpegFile, edited: np.ndarray, changed: np.ndarray, metadata: Sequence[Segment]
) -> bytes:
    """Returns an edited JPEG: the file's own frame and quantisation tables, and the metadata that is given.

    Args:
        file: the photo's file.
        edited: the edited picture in the file's own frame, uint8 [H, W] or [H, W, C] as Pillow decodes it.
        changed: where it differs from the file's picture, bool [H, W].
        metadata: segments that take the place of the file's own.

    Raises:
        ValueError: the file's coefficients cannot be read or written; the message says why.
    """
    coefficients = with_edit(file, read_coefficients(file), edited, changed)
    # without these two, readers would take the colours for others
    jfif = [
        Segment(APP0, own.body[:_JFIF_BYTES] + b"\0\0") for own in file.of(APP0) if own.body[:5] == b"JFIF\0"
    ]
    adobe = [own for own in file.of(APP14) if own.body[:5] == b"Adobe"]
    frame = replace(file.frame, kind=_HUFFMAN.get(file.frame.kind, file.frame.kind))
    header = [Segment(frame.kind, own.body) for own in file.of(file.frame.kind)]
    head = b"".join(bytes(one) for one in (*jfif[:1], *metadata, *adobe[:1], *file.of(DQT), *header))
    return b"\xff\xd8" + head + code_scans(frame, coefficients)
