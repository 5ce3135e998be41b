"""What leaves the machine: no path of it in any result, and nothing of the photo that is to be left out."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from realedit.cli.main import main
from realedit.photo import load_photo, xmp
from realedit.photo.stripping import without_metadata, without_places

BOX = ("--box", "0.25,0.4,0.45,0.7", "--dx", "0.1", "--no-cache", "--strength", "0", "-q")
SECRET = "very-secret-folder"


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x013B] = "Acme", "Jane Doe"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 1.5), 3: "E", 4: (13.0, 24.0, 5.5)})
    return exif.tobytes()


def _packet() -> bytes:
    packet = b""
    for namespace, prefix, local, value in (
        ("http://ns.adobe.com/exif/1.0/", "exif", "GPSLatitude", "52,30.25N"),
        ("http://ns.adobe.com/photoshop/1.0/", "photoshop", "City", "Neverland"),
        ("http://purl.org/dc/elements/1.1/", "dc", "source", "my camera"),
    ):
        packet = xmp.set_property(packet, xmp.Name(namespace, prefix, local), value)
    return packet


def _iptc() -> bytes:
    sets = ((2, 90, b"Neverland"), (2, 120, b"A caption"), (2, 101, b"Nowhere"), (2, 80, b"Jane Doe"))
    return b"".join(
        struct.pack(">BBBH", 0x1C, record, number, len(text)) + text for record, number, text in sets
    )


@pytest.fixture
def folder(tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / SECRET
    place.mkdir()
    monkeypatch.chdir(place)
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Jane Doe")
    text.add_itxt("XML:com.adobe.xmp", _packet().decode())
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(_iptc())) + _iptc() + b"\0" * (len(_iptc()) % 2)
    block = b"Photoshop 3.0\0" + resource
    segment = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    with Image.open(sample) as photo:
        small = photo.convert("RGB").resize((240, 160), Image.Resampling.LANCZOS)
    small.save("photo.png", exif=_exif(), pnginfo=text, dpi=(300, 300))
    small.save(
        "photo.jpg", exif=_exif(), xmp=_packet(), comment=b"by Jane Doe", extra=segment, dpi=(300, 300)
    )
    mask = Image.new("L", (240, 160))
    mask.paste(255, (60, 64, 108, 112))
    mask.save("mask.png")
    return place


def test_no_result_holds_a_path_of_the_machine(folder: Path) -> None:
    photo, mask, other = (str(folder / name) for name in ("photo.png", "mask.png", "photo.jpg"))
    edits = [{"move": None, "dx": 0.1}, {"reshape": None, "shape": mask}, {"paste": "mug", "from": other}]
    Path("edits.json").write_text(json.dumps(edits[:2]))
    words = ("--no-cache", "--strength", "0", "--report", "-q", "--allow-crop")
    assert (
        main(
            [
                photo,
                "--mask",
                mask,
                "--edits",
                str(folder / "edits.json"),
                "-o",
                str(folder / "a.jpg"),
                *words,
            ]
        )
        == 0
    )
    assert main([photo, *BOX, "-o", str(folder / "b.webp"), "--report"]) == 0
    assert main(["locate", photo, "--mask", mask, "-o", str(folder / "found"), "-q"]) == 0
    assert main(["cutout", photo, "--mask", mask, "-o", str(folder / "cut.png"), "-q"]) == 0
    written = [file for file in folder.rglob("*") if file.is_file() and file.stat().st_size]
    results = [
        file for file in written if file.name not in ("photo.png", "photo.jpg", "mask.png", "edits.json")
    ]
    assert len(results) == 2 * 4 + 3 + 1
    for file in results:
        data = file.read_bytes()
        assert SECRET.encode() not in data, file
        assert str(Path.home()).encode() not in data or str(Path.home()) == "/", file
        assert SECRET.encode("utf-16-le") not in data, file


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg"])
def test_places_or_all_that_a_photo_says_are_left_out(folder: Path, name: str) -> None:
    outputs = {}
    for flag in ("--force", "--strip-gps", "--strip-metadata"):
        out = f"out{flag}{Path(name).suffix}"
        assert main([name, *BOX, "-o", out, flag]) == 0
        outputs[flag] = Path(out).read_bytes()
    kept, placeless, bare = outputs.values()
    for where in (b"Neverland", b"52,30.25N"):
        assert where in kept
        assert where not in placeless
        assert where not in bare
    for who in (b"Jane Doe", b"my camera", b"Acme"):
        assert who in kept
        assert who in placeless
        assert who not in bare
    for data, has_gps in ((kept, True), (placeless, False), (bare, False)):
        with Image.open(io.BytesIO(data)) as image:
            assert bool(image.getexif().get_ifd(0x8825)) == has_gps
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert b"compositeWithTrainedAlgorithmicMedia" in bare
    # the pixels are the same
    pictures = [load_photo(Path(f"out{flag}{Path(name).suffix}")).rgb.tobytes() for flag in outputs]
    assert len(set(pictures)) == 1


def test_of_iptc_the_places_are_left_out_and_the_rest_stays(folder: Path) -> None:
    photo = load_photo("photo.jpg")
    assert photo.metadata.iptc == _iptc()
    left = without_places(photo).metadata.iptc
    assert b"A caption" in left
    assert b"Jane Doe" in left
    assert b"Neverland" not in left
    assert b"Nowhere" not in left
    bare = without_metadata(photo).metadata
    assert (bare.exif, bare.xmp, bare.iptc, bare.comment) == (b"",) * 4
