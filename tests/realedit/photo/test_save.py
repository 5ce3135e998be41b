"""Writing photos: bit-identical through the file outside the edit, whole files or none."""

import json
import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from realedit.errors import OutputExistsError, PhotoError, UsageError
from realedit.photo import Photo, composite, load_photo, save_photo

PALETTE = np.random.default_rng(5).integers(0, 256, (30, 3), np.uint8)


def _noise(*shape: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def _write(mode: str, path: Path) -> np.ndarray:
    """Write a photo of the mode as PNG or TIFF with libraries alone; return the values written."""
    if mode in ("RGB;16", "RGBA;16"):
        values = _noise(20, 31, len(mode) - 3, dtype=np.uint16)
        order = cv2.COLOR_RGB2BGR if mode == "RGB;16" else cv2.COLOR_RGBA2BGRA
        assert cv2.imwrite(str(path), cv2.cvtColor(values, order))
        return values
    if mode == "1":
        values = _noise(20, 31) > 127
        image = Image.fromarray(values)
    elif mode == "I;16":
        values = _noise(20, 31, dtype=np.uint16)
        image = Image.fromarray(values)
    elif mode.startswith("P"):
        values = _noise(20, 31) % 30
        image = Image.frombytes("P", (31, 20), values.tobytes())
        image.putpalette(PALETTE.tobytes())
    else:
        values = _noise(20, 31, len(mode)) if len(mode) > 1 else _noise(20, 31)
        image = Image.frombytes(mode, (31, 20), values.tobytes())
    image.save(path, transparency=bytes([0, 128]) if mode == "P transparent" else None)
    return values


def _edit(photo: Photo) -> tuple[Photo, np.ndarray]:
    alpha = np.zeros(photo.rgb.shape[:2], np.float32)
    alpha[5:14, 8:20] = np.linspace(0, 1, 9 * 12, dtype=np.float32).reshape(9, 12)
    return composite(photo, _noise(*photo.rgb.shape, seed=7), alpha), alpha == 0


def _photo(tmp_path: Path, name: str = "photo.png", **options: Any) -> Photo:
    Image.fromarray(_noise(20, 31, 3)).save(tmp_path / name, **options)
    return load_photo(tmp_path / name)


def _deep_values(path: Path) -> np.ndarray:
    decoded = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB if decoded.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


LOSSLESS = [
    *(
        (m, s)
        for m in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "RGB;16", "RGBA;16")
        for s in (".png", ".tif")
    ),
    ("P transparent", ".png"),
    ("CMYK", ".tif"),
]


@pytest.mark.parametrize(("mode", "suffix"), LOSSLESS)
def test_reloaded_samples_outside_the_edit_are_bit_identical(tmp_path: Path, mode: str, suffix: str) -> None:
    source = tmp_path / f"photo{suffix}"
    truth = _write(mode, source)
    edited, outside = _edit(load_photo(source))
    output = save_photo(edited, tmp_path / f"out{suffix}", recipe={"edit": "move"})
    if mode.startswith(("RGB;", "RGBA;")):
        written = _deep_values(output)
    else:
        with Image.open(source) as before, Image.open(output) as after:
            assert after.mode == before.mode
            assert after.info.get("transparency") == before.info.get("transparency")
            assert after.getpalette() == before.getpalette()
            written = np.asarray(after)
    np.testing.assert_array_equal(written[outside], truth[outside])
    np.testing.assert_array_equal(written, edited.native.values)
    assert (written != truth).any()


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [(m, ".webp") for m in ("1", "L", "LA", "P", "P transparent", "RGB", "RGBA")]
    + [(m, ".bmp") for m in ("1", "L", "P", "RGB")],
)
def test_webp_and_bmp_show_the_same_values(tmp_path: Path, mode: str, suffix: str) -> None:
    _write(mode, tmp_path / "photo.png")
    edited, outside = _edit(load_photo(tmp_path / "photo.png"))
    output = save_photo(edited, tmp_path / f"out{suffix}")
    with Image.open(tmp_path / "photo.png") as before, Image.open(output) as after:
        truth, written = np.asarray(before.convert("RGBA")), np.asarray(after.convert("RGBA"))
    np.testing.assert_array_equal(written[outside], truth[outside])
    assert (written != truth).any()


