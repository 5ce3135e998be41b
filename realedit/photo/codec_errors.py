"""What the libraries that read and write pictures raise over damaged files and tags."""

from __future__ import annotations

import struct
import zlib

import cv2

CODEC_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    EOFError,
    RuntimeError,
    AttributeError,
    AssertionError,
    struct.error,
    zlib.error,
    cv2.error,
)
"""Errors that a damaged file causes; memory that is used up is told apart from them."""
