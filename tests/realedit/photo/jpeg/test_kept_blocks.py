"""JPEG to the bit: blocks that an edit does not touch keep their coefficients, in files of every kind."""

from __future__ import annotations

import io
import os
import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jpeglib
import numpy as np
import pytest
from PIL import Image

from jpeg_files import every_kind, phone_tables
from realedit.photo import Photo, composite, load_photo
from realedit.photo.encode import Compression
from realedit.photo.encode_jpeg import encode_anew, reach
from realedit.photo.jpeg.coefficients import read_coefficients
from realedit.photo.jpeg.marker_segments import DHT, take_apart
from realedit.photo.save import save_measured
from realedit.system.library_messages import without_library_messages

MUG = Path(__file__).parents[4] / "examples" / "photos" / "mug.jpg"


def _picture() -> Image.Image:
    with Image.open(MUG) as image:
        return image.convert("RGB").resize((160, 120))


FILES = dict(every_kind(_picture()))


def _planes(data: bytes) -> list[np.ndarray]:
    """Read coefficients by jpeglib from the whole file, as another program would."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "one.jpg"
        path.write_bytes(data)
        read = jpeglib.read_dct(str(path))
        return [plane for plane in (read.Y, read.Cb, read.Cr, read.K) if plane is not None]


def _edited(photo: Photo) -> tuple[Photo, np.ndarray]:
    """Lay a piece of the photo, brightened, elsewhere in it, with a soft edge."""
    height, width = photo.rgb.shape[:2]
    alpha = np.zeros((height, width), np.float32)
    top, left = height // 3, width // 2
    high, wide = max(height // 5, 3), max(width // 6, 3)
    alpha[top : top + high, left : left + wide] = 1
    alpha[top + high, left : left + wide] = 0.4
    shifted = np.roll(photo.rgb, width // 4, axis=1)
    edited = np.clip(shifted.astype(int) + 30, 0, 255).astype(np.uint8)
    return composite(photo, edited, alpha), alpha > 0


def _lying(values: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an upright array as it lies in its file, by Pillow."""
    way = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = Image.fromarray(values)
    return np.asarray(image.transpose(way[orientation]) if orientation in way else image)


def test_there_are_sixty_kinds() -> None:
    assert len(FILES) >= 60


@pytest.mark.parametrize("name", FILES)
def test_blocks_outside_the_edit_are_the_files_own(tmp_path: Path, name: str) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(FILES[name])
    photo = load_photo(source)
    edited, region = _edited(photo)
    saved = save_measured(edited, tmp_path / "out.jpg", region)
    before, after = take_apart(FILES[name]), take_apart(saved.path.read_bytes())
    assert after.frame == before.frame
    assert {k: v.tolist() for k, v in after.tables.items()} == {
        k: v.tolist() for k, v in before.tables.items()
    }
    assert saved.figures["changed_outside_region"] == 0
    assert not saved.warnings

    assert photo.metadata.jpeg is not None
    lying = _lying(region, photo.metadata.jpeg.orientation)
    frame = before.frame
    changed = 0
    for component, old, new in zip(
        frame.components, _planes(FILES[name]), _planes(saved.path.read_bytes()), strict=True
    ):
        assert old.shape == new.shape
        for row, column in np.argwhere((old != new).any(axis=(2, 3))):
            high, wide = 8 * frame.down // component.down, 8 * frame.across // component.across
            assert lying[row * high : (row + 1) * high, column * wide : (column + 1) * wide].any()
            changed += 1
    assert changed > 0


@pytest.mark.parametrize("name", FILES)
def test_the_region_grows_by_less_than_a_unit_and_nothing_outside_it_looks_different(
    tmp_path: Path, name: str
) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(FILES[name])
    photo = load_photo(source)
    edited, region = _edited(photo)
    saved = save_measured(edited, tmp_path / "out.jpg", region)
    again = load_photo(saved.path)
    assert again.native.mode == photo.native.mode
    assert photo.metadata.jpeg is not None
    grown = reach(photo.metadata.jpeg, region)
    assert (grown | ~region).all()
    different = (again.rgb != photo.rgb).any(axis=-1)
    assert different[region].any()
    assert not (different & ~grown).any()
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    far = np.ones_like(region)
    most = 8 * max(take_apart(FILES[name]).frame.mcu) // 8 + 2
    far[max(rows[0] - most, 0) : rows[-1] + most, max(columns[0] - most, 0) : columns[-1] + most] = False
    assert not (grown & far).any()