@pytest.mark.parametrize(("source", "target"), [("png", "tif"), ("tif", "png")])
@pytest.mark.parametrize("mode", ["RGB;16", "RGBA;16", "I;16"])
def test_16_bits_survive_a_change_of_format(tmp_path: Path, mode: str, source: str, target: str) -> None:
    truth = _write(mode, tmp_path / f"photo.{source}")
    output = save_photo(load_photo(tmp_path / f"photo.{source}"), tmp_path / f"out.{target}")
    np.testing.assert_array_equal(load_photo(output).native.values, truth)


@contextmanager
def _jpeg(path: Path) -> Generator[JpegImageFile]:
    with Image.open(path) as image:
        assert isinstance(image, JpegImageFile)
        yield image


@pytest.mark.parametrize(("quality", "subsampling"), [(35, 2), (80, 1), (97, 0)])
def test_jpeg_keeps_its_own_tables_and_subsampling(tmp_path: Path, quality: int, subsampling: int) -> None:
    photo = _photo(tmp_path, "photo.jpg", quality=quality, subsampling=subsampling, progressive=True)
    output = save_photo(_edit(photo)[0], tmp_path / "out.jpg")
    with _jpeg(tmp_path / "photo.jpg") as before, _jpeg(output) as after:
        assert after.quantization == before.quantization
        assert [c[1:3] for c in after.layer] == [c[1:3] for c in before.layer]
        assert after.info["progressive"]


def test_grey_and_cmyk_jpegs_stay_so(tmp_path: Path) -> None:
    for mode in ("L", "CMYK"):
        source = tmp_path / f"{mode}.jpg"
        Image.new(mode, (31, 20), 90 if mode == "L" else (10, 60, 90, 40)).save(source, quality=60)
        output = save_photo(_edit(load_photo(source))[0], tmp_path / f"{mode}-out.jpg")
        with _jpeg(source) as before, _jpeg(output) as after:
            assert after.mode == mode
            assert after.quantization == before.quantization
            far = np.abs(np.asarray(after).astype(int) - np.asarray(before))[16:, 24:]
            assert far.max() <= 3


def test_jpeg_from_another_format_is_quality_95_without_subsampling(tmp_path: Path) -> None:
    output = save_photo(_photo(tmp_path), tmp_path / "out.jpg")
    Image.fromarray(_noise(20, 31, 3)).save(tmp_path / "reference.jpg", quality=95, subsampling=0)
    with _jpeg(tmp_path / "reference.jpg") as expected, _jpeg(output) as written:
        assert written.quantization == expected.quantization
        assert written.layer == expected.layer


def test_heic_is_written_close_to_the_photo(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    ramp = np.repeat(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], 32, axis=0).repeat(3, axis=2)
    output = save_photo(load_photo(ramp), tmp_path / "out.heic")
    again = load_photo(output)
    assert np.abs(again.rgb.astype(int) - ramp).max() < 8
    assert b"compositeWithTrainedAlgorithmicMedia" in again.metadata.xmp


@pytest.mark.parametrize(
    ("mode", "suffix", "text"),
    [
        (
            "RGBA",
            ".jpg",
            "JPEG files have no transparency, and the photo is partly transparent; save as .png",
        ),
        (
            "P transparent",
            ".bmp",
            "BMP files have no transparency, and the photo is partly transparent; save as .png",
        ),
        ("CMYK", ".png", "PNG cannot hold the photo's CMYK; save as .jpg, .tif, .jp2"),
        ("RGB;16", ".jpg", "JPEG cannot hold the photo's 16 bits a channel; save as .png, .tif, .ppm"),
        ("I;16", ".webp", "WebP cannot hold the photo's 16 bits a channel; save as .png"),
        ("RGB", ".gif", "realedit does not write '.gif' files; use one of .jpg, .png, .tif"),
        ("RGB", "", "the output name has no suffix; use one of .jpg"),
    ],
)
def test_what_a_format_cannot_hold_is_told(tmp_path: Path, mode: str, suffix: str, text: str) -> None:
    source = tmp_path / ("photo.tif" if mode == "CMYK" else "photo.png")
    _write(mode, source)
    with pytest.raises(UsageError) as caught:
        save_photo(load_photo(source), tmp_path / f"out{suffix}")
    assert text in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == [source.name]


def test_opaque_alpha_may_become_jpeg(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 20), (9, 99, 200, 255)).save(tmp_path / "photo.png")
    output = save_photo(load_photo(tmp_path / "photo.png"), tmp_path / "out.jpg")
    assert np.abs(load_photo(output).rgb.astype(int) - [9, 99, 200]).max() <= 3


