"""Photos that are in memory already, and what is told of what is none."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from realedit.errors import PhotoError
from realedit.photo import load_photo
from realedit.photo.inputs import as_photo

VALUES = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


def _png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(VALUES).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "source",
    [
        VALUES,
        Image.fromarray(VALUES),
        _png(),
        bytearray(_png()),
        memoryview(_png()),
        io.BytesIO(_png()),
        torch.from_numpy(VALUES),
        torch.from_numpy(VALUES).permute(2, 0, 1),
        torch.from_numpy(VALUES).permute(2, 0, 1)[None] / 255,
        (torch.from_numpy(VALUES).permute(2, 0, 1) / 255).double().requires_grad_(),
    ],
    ids=lambda source: type(source).__name__,
)
def test_every_form_is_the_same_photo(source: object) -> None:
    np.testing.assert_array_equal(load_photo(source).rgb, VALUES)  # type: ignore[arg-type]  # any of them


def test_half_precision_is_read_too() -> None:
    tensor = torch.full((3, 20, 30), 0.5, dtype=torch.bfloat16)
    assert (load_photo(tensor).rgb == 128).all()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (None, "a photo is no NoneType; pass a path, bytes, an open file, a Pillow image"),
        (3, "a photo is no int"),
        (b"", "the picture in memory is empty"),
        (b"nothing of the kind", "the picture in memory is not an image that realedit reads"),
        (io.StringIO("text"), 'gives text, not bytes; open it with mode "rb"'),
        (_png()[:400], "is damaged or truncated"),
        (torch.zeros(4, 5), r"a tensor photo is [3, H, W], [1, 3, H, W] or [H, W, 3], not [4, 5]"),
        (torch.zeros(2, 3, 8, 8), "not [2, 3, 8, 8]"),
        (
            torch.full((3, 8, 8), -0.5),
            "lies in [0, 1], not -0.5 to -0.5; of one in [-1, 1], pass (x + 1) / 2",
        ),
        (torch.full((3, 8, 8), torch.nan), "lies in [0, 1]"),
        (np.zeros((4, 4)), "an array photo is uint8 [H, W, 3]"),
    ],
)
def test_what_is_no_photo_is_told(source: object, text: str) -> None:
    with pytest.raises(PhotoError) as caught:
        load_photo(source)  # type: ignore[arg-type]  # that is the point
    assert text in str(caught.value)


def test_a_jpeg_in_memory_keeps_its_blocks_like_a_file() -> None:
    file = io.BytesIO()
    Image.fromarray(VALUES).save(file, "JPEG")
    photo = load_photo(file.getvalue())
    assert photo.metadata.jpeg is not None
    assert photo.metadata.jpeg.file == file.getvalue()
    assert photo.source is None


@pytest.mark.parametrize("shape", [(20, 6000, 3), (6000, 20, 3)])
def test_a_photo_too_narrow_to_work_on_is_told(shape: tuple[int, int, int]) -> None:
    with pytest.raises(PhotoError, match="more than 32 times as long as wide; crop it"):
        as_photo(np.zeros(shape, np.uint8))
    assert as_photo(np.zeros((20, 640, 3), np.uint8)).size == (640, 20)
