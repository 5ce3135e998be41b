"""Reading photos of every kind, and telling what cannot be read."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin

from realedit.errors import PhotoError
from realedit.photo.photo import load_photo


def _noise(*shape: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def _deep_tiff(path: Path, values: np.ndarray) -> None:
    code = cv2.COLOR_RGB2BGR if values.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    assert cv2.imwrite(str(path), cv2.cvtColor(values, code))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_as_pillow_does_and_reset(tmp_path: Path, kind: str, orientation: int) -> None:
    path = tmp_path / "photo"
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Acme"
    options = {"lossless": True} if kind == "WEBP" else {}
    Image.fromarray(_noise(6, 9, 3)).save(path, kind, exif=exif, **options)
    photo = load_photo(path)
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(photo.rgb, upright)
    kept = Image.Exif()
    kept.load(photo.metadata.exif)
    assert kept.get(0x0112, 1) == 1
    assert kept[0x010F] == "Acme"


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_16_bit_colour(tmp_path: Path, suffix: str, orientation: int) -> None:
    values = _noise(6, 9, 3, dtype=np.uint16)
    path = tmp_path / f"deep{suffix}"
    if suffix == ".png":
        exif = Image.Exif()
        exif[0x0112] = orientation
        block = np.frombuffer(exif.tobytes().removeprefix(b"Exif\0\0"), np.uint8)
        done, data = cv2.imencodeWithMetadata(
            ".png", cv2.cvtColor(values, cv2.COLOR_RGB2BGR), [cv2.IMAGE_METADATA_EXIF], [block]
        )
        assert done
        path.write_bytes(data.tobytes())
    else:
        directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
        entries = {
            256: 9,
            257: 6,
            258: (16, 16, 16),
            259: 1,
            262: 2,
            273: 0,
            277: 3,
            278: 6,
            279: values.nbytes,
        }
        for tag, value in (entries | {274: orientation, 284: 1}).items():
            directory[tag] = value
        file = io.BytesIO()
        directory.save(file)
        path.write_bytes(file.getvalue() + values.tobytes())
    photo = load_photo(path)
    assert photo.native.mode == "RGB;16"
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    # Pillow keeps the upper 8 bits only.
    np.testing.assert_array_equal((photo.native.values >> 8).astype(np.uint8), upright)


def test_orientation_in_xmp_is_not_applied_twice(tmp_path: Path) -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" '
        b'tiff:Make="Acme"/></rdf:RDF></x:xmpmeta>'
    )
    path = tmp_path / "photo.jpg"
    Image.fromarray(_noise(6, 9, 3)).save(path, xmp=packet)
    photo = load_photo(path)
    assert photo.size == (6, 9)
    assert b"Orientation" not in photo.metadata.xmp
    assert b'tiff:Make="Acme"' in photo.metadata.xmp


def test_size_in_exif_follows_the_turn_and_the_thumbnail_is_dropped(tmp_path: Path) -> None:
    small = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(small, "JPEG")
    exif = Image.Exif()
    exif[0x0112] = 6
    details = exif.get_ifd(0x8769)
    details.update({0xA002: 9, 0xA003: 6, 0x927C: b"maker note"})
    block = exif.tobytes()
    # Append an IFD1 with a thumbnail, as cameras write it: Pillow's own writer never does.
    tiff = bytearray(block.removeprefix(b"Exif\0\0"))
    count = struct.unpack(">H", tiff[8:10])[0]
    tiff[10 + 12 * count : 14 + 12 * count] = struct.pack(">I", len(tiff))
    at = len(tiff) + 2 + 2 * 12 + 4
    tiff += struct.pack(">HHHIIHHIII", 2, 0x201, 4, 1, at, 0x202, 4, 1, len(small.getvalue()), 0)
    block = b"Exif\0\0" + bytes(tiff) + small.getvalue()
    check = Image.Exif()
    check.load(block)
    assert check.get_ifd(ExifTags.IFD.IFD1)[0x202] == len(small.getvalue())

    path = tmp_path / "photo.jpg"
    Image.fromarray(_noise(6, 9, 3)).save(path, exif=block)
    kept = Image.Exif()
    metadata = load_photo(path).metadata
    kept.load(metadata.exif)
    assert not kept.get_ifd(ExifTags.IFD.IFD1)
    assert small.getvalue() not in metadata.exif
    assert kept.get_ifd(0x8769) == {0xA002: 6, 0xA003: 9, 0x927C: b"maker note"}


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_colour_is_read_without_loss(tmp_path: Path, suffix: str, channels: int) -> None:
    values = _noise(7, 5, channels, dtype=np.uint16)
    path = tmp_path / f"deep{suffix}"
    _deep_tiff(path, values)
    photo = load_photo(path)
    np.testing.assert_array_equal(photo.native.values, values)
    assert np.abs(photo.rgb.astype(float) * 257 - values[..., :3]).max() <= 128


def test_16_bit_grey_is_read_without_loss(tmp_path: Path) -> None:
    values = _noise(7, 5, dtype=np.uint16)
    for name in ("grey.png", "grey.tif"):
        Image.fromarray(values).save(tmp_path / name)
        photo = load_photo(tmp_path / name)
        assert photo.native.mode == "I;16"
        np.testing.assert_array_equal(photo.native.values, values)


def test_16_bit_colour_that_pillow_has_opened_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    _deep_tiff(path, _noise(7, 5, 3, dtype=np.uint16))
    with Image.open(path) as image, pytest.raises(PhotoError, match="8 bits; pass the file's path"):
        load_photo(image)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_transparent_colour_becomes_an_alpha_channel(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (2, 1), 7 if mode == "L" else (7, 7, 7))
    image.putpixel((1, 0), 9 if mode == "L" else (9, 9, 9))
    image.save(tmp_path / "keyed.png", transparency=7 if mode == "L" else (7, 7, 7))
    photo = load_photo(tmp_path / "keyed.png")
    assert photo.native.alpha is not None
    np.testing.assert_array_equal(photo.native.alpha, [[0, 255]])
    np.testing.assert_array_equal(photo.rgb[0, :, 0], [7, 9])


def test_heic_is_read_upright(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    ramp = np.repeat(np.linspace(0, 255, 64, dtype=np.uint8)[None, :], 32, axis=0)
    image = Image.fromarray(np.stack([ramp] * 3, axis=-1))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Acme"
    path = tmp_path / "photo.heic"
    heif.from_pillow(image).save(path, quality=95, exif=exif.tobytes())
    photo = load_photo(path)
    assert photo.metadata.format == "HEIF"
    kept = Image.Exif()
    kept.load(photo.metadata.exif)
    assert kept.get(0x0112, 1) == 1
    assert kept[0x010F] == "Acme"
    # Turned clockwise the ramp runs downwards.
    assert photo.size == (32, 64)
    assert np.abs(photo.rgb[:, 16, 0].astype(int) - ramp[0]).max() < 12


def test_a_10_bit_heic_keeps_its_depth(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    ramp = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None, :], 32, axis=0)
    data = np.stack([ramp] * 3, axis=-1)
    path = tmp_path / "photo.heic"
    heif.from_bytes("RGB;16", (64, 32), data.tobytes()).save(path, quality=95)
    photo = load_photo(path)
    assert photo.native.mode == "RGB;16"
    assert np.abs(photo.native.values.astype(int) - data).max() < 65535 * 0.05


def test_arrays_and_pillow_images_are_photos_too() -> None:
    array = _noise(4, 5, 3)
    photo = load_photo(array)
    array[:] = 0
    assert photo.rgb.any()
    same = load_photo(Image.fromarray(photo.rgb))
    assert same.digest() == photo.digest()
    assert (photo.width, photo.height, photo.size) == (5, 4, (5, 4))


def test_digest_depends_on_pixels_and_shape() -> None:
    flat = np.zeros((2, 6, 3), np.uint8)
    digests = {load_photo(a).digest() for a in (flat, flat.reshape(3, 4, 3), flat + 1)}
    assert len(digests) == 3


def _write_truncated(path: Path, kind: str) -> None:
    file = io.BytesIO()
    Image.fromarray(_noise(64, 64, 3)).save(file, kind)
    path.write_bytes(file.getvalue()[: len(file.getvalue()) // 2])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"])
def test_truncated_files_are_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cut"
    _write_truncated(path, kind)
    with pytest.raises(PhotoError) as caught:
        load_photo(path)
    assert "cut" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_16_bit_png_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    _deep_tiff(path, _noise(64, 64, 3, dtype=np.uint16))
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(PhotoError, match=r"cut\.png is damaged or truncated .*copy or export it again"):
        load_photo(path)


def _bomb_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_decompression_bombs_are_told_with_their_size(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_bomb_png(side, side))
    with pytest.raises(PhotoError) as caught:
        load_photo(path)
    text = str(caught.value)
    assert f"bomb.png has {side * side:,} pixels, more than the 89,478,485" in text
    assert "shrink it" in text


def test_missing_empty_and_foreign_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("not a photo")
    (tmp_path / "drawing.svg").write_text("<svg/>")
    for name, text in {
        "none.jpg": "no such file: ",
        "empty.jpg": "is empty; copy or export it again",
        "text.jpg": "text.jpg is not an image that realedit reads; it reads JPEG, PNG",
        "drawing.svg": "drawing.svg is not an image that realedit reads",
        "": "is a folder, not a photo",
    }.items():
        with pytest.raises(PhotoError) as caught:
            load_photo(tmp_path / name)
        assert text in str(caught.value)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_several_pictures_in_one_file_are_told(tmp_path: Path, kind: str) -> None:
    frames = [Image.fromarray(_noise(8, 8, 3, seed=i)) for i in range(3)]
    path = tmp_path / "many"
    frames[0].save(path, kind, save_all=True, append_images=frames[1:])
    what = "3 pages" if kind == "TIFF" else "3 frames of an animation"
    with pytest.raises(PhotoError, match=f"many holds {what} and realedit edits one picture; save the one"):
        load_photo(path)


def test_a_tiff_with_a_reduced_copy_is_one_picture(tmp_path: Path) -> None:
    main, small = Image.fromarray(_noise(8, 8, 3)), Image.fromarray(_noise(2, 2, 3))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    path = tmp_path / "photo.tif"
    main.save(path, save_all=True, append_images=[small])
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 0) == 2
    np.testing.assert_array_equal(load_photo(path).rgb, np.asarray(main))


def test_a_phone_photo_with_a_second_picture_is_its_first(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    path = tmp_path / "phone.jpg"
    first.save(path, "MPO", save_all=True, append_images=[second])
    photo = load_photo(path)
    assert photo.metadata.format == "JPEG"
    assert photo.metadata.jpeg is not None
    assert photo.rgb[8, 8, 0] > 200


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_modes_that_cannot_be_kept_are_told(mode: str) -> None:
    with pytest.raises(PhotoError, match=f"Pillow mode {mode}.*convert it to 8-bit or 16-bit"):
        load_photo(Image.new(mode, (3, 3)))


def test_camera_raw_is_told(tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    Image.new("RGB", (8, 8)).save(path, "TIFF", tiffinfo={254: 1})
    with pytest.raises(PhotoError, match="camera RAW file; develop it"):
        load_photo(path)


def test_wrong_arrays_are_told() -> None:
    for array in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(PhotoError, match=r"uint8 \[H, W, 3\]"):
            load_photo(array)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"])
def test_damaged_bytes_never_escape_as_another_error(tmp_path: Path, kind: str) -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if kind in ("BMP", "GIF") else {"exif": exif}
    Image.fromarray(_noise(16, 16, 3)).save(file, kind, **options)
    clean = np.frombuffer(file.getvalue(), np.uint8)
    random = np.random.default_rng(3)
    refused = 0
    for _ in range(150):
        data = clean.copy()
        spots = random.integers(0, min(len(data), 300), 4)
        data[spots] = random.integers(0, 256, 4)
        path = tmp_path / "damaged"
        path.write_bytes(data.tobytes())
        try:
            load_photo(path)
        except PhotoError:
            refused += 1
    assert refused > 0