@pytest.mark.parametrize("name", [name for name in FILES if "one-" not in name])
def test_the_edit_is_as_close_as_a_plain_encoder_with_the_same_tables_gets(tmp_path: Path, name: str) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(FILES[name])
    photo = load_photo(source)
    edited, region = _edited(photo)
    kept = load_photo(save_measured(edited, tmp_path / "out.jpg", region).path)
    file = encode_anew(edited.native.to_pillow(), photo.metadata, None)
    with Image.open(io.BytesIO(file)) as image:
        plain = np.asarray(image)
    inside = region
    wanted = edited.native.values[inside].astype(int)
    ours = np.abs(kept.native.values[inside] - wanted).mean()
    theirs = np.abs(plain[inside] - wanted).mean()
    # Pillow writes 4:1:1, 4:1:0 and 4:4:0 with full chroma, and YCCK as CMYK
    more = {"411": 6.0, "410": 6.0, "440": 6.0, "ycck": 1.5}.get(name.split("-")[0], 0.2)
    assert ours <= 1.1 * theirs + more


def test_an_edit_of_nothing_changes_no_coefficient(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / f"{name}.jpg").write_bytes(data)
        photo = load_photo(tmp_path / f"{name}.jpg")
        nothing = np.zeros(photo.rgb.shape[:2], bool)
        saved = save_measured(photo, tmp_path / f"{name}-out.jpg", nothing)
        for old, new in zip(_planes(data), _planes(saved.path.read_bytes()), strict=True):
            np.testing.assert_array_equal(old, new)
        # codes are made for the picture, so a file does not grow but by its mark of provenance
        assert len(saved.path.read_bytes()) <= len(data) + 1200, name


def test_the_turned_file_keeps_its_orientation_and_the_view_stays_upright(tmp_path: Path) -> None:
    for orientation in range(2, 9):
        path = tmp_path / f"{orientation}.jpg"
        path.write_bytes(FILES[f"turned-{orientation}"])
        photo = load_photo(path)
        edited, region = _edited(photo)
        saved = save_measured(edited, tmp_path / f"{orientation}-out.jpg", region)
        again = load_photo(saved.path)
        assert again.size == photo.size
        assert np.abs(again.rgb[region].astype(int) - edited.rgb[region]).mean() < 12
        with Image.open(saved.path) as image:
            exif = image.getexif()
            assert exif[0x0112] == orientation
            assert exif[0x010F] == "Acme"
            details = exif.get_ifd(0x8769)
            assert (details[0xA002], details[0xA003]) == image.size


