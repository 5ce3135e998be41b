"""Provenance read back from real files, and XMP packets that keep what they held."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from realedit.errors import UsageError
from realedit.photo import load_photo, save_photo, xmp
from realedit.photo.provenance import (
    COMPOSITE_WITH_TRAINED_MEDIA,
    DIGITAL_SOURCE_TYPE,
    RECIPE,
    mark_packet,
    read_recipe,
    read_source_type,
    recipe_json,
)

ADDRESS = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Camera 1.0">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="uuid:1" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Tässe &amp; mehr</rdf:li></rdf:Alt></dc:title>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>\n" + " " * 200 + '<?xpacket end="w"?>'
).encode()
RECIPE_DICT = {
    "edit": {"move": "mug", "dx": 0.2},
    "model": "tabletop",
    "seed": 3,
    "versions": ["realedit 0.1"],
}


def test_numbers_of_numpy_are_plain_ones_in_a_recipe() -> None:
    given = {"strength": np.float32(0.5), "seed": np.int64(3), "shadow": np.bool_(True), "x": np.float64(0.1)}
    written = json.loads(recipe_json(given))["recipe"]
    assert written == {"strength": 0.5, "seed": 3, "shadow": True, "x": 0.1}
    assert [type(value) for value in written.values()] == [float, int, bool, float]
    assert read_recipe(mark_packet(b"", given)) == written
    with pytest.raises(ValueError, match="a recipe holds strings and finite numbers only"):
        recipe_json({"strength": np.float32("nan")})


def _photo(path: Path, **options: Any) -> Path:
    values = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    Image.fromarray(values).save(path, **options)
    return path


def _source_types(packet: bytes) -> list[str]:
    """Every digital source type in a packet, by an XML reader of its own."""
    found = []
    tag = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
    for element in ElementTree.fromstring(packet.strip(b"\0 \n")).iter():
        if element.tag == tag and element.text:
            found.append(element.text)
        if tag in element.attrib:
            found.append(element.attrib[tag])
    return found


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_the_source_type_is_in_the_file_and_other_xmp_stays(tmp_path: Path, suffix: str) -> None:
    options = {"tiffinfo": {700: PACKET}} if suffix == ".tif" else {"xmp": PACKET}
    if suffix == ".png":
        from PIL import PngImagePlugin

        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", PACKET.decode())
        options = {"pnginfo": chunks}
    output = save_photo(load_photo(_photo(tmp_path / f"photo{suffix}", **options)), tmp_path / f"out{suffix}")
    with Image.open(output) as image:
        packet = image.info["xmp"]
    assert _source_types(packet) == [ADDRESS]
    root = ElementTree.fromstring(packet.strip(b"\0 \n"))
    first = root.find(f"{RDF}RDF/{RDF}Description")
    assert first is not None
    assert first.attrib["{http://ns.adobe.com/xap/1.0/}Rating"] == "4"
    assert [li.text for li in root.iter(f"{RDF}li")] == ["Tässe & mehr"]
    assert {d.attrib[f"{RDF}about"] for d in root.iter(f"{RDF}Description")} == {"uuid:1"}
    assert root.attrib["{adobe:ns:meta/}xmptk"] == "Camera 1.0"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".heic"])
def test_a_photo_without_xmp_gets_it_and_the_recipe_when_asked(tmp_path: Path, suffix: str) -> None:
    if suffix == ".heic":
        pytest.importorskip("pillow_heif")
    photo = load_photo(_photo(tmp_path / "photo.png"))
    output = save_photo(photo, tmp_path / f"out{suffix}", recipe=RECIPE_DICT, embed_recipe=True)
    packet = load_photo(output).metadata.xmp
    assert read_source_type(packet) == ADDRESS == COMPOSITE_WITH_TRAINED_MEDIA
    assert read_recipe(packet) == RECIPE_DICT
    assert not (tmp_path / f"out{suffix}.realedit.json").exists()


def test_the_sidecar_holds_the_recipe_and_the_file_does_not(tmp_path: Path) -> None:
    output = save_photo(load_photo(_photo(tmp_path / "photo.png")), tmp_path / "out.png", recipe=RECIPE_DICT)
    sidecar = json.loads((tmp_path / "out.png.realedit.json").read_text("utf-8"))
    assert sidecar == {"digital_source_type": ADDRESS, "recipe": RECIPE_DICT}
    assert read_recipe(load_photo(output).metadata.xmp) is None


def test_a_second_edit_replaces_what_the_first_said(tmp_path: Path) -> None:
    first = mark_packet(PACKET, {"edit": "move"})
    second = mark_packet(first, {"edit": "resize"})
    assert _source_types(second) == [ADDRESS]
    assert read_recipe(second) == {"edit": "resize"}
    assert len(second) <= len(first) + 10
    assert xmp.get_property(mark_packet(second), RECIPE) is None


def test_bmp_cannot_embed_a_recipe(tmp_path: Path) -> None:
    photo = load_photo(_photo(tmp_path / "photo.png"))
    with pytest.raises(UsageError, match="BMP cannot hold a recipe; leave it in the sidecar"):
        save_photo(photo, tmp_path / "out.bmp", recipe=RECIPE_DICT, embed_recipe=True)
    assert save_photo(photo, tmp_path / "out.bmp", recipe=RECIPE_DICT).exists()
    assert (tmp_path / "out.bmp.realedit.json").exists()


def test_a_recipe_too_long_for_jpeg_is_told(tmp_path: Path) -> None:
    photo = load_photo(_photo(tmp_path / "photo.png"))
    with pytest.raises(UsageError, match="JPEG cannot hold that much metadata"):
        save_photo(photo, tmp_path / "out.jpg", recipe={"prompt": "mug " * 20_000}, embed_recipe=True)


def test_recipes_never_tell_paths(tmp_path: Path) -> None:
    home = Path.home()
    recipe = {
        "model": str(tmp_path / "my-model"),
        "mask": Path("/home/ada/photos/mask.png"),
        "windows": "C:\\Users\\ada\\model",
        "url": "file:///home/ada/model.safetensors",
        "nested": [{"cache": "~/secret/cache"}],
        "hub": "stabilityai/stable-diffusion-xl-base-1.0",
        "prompt": "a mug on a table",
        "note": f"read from {home}/x" if str(home) != "/" else "read from ~/x",
    }
    clean = json.loads(recipe_json(recipe))["recipe"]
    assert clean == {
        "model": "my-model",
        "mask": "mask.png",
        "windows": "model",
        "url": "model.safetensors",
        "nested": [{"cache": "cache"}],
        "hub": "stabilityai/stable-diffusion-xl-base-1.0",
        "prompt": "a mug on a table",
        "note": "read from ~/x",
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"bytes", {1: "x"}, np.zeros(2)])
def test_recipes_hold_strings_and_numbers_only(tmp_path: Path, value: object) -> None:
    photo = load_photo(_photo(tmp_path / "photo.png"))
    with pytest.raises(ValueError, match="a recipe holds strings and finite numbers only"):
        save_photo(photo, tmp_path / "out.png", recipe={"edit": [value]})
    assert [p.name for p in tmp_path.iterdir()] == ["photo.png"]


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"not xml",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        PACKET[:300],
        b"\xff\xfe\x00broken",
        b'<!DOCTYPE r [<!ENTITY a "aaaa">]><r>&a;</r>',
    ],
)
def test_an_unreadable_packet_is_replaced(packet: bytes) -> None:
    marked = mark_packet(packet)
    assert _source_types(marked) == [ADDRESS]
    assert read_source_type(packet) is None


def test_packets_in_other_forms_are_merged() -> None:
    bare = PACKET[PACKET.index(b"<rdf:RDF") : PACKET.index(b"</x:xmpmeta>")]
    utf16 = PACKET.decode().encode("utf-16")
    for packet in (bare, utf16, PACKET + b"\0\0"):
        marked = mark_packet(packet)
        assert _source_types(marked) == [ADDRESS]
        assert "Tässe &amp; mehr" in marked.decode()


def test_dropping_what_is_not_there_returns_the_same_bytes() -> None:
    assert xmp.drop_property(PACKET, RECIPE) is PACKET
    dropped = xmp.drop_property(PACKET, DIGITAL_SOURCE_TYPE)
    assert _source_types(dropped) == []
    assert b'xmp:Rating="4"' in dropped


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_exiftool_reads_the_source_type(tmp_path: Path, suffix: str) -> None:
    output = save_photo(load_photo(_photo(tmp_path / "photo.png")), tmp_path / f"out{suffix}")
    command = ["exiftool", "-XMP-iptcExt:DigitalSourceType", "-s3", "-n", str(output)]
    assert ADDRESS in subprocess.run(command, capture_output=True, text=True, check=True).stdout