def test_a_side_longer_than_the_format_allows_is_told(tmp_path: Path) -> None:
    photo = load_photo(np.zeros((1, 16400, 3), np.uint8))
    with pytest.raises(UsageError, match="WebP files hold 16383 pixels a side at most, the photo has 16400"):
        save_photo(photo, tmp_path / "out.webp")


def test_an_existing_file_is_replaced_only_by_force(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    output = tmp_path / "out.png"
    output.write_bytes(b"precious")
    with pytest.raises(
        OutputExistsError, match=r"out\.png exists already; choose another name with -o, or --force"
    ):
        save_photo(photo, output)
    assert output.read_bytes() == b"precious"
    assert save_photo(photo, output, force=True) == output
    np.testing.assert_array_equal(load_photo(output).rgb, photo.rgb)


def test_the_source_photo_is_named_when_it_would_be_overwritten(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    before = (tmp_path / "photo.png").read_bytes()
    with pytest.raises(OutputExistsError, match="is the photo being edited"):
        save_photo(photo, tmp_path / ".." / tmp_path.name / "photo.png")
    assert (tmp_path / "photo.png").read_bytes() == before


def test_an_existing_sidecar_stops_the_photo_too(tmp_path: Path) -> None:
    sidecar = tmp_path / "out.png.realedit.json"
    sidecar.write_text("mine")
    with pytest.raises(OutputExistsError, match=r"out\.png\.realedit\.json exists already"):
        save_photo(_photo(tmp_path), tmp_path / "out.png", recipe={"edit": "move"})
    assert not (tmp_path / "out.png").exists()
    assert sidecar.read_text() == "mine"


def test_missing_folders_and_folders_as_outputs_are_told(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    with pytest.raises(UsageError, match=r"no such folder: .*nowhere; make it first"):
        save_photo(photo, tmp_path / "nowhere" / "out.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match=r"folder\.png is a folder; name a file in it"):
        save_photo(photo, tmp_path / "folder.png", force=True)


def test_a_failing_encoder_leaves_nothing(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    # Tables of the wrong length make Pillow's own JPEG encoder fail.
    broken = load_photo(tmp_path / "photo.png").metadata
    jpeg = load_photo(save_photo(photo, tmp_path / "good.jpg")).metadata.jpeg
    assert jpeg is not None
    metadata = replace(broken, jpeg=replace(jpeg, tables=((1, 2, 3),), file=b""))
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(PhotoError, match=r"out\.jpg could not be encoded .*; try \.png"):
        save_photo(replace(photo, metadata=metadata), tmp_path / "out.jpg", recipe={"edit": "move"})
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_a_full_disk_leaves_nothing_and_keeps_the_old_file(tmp_path: Path) -> None:
    import resource
    import signal

    photo = load_photo(_noise(200, 200, 3))
    output = tmp_path / "out.png"
    output.write_bytes(b"old")
    # A limit on file size makes real writes fail part-way, as a full disk does.
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        with pytest.raises(PhotoError, match=r"out\.png could not be written .*; check the folder"):
            save_photo(photo, output, force=True, recipe={"edit": "move"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert [p.name for p in tmp_path.iterdir()] == ["out.png"]
    assert output.read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(PhotoError, match="could not be written"):
        save_photo(photo, folder / "out.png")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_new_file_follows_the_umask_and_a_replaced_one_its_own_mode(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    old = os.umask(0o027)
    try:
        output = save_photo(photo, tmp_path / "out.png")
    finally:
        os.umask(old)
    assert stat.S_IMODE(output.stat().st_mode) == 0o640
    output.chmod(0o604)
    save_photo(photo, output, force=True)
    assert stat.S_IMODE(output.stat().st_mode) == 0o604


def test_outputs_through_a_link_leave_the_linked_photo_alone(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    before = (tmp_path / "photo.png").read_bytes()
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "photo.png")
    save_photo(_edit(photo)[0], link, force=True)
    assert (tmp_path / "photo.png").read_bytes() == before
    assert not link.is_symlink()


def test_only_the_photo_and_its_sidecar_are_written(tmp_path: Path) -> None:
    photo = load_photo(_noise(20, 31, 3))
    save_photo(photo, tmp_path / "out.png", recipe={"edit": "move", "seed": 3})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.png", "out.png.realedit.json"]
    assert json.loads((tmp_path / "out.png.realedit.json").read_text())["recipe"] == {
        "edit": "move",
        "seed": 3,
    }
    save_photo(photo, tmp_path / "bare.png", recipe={"edit": "move"}, sidecar=False)
    assert not (tmp_path / "bare.png.realedit.json").exists()
