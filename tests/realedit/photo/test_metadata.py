"""Metadata through the file: EXIF, ICC, IPTC, resolution and text, across every change of format."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, PngImagePlugin

from realedit.errors import PhotoError
from realedit.photo import Photo, load_photo, save_photo
from realedit.photo.metadata import clean_xmp

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _noise(*shape: int, dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def _photo(tmp_path: Path, name: str = "photo.png", **options: Any) -> Photo:
    Image.fromarray(_noise(20, 31, 3)).save(tmp_path / name, **options)
    return load_photo(tmp_path / name)


def _deep_values(path: Path) -> np.ndarray:
    decoded = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB if decoded.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "Acme"
    exif[0x9C9B] = b"t\0\0\0"
    exif.get_ifd(0x8769).update(
        {0x9003: "2024:05:06 07:08:09", 0x927C: b"maker note", 0x9286: b"ASCII\0\0\0hi"}
    )
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 1.5)})
    return exif


@pytest.mark.parametrize("target", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("source", [".jpg", ".png", ".tif", ".webp"])
def test_metadata_survives_every_change_of_format(tmp_path: Path, source: str, target: str) -> None:
    dpi = {} if source == ".webp" else {"dpi": (300, 150)}
    photo = _photo(tmp_path, f"photo{source}", exif=_exif().tobytes(), icc_profile=ICC, **dpi)
    output = save_photo(photo, tmp_path / f"out{target}")
    with Image.open(output) as image:
        exif = image.getexif()
        assert image.info["icc_profile"] == ICC
        if dpi and target != ".webp":
            assert tuple(float(v) for v in image.info["dpi"]) == pytest.approx((300, 150), abs=0.02)
        assert exif[0x010F] == "Acme"
        assert exif[0x9C9B] == b"t\0\0\0"
        details = exif.get_ifd(0x8769)
        assert (details[0x9003], details[0x927C], details[0x9286]) == (
            "2024:05:06 07:08:09",
            b"maker note",
            b"ASCII\0\0\0hi",
        )
        assert exif.get_ifd(0x8825) == {1: "N", 2: (52.0, 30.0, 1.5)}


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_colour_keeps_metadata(tmp_path: Path, suffix: str) -> None:
    assert cv2.imwrite(str(tmp_path / "photo.png"), _noise(20, 31, 4, dtype=np.uint16))
    photo = load_photo(tmp_path / "photo.png")
    metadata = replace(photo.metadata, exif=_exif().tobytes(), icc=ICC, dpi=(300.0, 150.0))
    output = save_photo(replace(photo, metadata=metadata), tmp_path / f"out{suffix}")
    again = load_photo(output)
    np.testing.assert_array_equal(again.native.values, photo.native.values)
    assert again.metadata.icc == ICC
    assert again.metadata.dpi == pytest.approx((300, 150), abs=0.02)
    exif = Image.Exif()
    exif.load(again.metadata.exif)
    assert exif[0x010F] == "Acme"
    assert exif.get_ifd(0x8769)[0x927C] == b"maker note"
    assert b"compositeWithTrainedAlgorithmicMedia" in again.metadata.xmp


def test_png_keeps_gamma_and_text(tmp_path: Path) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"gAMA", (100_000).to_bytes(4, "big"))
    chunks.add_text("Author", "Ada")
    chunks.add_itxt("Title", "Tässe", "de", "Titel")
    output = save_photo(_photo(tmp_path, pnginfo=chunks), tmp_path / "out.png")
    with Image.open(output) as image:
        assert image.info["gamma"] == 1.0
        assert (image.info["Author"], image.info["Title"]) == ("Ada", "Tässe")


def test_jpeg_keeps_iptc_and_comment(tmp_path: Path) -> None:
    record = b"\x1c\x02\x78\x00\x07caption"
    body = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(record).to_bytes(4, "big") + record
    segment = b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
    photo = _photo(tmp_path, "photo.jpg", extra=segment, comment=b"by hand")
    with Image.open(save_photo(photo, tmp_path / "out.jpg")) as image:
        assert image.info["photoshop"][0x0404] == record
        assert image.info["comment"] == b"by hand"


def test_a_grey_profile_is_left_out_of_rgb(tmp_path: Path) -> None:
    grey = bytearray(ICC)
    grey[16:20] = b"GRAY"
    Image.fromarray(_noise(20, 31)).save(tmp_path / "photo.png", icc_profile=bytes(grey))
    photo = load_photo(tmp_path / "photo.png")
    with Image.open(save_photo(photo, tmp_path / "out.png")) as image:
        assert image.info["icc_profile"] == bytes(grey)
    with Image.open(save_photo(photo, tmp_path / "out.webp")) as image:
        assert "icc_profile" not in image.info


def test_what_only_the_old_picture_had_is_not_announced(tmp_path: Path) -> None:
    """A motion photo's video, a gain map, Photoshop's layers and thumbnail."""
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"'
        b' xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        b' xmlns:Container="http://ns.google.com/photos/1.0/container/"'
        b' GCamera:MotionPhoto="1" hdrgm:Version="1.0" dc:format="image/jpeg">'
        b"<Container:Directory><rdf:Seq><rdf:li>GainMap</rdf:li></rdf:Seq></Container:Directory>"
        b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    cleaned = clean_xmp(packet)
    for gone in (b"MotionPhoto=", b"hdrgm:Version", b"GainMap<"):
        assert gone in packet
        assert gone not in cleaned
    assert b"image/jpeg" in cleaned
    layered = tmp_path / "layered.tif"
    tags = [(37724, 7, 9, b"OLDLAYERS", True), (34377, 7, 8, b"OLDTHUMB", True), (315, 2, 4, "Ann", True)]
    tifffile.imwrite(layered, np.full((8, 8, 3), 90, np.uint8), photometric="rgb", extratags=tags)
    save_photo(load_photo(layered), tmp_path / "out.tif")
    saved = (tmp_path / "out.tif").read_bytes()
    assert b"OLD" in layered.read_bytes()
    assert b"OLD" not in saved
    assert b"Ann" in saved


def test_16_bit_grey_with_white_at_zero_is_no_negative(tmp_path: Path) -> None:
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    tifffile.imwrite(tmp_path / "white.tif", 65535 - values, photometric="miniswhite")
    photo = load_photo(tmp_path / "white.tif")
    save_photo(photo, tmp_path / "out.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), values)


def test_16_bit_colour_in_planes_is_refused(tmp_path: Path) -> None:
    planes = np.arange(3 * 64, dtype=np.uint16).reshape(3, 8, 8)
    tifffile.imwrite(tmp_path / "planes.tif", planes, photometric="rgb", planarconfig="separate")
    with pytest.raises(PhotoError, match="channels lie apart"):
        load_photo(tmp_path / "planes.tif")


@pytest.mark.parametrize("form", ["<a:b><rdf:Bag><rdf:li>{}</rdf:li></rdf:Bag></a:b>", "{}"])
def test_an_orientation_that_is_not_xmps_own_turns_nothing(tmp_path: Path, form: str) -> None:
    said = form.format("<tiff:Orientation>6</tiff:Orientation>")
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:a="urn:a" xmlns:tiff="urn:not-tiff">{said}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()
    photo = load_photo(np.zeros((20, 36, 3), np.uint8))
    told = replace(photo, metadata=replace(photo.metadata, xmp=clean_xmp(packet)))
    for suffix in (".jpg", ".png", ".webp", ".tif"):
        assert load_photo(save_photo(told, tmp_path / f"out{suffix}")).size == (36, 20)
