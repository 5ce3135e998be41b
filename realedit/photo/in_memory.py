"""Takes a photo that is in memory already: an array, a tensor, a Pillow image, or a file's content."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
from PIL import Image

from realedit.errors import PhotoError
from realedit.photo.decode import decode_bytes, decode_pillow
from realedit.photo.formats import MOST_FILE_BYTES
from realedit.photo.metadata import PhotoMetadata
from realedit.photo.samples import Samples
from realedit.photo.sixteen_bit import is_sixteen_bit_colour

_NAME = "the picture in memory"


class TensorLike(Protocol):
    """A torch tensor, which this package does not import."""

    def cpu(self) -> object:
        """Returns the tensor in the machine's own memory."""
        ...


InMemory = Image.Image | np.ndarray | bytes | bytearray | memoryview | BinaryIO | io.BytesIO | TensorLike
"""A photo that is in memory already."""


def from_memory(source: object) -> tuple[Samples, PhotoMetadata]:
    """Returns the samples of a photo in memory, upright, and its metadata.

    Args:
        source: a Pillow image (of an animation: its current frame), uint8 [H, W, 3], a torch tensor uint8 or
            float in [0, 1] of shape [3, H, W], [1, 3, H, W] or [H, W, 3], or the content of an image file as
            bytes or as something that can be read.

    Raises:
        PhotoError: it is none of these, or no photo that can be edited without loss.
    """
    if isinstance(source, np.ndarray):
        return _from_array(cast("np.ndarray", source))
    if isinstance(source, Image.Image):
        if is_sixteen_bit_colour(source):
            raise PhotoError("Pillow cuts this 16-bit image to 8 bits", "pass the file's path instead")
        return decode_pillow(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(cast("bytes", source)))
    if hasattr(source, "cpu"):
        return _from_tensor(source)
    if hasattr(source, "read"):
        content = cast("Any", source).read(MOST_FILE_BYTES + 1)
        if not isinstance(content, bytes):
            raise PhotoError("a file that is handed in gives text, not bytes", 'open it with mode "rb"')
        return _from_bytes(content)
    raise PhotoError(
        f"a photo is no {type(source).__name__}",
        "pass a path, bytes, an open file, a Pillow image, an array or a tensor",
    )


def _from_bytes(data: bytes) -> tuple[Samples, PhotoMetadata]:
    if not data:
        raise PhotoError(f"{_NAME} is empty", "an open file is read from where it stands: seek(0) first")
    if len(data) > MOST_FILE_BYTES:
        raise PhotoError(f"{_NAME} holds more than {MOST_FILE_BYTES // 2**20} MB", "shrink it")
    return decode_bytes(data, _NAME)


def _from_array(values: np.ndarray) -> tuple[Samples, PhotoMetadata]:
    if values.dtype != np.uint8 or values.ndim != 3 or values.shape[2] != 3 or not values.size:
        raise PhotoError(f"an array photo is uint8 [H, W, 3], not {values.dtype} {list(values.shape)}")
    return Samples("RGB", values.copy()), PhotoMetadata()


def _from_tensor(source: object) -> tuple[Samples, PhotoMetadata]:
    tensor = cast("Any", source).detach().cpu()
    try:
        values = np.asarray(tensor)
    except (TypeError, RuntimeError):  # bfloat16, which numpy lacks
        values = np.asarray(tensor.float())
    shape = list(values.shape)
    if values.ndim == 4 and len(values) == 1:
        values = values[0]
    if values.ndim == 3 and values.shape[0] == 3 and values.shape[2] != 3:
        values = np.moveaxis(values, 0, -1)
    if values.ndim != 3 or values.shape[2] != 3 or not values.size:
        raise PhotoError(f"a tensor photo is [3, H, W], [1, 3, H, W] or [H, W, 3], not {shape}")
    if np.issubdtype(values.dtype, np.floating):
        # written so that NaN fails too
        if not (values.min() >= 0 and values.max() <= 1):
            raise PhotoError(
                f"a tensor photo of floats lies in [0, 1], not {values.min():g} to {values.max():g}",
                "of one in [-1, 1], pass (x + 1) / 2",
            )
        values = np.rint(values * 255.0).astype(np.uint8)
    return _from_array(np.ascontiguousarray(values))