def test_metadata_is_kept_beside_the_blocks(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(FILES["profile-and-comment"])
    edited, region = _edited(load_photo(path))
    saved = save_measured(edited, tmp_path / "out.jpg", region)
    with Image.open(saved.path) as image:
        assert image.info["icc_profile"] == b"\1" * 70_000
        assert image.info["comment"] == b"a comment"
        assert image.info["dpi"] == (72, 72)
        assert b"compositeWithTrainedAlgorithmicMedia" in image.info["xmp"]


def test_a_quality_is_encoded_anew_and_told(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(FILES["420"])
    edited, region = _edited(load_photo(path))
    saved = save_measured(edited, tmp_path / "out.jpg", region, compression=Compression(quality=70))
    with Image.open(saved.path) as image:
        tables: Any = image
        assert tables.quantization != {}
    assert saved.figures["changed_outside_region"] > 0
    (warning,) = saved.warnings
    assert "JPEG is compressed with loss, pixels that were not edited change by" in warning
    assert "save as .png to keep them" in warning
    assert "(the photo:" in warning


def test_a_jpeg_whose_coefficients_cannot_be_read_is_encoded_anew_and_told(tmp_path: Path) -> None:
    # tables that change between scans are a kind that is not followed
    data = FILES["420-progressive-30"]
    at = data.rindex(b"\xff\xda")
    table = b"\xff\xdb\x00\x43\x03" + bytes([9]) * 64
    path = tmp_path / "photo.jpg"
    path.write_bytes(data[:at] + table + data[at:])
    edited, region = _edited(load_photo(path))
    saved = save_measured(edited, tmp_path / "out.jpg", region)
    assert "own blocks cannot be kept (quantisation tables that change between scans)" in saved.warnings[0]


def test_phones_tables_are_none_that_libjpeg_makes() -> None:
    made: set[tuple[int, ...]] = set()
    for quality in range(1, 101):
        file = io.BytesIO()
        Image.new("RGB", (8, 8)).save(file, "JPEG", quality=quality)
        with Image.open(file) as image:
            tables: Any = image
            made |= {tuple(sorted(table)) for table in tables.quantization.values()}
    for tables in phone_tables().values():
        assert any(tuple(sorted(table)) not in made for table in tables)


def _bare(name: str = "420-odd") -> bytes:
    return FILES[name]


@pytest.mark.parametrize(
    "data",
    [_bare()[:-2] + b"\x55\x55\xff\xd9", _bare() + b"\0" * 99],
    ids=["bytes before the end", "padding"],
)
def test_a_file_that_others_read_with_a_shrug_keeps_its_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], data: bytes
) -> None:
    passing = tmp_path / "temporary"
    passing.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(passing))
    edited, region = _edited(load_photo(data))
    saved = save_measured(edited, tmp_path / "out.jpg", region)
    assert saved.figures["changed_outside_region"] == 0
    assert not saved.warnings
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")
    assert list(passing.iterdir()) == []


def test_what_other_threads_print_meanwhile_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with without_library_messages():
        os.write(2, b"realedit: a line of ours\nCorrupt JPEG data: 2 extraneous bytes\n  half a line")
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == "realedit: a line of ours\n  half a line"


def test_a_file_that_cannot_be_read_by_blocks_leaves_nothing_and_prints_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = take_apart(_bare())
    tables = [segment for segment in file.segments if segment.marker == DHT]
    without = tuple(segment for segment in file.segments if segment not in tables)
    with pytest.raises(ValueError, match="jpeglib cannot read it"):
        read_coefficients(replace(file, segments=without))
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_progressive_file_that_lacks_a_scan_is_told_to_look_different(tmp_path: Path) -> None:
    data = FILES["420-progressive-97"]
    starts = [found.start() for found in re.finditer(rb"\xff\xda", data)]
    # decoders smooth blocks whose finer frequencies are missing, by those beside them: it is one of the last
    photo = load_photo(data[: starts[2]] + b"\xff\xd9")
    edited, region = _edited(photo)
    saved = save_measured(edited, tmp_path / "out.jpg", region)
    assert saved.figures["changed_outside_region"] > 0
    assert any("look different where nothing was edited" in warning for warning in saved.warnings)


@pytest.mark.parametrize("flags", [[], ["+PROGRESSIVE_MODE"]], ids=["sequential", "progressive"])
def test_arithmetic_coding_keeps_its_blocks_in_huffmans(tmp_path: Path, flags: list[str]) -> None:
    path = tmp_path / "photo.jpg"
    with jpeglib.version("turbo210"):
        written: Any = jpeglib.from_spatial(np.asarray(_picture()))
        written.write_spatial(str(path), qt=82, flags=["+ARITH_CODE", *flags])
        before = _planes(path.read_bytes())
    assert take_apart(path.read_bytes()).frame.kind in (0xC9, 0xCA)
    edited, region = _edited(load_photo(path))
    saved = save_measured(edited, tmp_path / "out.jpg", region)
    assert saved.figures["changed_outside_region"] == 0
    assert not saved.warnings
    assert take_apart(saved.path.read_bytes()).frame.kind in (0xC1, 0xC2)
    frame = take_apart(path.read_bytes()).frame
    for component, old, new in zip(frame.components, before, _planes(saved.path.read_bytes()), strict=True):
        for row, column in np.argwhere((old != new).any(axis=(2, 3))):
            high, wide = 8 * frame.down // component.down, 8 * frame.across // component.across
            assert region[row * high : (row + 1) * high, column * wide : (column + 1) * wide].any()
