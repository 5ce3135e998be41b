"""JPEG XL: its header is read before its decoder gets the file, and a JPEG in it keeps its blocks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jpeg_files import every_kind
from realedit.errors import PhotoError
from realedit.photo import Photo, composite, load_photo
from realedit.photo.encode import Compression
from realedit.photo.jpeg_xl import Header, jpeg_inside, read_header, with_jpeg
from realedit.photo.save import save_measured

pytest.importorskip("pillow_jxl")


def _values(mode: str, width: int, height: int) -> np.ndarray:
    shape = {"L": (), "I;16": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}[mode]
    most, kind = (65536, np.uint16) if mode == "I;16" else (256, np.uint8)
    return np.random.default_rng(5).integers(0, most, (height, width, *shape)).astype(kind)


def _saved(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "JXL", effort=1, **options)
    return file.getvalue()


def _edited(photo: Photo) -> tuple[Photo, np.ndarray]:
    alpha = np.zeros(photo.rgb.shape[:2], np.float32)
    alpha[20:40, 20:44] = 1
    return composite(photo, 255 - photo.rgb, alpha), alpha > 0


@pytest.fixture(scope="module")
def jpegs() -> dict[str, bytes]:
    ramp = np.add.outer(np.arange(120), np.arange(160))
    picture = np.stack([ramp % 256, 2 * ramp % 256, 255 - ramp % 256], axis=-1).astype(np.uint8)
    return dict(every_kind(Image.fromarray(picture)))


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("size", [(64, 96), (61, 93), (256, 256), (320, 180), (2000, 9)])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_the_header_says_what_the_decoder_finds(mode: str, size: tuple[int, int], lossless: bool) -> None:
    data = _saved(Image.fromarray(_values(mode, *size)), lossless=lossless)
    header = read_header(data)
    with Image.open(io.BytesIO(data)) as image:
        assert (header.width, header.height) == image.size == size
        assert header.depth == (16 if image.mode == "I;16" else 8)
    assert header.lossy == (not lossless)
    assert not header.animated
    assert not header.has_jpeg


def _coded(*fields: tuple[int, int]) -> bytes:
    """Returns a file of fields, each (value, bits), the lowest bit first."""
    value, at = 0, 0
    for number, count in fields:
        value |= number << at
        at += count
    return b"\xff\x0a" + value.to_bytes(-(-at // 8), "little")


def test_what_would_take_too_much_memory_is_refused_before_it_is_decoded() -> None:
    side = (2, 2), (60_000 - 1, 18)
    large = _coded((0, 1), *side, (1, 3), (1, 1))
    assert read_header(large) == Header(60_000, 60_000)
    with pytest.raises(PhotoError, match="picture in memory has 3,600,000,000 pixels, more than the"):
        load_photo(large + bytes(50))


def test_an_animation_is_told() -> None:
    usual, orientation, no_size, no_preview = (0, 1), (0, 3), (0, 1), (0, 1)
    moving = _coded((1, 1), (7, 5), (1, 3), usual, (1, 1), orientation, no_size, no_preview, (1, 1))
    assert read_header(moving).animated
    with pytest.raises(PhotoError, match="several frames of an animation and realedit edits one picture"):
        load_photo(moving)


@pytest.mark.parametrize("data", [b"\xff\x0b", b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x09jxlc\xff"])
def test_a_file_without_a_picture_has_no_header(data: bytes) -> None:
    with pytest.raises(ValueError, match="without a picture"):
        read_header(data)


@pytest.mark.parametrize("name", ["420", "422-odd-progressive", "grey", "turned-6", "turned-7"])
def test_a_jpeg_inside_keeps_its_blocks(tmp_path: Path, jpegs: dict[str, bytes], name: str) -> None:
    photo_of_jpeg = load_photo(jpegs[name])
    (tmp_path / "photo.jxl").write_bytes(with_jpeg(jpegs[name], *photo_of_jpeg.size))
    photo = load_photo(tmp_path / "photo.jxl")
    assert photo.metadata.format == "JXL"
    np.testing.assert_array_equal(photo.rgb, photo_of_jpeg.rgb)  # a turned one is upright, too
    edited, region = _edited(photo)
    saved = save_measured(edited, tmp_path / "out.jxl", region)
    assert saved.figures["changed_outside_region"] == 0
    assert not saved.warnings
    again = load_photo(saved.path)
    assert np.abs(again.rgb[region].astype(int) - edited.rgb[region]).mean() < 20
    as_jpeg = save_measured(edited, tmp_path / "out.jpg", region)
    assert jpeg_inside(saved.path.read_bytes()) == as_jpeg.path.read_bytes()


def test_a_jpeg_becomes_jpeg_xl_without_loss_unless_a_quality_is_asked_for(
    tmp_path: Path, jpegs: dict[str, bytes]
) -> None:
    edited, region = _edited(load_photo(jpegs["420"]))
    saved = save_measured(edited, tmp_path / "out.jxl", region)
    assert saved.figures["changed_outside_region"] == 0
    assert saved.figures["file_bytes"] < len(jpegs["420"])
    rough = save_measured(edited, tmp_path / "rough.jxl", region, compression=Compression(quality=60))
    assert rough.figures["changed_outside_region"] > 0
    assert "JPEG XL is compressed with loss" in rough.warnings[0]


def test_a_lossy_photo_stays_lossy_and_a_lossless_one_lossless(tmp_path: Path) -> None:
    for lossless in (True, False):
        data = _saved(Image.fromarray(_values("RGB", 64, 96)), lossless=lossless)
        edited, region = _edited(load_photo(data))
        saved = save_measured(edited, tmp_path / f"{lossless}.jxl", region)
        assert (saved.figures["changed_outside_region"] == 0) == lossless
        assert bool(saved.warnings) != lossless
