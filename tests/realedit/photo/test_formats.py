"""Formats are told by content, and written as the photo's own file is compressed unless somebody asks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from realedit.errors import PhotoError, UsageError
from realedit.photo import composite, load_photo
from realedit.photo.encode import Compression
from realedit.photo.formats import FORMATS, SUFFIXES, format_for, has_gain_map, own_suffix, sniff
from realedit.photo.save import Saved, save_measured

NAMES = {"JPEG": "JPEG", "PNG": "PNG", "TIFF": "TIFF", "WEBP": "WEBP", "AVIF": "AVIF", "GIF": "GIF"}
NAMES |= {"BMP": "BMP", "JPEG2000": "JPEG2000", "TGA": "TGA", "PPM": "PPM"}


def _picture() -> np.ndarray:
    ramp = np.add.outer(np.arange(80), np.arange(120))
    noise = np.random.default_rng(1).integers(0, 12, (80, 120, 3))
    return (np.stack([ramp, 200 - ramp, ramp // 2 + 40], axis=-1) + noise).clip(0, 255).astype(np.uint8)


def _bytes(kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(_picture()).save(file, kind, **options)
    return file.getvalue()


def _saved(path: Path, out: Path, compression: Compression = Compression()) -> Saved:
    photo = load_photo(path)
    alpha = np.zeros(photo.rgb.shape[:2], np.float32)
    alpha[20:50, 30:70] = 1
    edited = composite(photo, np.roll(photo.rgb, 40, axis=1), alpha)
    return save_measured(edited, out, alpha > 0, compression=compression)


@pytest.mark.parametrize("kind", NAMES)
def test_content_decides_what_a_file_is(tmp_path: Path, kind: str) -> None:
    data = _bytes(kind)
    assert sniff(data[:64]) == kind
    path = tmp_path / "photo.txt"
    path.write_bytes(data)
    photo = load_photo(path)
    assert photo.metadata.format == kind
    lossy = kind in ("JPEG", "WEBP", "AVIF", "GIF")
    assert np.abs(photo.rgb.astype(int) - _picture()).mean() <= (12 if lossy else 0)


def test_what_is_no_picture_is_none() -> None:
    for head in (b"", b"plain text, longer than the header of a TGA", bytes(64), b"%PDF-1.7\n" + bytes(60)):
        assert sniff(head) is None
    assert sniff(b"\0\0\0\x18ftypheic") == "HEIF"
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "AVIF"
    assert sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == "HEIF"
    assert sniff(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom") is None
    assert sniff(b"\xff\x0a\x89A") == "JXL"


def test_suffixes_name_formats_and_the_usual_one_comes_first() -> None:
    assert format_for(".JFIF") == format_for(".jpe") == format_for(".mpo") == "JPEG"
    assert {SUFFIXES[form.suffixes[0]] for form in FORMATS.values()} == set(FORMATS)
    assert own_suffix("JPEG", Path("a.jfif")) == ".jfif"
    assert own_suffix("PNG", Path("a.jpg")) == ".png"
    assert own_suffix("GIF", Path("a.gif")) == ".png"
    assert own_suffix(None, Path("a.TIF")) == ".TIF"


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_a_lossy_file_stays_lossy_and_small_and_is_told(tmp_path: Path, kind: str) -> None:
    suffix = FORMATS[kind].suffixes[0]
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(_bytes(kind, quality=80))
    saved = _saved(path, tmp_path / f"out{suffix}")
    (warning,) = saved.warnings
    assert f"{FORMATS[kind].name} is compressed with loss, pixels that were not edited change by" in warning
    assert "--lossless (lossless=True) keeps them" in warning
    assert "kB (the photo:" in warning
    assert saved.figures["changed_outside_region"] > 0
    exact = _saved(path, tmp_path / f"exact{suffix}", Compression(lossless=True))
    assert not exact.warnings
    assert exact.figures["changed_outside_region"] == 0
    assert exact.figures["file_bytes"] > 1.3 * saved.figures["file_bytes"]
    rough = _saved(path, tmp_path / f"rough{suffix}", Compression(quality=20))
    assert rough.figures["file_bytes"] < saved.figures["file_bytes"]


@pytest.mark.parametrize("suffix", [".webp", ".avif"])
def test_a_lossless_photo_becomes_a_lossless_file(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "photo.png").write_bytes(_bytes("PNG"))
    saved = _saved(tmp_path / "photo.png", tmp_path / f"out{suffix}")
    assert saved.figures["changed_outside_region"] == 0
    assert not saved.warnings
    assert not load_photo(saved.path).metadata.lossy


def test_jpeg_xl_is_read_and_written(tmp_path: Path) -> None:
    pytest.importorskip("pillow_jxl")
    (tmp_path / "photo.png").write_bytes(_bytes("PNG"))
    saved = _saved(tmp_path / "photo.png", tmp_path / "out.jxl")
    assert saved.figures["changed_outside_region"] == 0
    again = load_photo(saved.path)
    assert again.metadata.format == "JXL"
    assert b"compositeWithTrainedAlgorithmicMedia" in again.metadata.xmp


def test_what_a_compression_cannot_do_is_told(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(_bytes("PNG"))
    with pytest.raises(UsageError, match="PNG files have no quality: they lose nothing"):
        _saved(tmp_path / "photo.png", tmp_path / "out.png", Compression(quality=80))
    with pytest.raises(UsageError, match=r"HEIC files are not written without loss; save as \.png"):
        _saved(tmp_path / "photo.png", tmp_path / "out.heic", Compression(lossless=True))
    with pytest.raises(UsageError, match="contradict each other"):
        Compression(quality=80, lossless=True)
    assert Compression(quality=80).where_possible("PNG") == Compression()
    assert Compression(lossless=True).where_possible("WEBP") == Compression(lossless=True)


def test_what_a_format_does_not_hold_is_told(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Acme"
    (tmp_path / "photo.jpg").write_bytes(_bytes("JPEG", exif=exif, icc_profile=b"\1" * 200))
    saved = _saved(tmp_path / "photo.jpg", tmp_path / "out.bmp")
    assert saved.warnings == ("BMP files do not hold the photo's EXIF and colour profile",)


def test_more_bits_than_are_read_are_told_or_refused(tmp_path: Path) -> None:
    deep = _picture().astype(np.uint16) * 257
    done, data = cv2.imencode(".avif", _picture().astype(np.uint16) * 4, [cv2.IMWRITE_AVIF_DEPTH, 10])
    assert done
    (tmp_path / "ten.avif").write_bytes(data.tobytes())
    assert load_photo(tmp_path / "ten.avif").metadata.warnings == (
        "the AVIF's 10 bits a channel are read as 8",
    )
    assert cv2.imwrite(str(tmp_path / "deep.jp2"), deep[..., ::-1])
    with pytest.raises(PhotoError, match="JPEG 2000 of more than 8 bits a channel, which is cut to 8"):
        load_photo(tmp_path / "deep.jp2")
    assert cv2.imwrite(str(tmp_path / "deep.ppm"), deep[..., ::-1])
    photo = load_photo(tmp_path / "deep.ppm")
    assert photo.native.mode == "RGB;16"
    np.testing.assert_array_equal(photo.native.values, deep)
    (tmp_path / "ten.ppm").write_bytes(b"P6\n2 1\n1023\n" + bytes(12))
    with pytest.raises(PhotoError, match="this PPM of more than 8 bits a channel"):
        load_photo(tmp_path / "ten.ppm")


def test_further_pictures_of_a_heic_are_told(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    both = heif.from_pillow(Image.fromarray(_picture()))
    both.add_from_pillow(Image.fromarray(255 - _picture()))
    both.save(tmp_path / "two.heic", quality=90)
    photo = load_photo(tmp_path / "two.heic")
    assert photo.metadata.warnings == ("left out of the edited photo: 1 further picture in its file",)
    heif.from_pillow(Image.fromarray(_picture())).save(tmp_path / "one.heic", quality=90)
    assert load_photo(tmp_path / "one.heic").metadata.warnings == ()


def test_a_heic_of_ten_bits_stays_one_and_sixteen_are_told(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    ten = _picture().astype(np.uint16) << 8
    heif.from_bytes("RGB;16", (120, 80), ten.tobytes()).save(tmp_path / "photo.heic", quality=95)
    saved = _saved(tmp_path / "photo.heic", tmp_path / "out.heic")
    assert len(saved.warnings) == 1  # of the loss
    again = load_photo(saved.path)
    assert again.native.mode == "RGB;16"
    assert (
        np.abs(again.native.values.astype(int) - load_photo(tmp_path / "photo.heic").native.values)[
            60:
        ].mean()
        < 400
    )
    assert cv2.imwrite(str(tmp_path / "photo.png"), ten[..., ::-1])
    saved = _saved(tmp_path / "photo.png", tmp_path / "deep.heic")
    assert "HEIC files are written with 10 of the photo's 16 bits a channel" in saved.warnings


def test_a_grey_jpeg_xl_has_no_profile_to_lose(tmp_path: Path) -> None:
    pytest.importorskip("pillow_jxl")
    Image.fromarray(_picture()[..., 0]).save(tmp_path / "photo.jxl", lossless=True)
    assert _saved(tmp_path / "photo.jxl", tmp_path / "out.jxl").warnings == ()


@pytest.mark.parametrize(
    ("brands", "told"), [(b"avifmif1tmap", True), (b"heicmif1tmap", True), (b"avifmif1", False)]
)
def test_a_gain_map_of_the_isos_is_known_by_the_files_brands(brands: bytes, told: bool) -> None:
    head = b"ftyp" + brands[:4] + bytes(4) + brands
    data = (len(head) + 4).to_bytes(4, "big") + head + b"tmap in what follows is no brand"
    assert has_gain_map(data) == told
