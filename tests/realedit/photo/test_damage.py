"""Files that are damaged or made to do harm: read without what is wrong, or refused in one line."""

import io
import struct
from contextlib import suppress
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from realedit.errors import MemoryLimitError, PhotoError
from realedit.photo import decode, load_photo, save_photo
from realedit.photo.metadata import only_bytes

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def _packet(body: str) -> bytes:
    about = (
        f'<rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about="" xmlns:a="urn:a">{body}</rdf:Description>'
    )
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{about}</rdf:RDF></x:xmpmeta>'.encode()


def _png(path: Path, packet: bytes) -> Path:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=True)
    Image.new("RGB", (32, 32), (9, 8, 7)).save(path, pnginfo=text)
    return path


@pytest.mark.parametrize(
    "body",
    [
        "<a:x/>" * 140_000,
        "<a:x>" * 2000 + "</a:x>" * 2000,
        "<a:x " + " ".join(f'b{i}="1"' for i in range(60_000)) + "/>",
        "<!---->" * 140_000,
        "<?a?>" * 180_000,
        "<a:x>",
    ],
    ids=["elements", "depth", "attributes", "remarks", "instructions", "open"],
)
def test_xmp_beyond_its_limits_is_left_out_with_one_warning_and_at_once(tmp_path: Path, body: str) -> None:
    file = _png(tmp_path / "photo.png", _packet(body))
    began = process_time()
    photo = load_photo(file)
    output = save_photo(photo, tmp_path / "out.png")
    assert process_time() - began < 1
    assert len(photo.metadata.warnings) == 1
    assert "XMP" in photo.metadata.warnings[0]
    assert (load_photo(output).rgb == photo.rgb).all()
    assert load_photo(output).metadata.warnings == ()


def test_xmp_as_large_as_a_raw_developers_history_is_kept(tmp_path: Path) -> None:
    history = "".join(f'<a:step n="{i}">{"exposure " * 9}</a:step>' for i in range(8000))
    photo = load_photo(_png(tmp_path / "photo.png", _packet(history)))
    assert photo.metadata.warnings == ()
    assert photo.metadata.xmp.count(b"exposure") == 72_000


@pytest.mark.parametrize("value", [2**31, 3.5, None, (1, 2), [7], {}])
def test_only_bytes_are_bytes(value: object) -> None:
    assert only_bytes(value) == b""


def _tiff(tag: int, kind: int, count: int, value: bytes) -> bytes:
    """A grey TIFF of 16 x 16 whose tag has a type of the test's choice."""
    entries = {
        256: (3, 1, struct.pack("<HH", 16, 0)),
        257: (3, 1, struct.pack("<HH", 16, 0)),
        258: (3, 1, struct.pack("<HH", 8, 0)),
        259: (3, 1, struct.pack("<HH", 1, 0)),
        262: (3, 1, struct.pack("<HH", 1, 0)),
        273: (4, 1, struct.pack("<I", 8)),
        277: (3, 1, struct.pack("<HH", 1, 0)),
        278: (3, 1, struct.pack("<HH", 16, 0)),
        279: (4, 1, struct.pack("<I", 256)),
        tag: (kind, count, value),
    }
    directory = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHI", number, *entries[number][:2]) + entries[number][2] for number in sorted(entries)
    )
    return b"II*\0" + struct.pack("<I", 8 + 256) + bytes(range(256)) + directory + bytes(4)


@pytest.mark.parametrize(
    ("kind", "count", "value"),
    [
        (4, 1, struct.pack("<I", 2**31 - 1)),
        (2, 4, b"abc\0"),
        (12, 1, struct.pack("<I", 8)),
        (5, 1, struct.pack("<I", 8)),
        (7, 4, b"\1\2\3\4"),
        (11, 1, struct.pack("<f", 2.5)),
        (3, 2, struct.pack("<HH", 16, 16)),
    ],
    ids=["long", "text", "double", "rational", "undefined", "float", "two shorts"],
)
@pytest.mark.parametrize("tag", [254, 258, 259, 262, 274, 277, 282, 284, 338, 339, 700, 33723, 34377, 34675])
def test_a_tiff_tag_of_any_type_is_read_or_told_in_one_line(
    tag: int, kind: int, count: int, value: bytes
) -> None:
    try:
        samples, metadata = decode.decode_bytes(_tiff(tag, kind, count, value), "photo.tif")
    except PhotoError:  # its text is one line by construction
        return
    assert samples.values.size
    assert len(metadata.icc) < 1000


def test_an_integer_in_the_place_of_a_colour_profile_is_no_profile() -> None:
    data = _tiff(TiffImagePlugin.ICCPROFILE, 4, 1, struct.pack("<I", 2**31 - 1))
    samples, metadata = decode.decode_bytes(data, "photo.tif")
    assert metadata.icc == b""
    assert (samples.values == np.arange(256, dtype=np.uint8).reshape(16, 16)).all()


def test_want_of_memory_is_not_told_as_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    Image.new("RGB", (32, 32)).save(file, "PNG")

    def fails(*_: object) -> None:
        raise RuntimeError("std::bad_alloc")

    monkeypatch.setattr(decode, "_check_single", fails)
    with pytest.raises(MemoryLimitError):
        decode.decode_bytes(file.getvalue(), "photo.png")


def test_a_kind_that_no_decoder_takes_is_named_with_its_reason() -> None:
    file = io.BytesIO()
    Image.new("RGB", (32, 32)).save(file, "JPEG")
    head = b"\xff\xc0\x00\x11\x08"
    deep = file.getvalue().replace(head, b"\xff\xc1\x00\x11\x0c")
    with pytest.raises(PhotoError, match=r"is JPEG, but .* realedit does not read \(.*12-bit") as told:
        decode.decode_bytes(deep, "photo.jpg")
    assert told.value.hint == "export it again as an 8-bit JPEG or PNG"


def test_a_tiff_of_very_many_pages_opens_at_once() -> None:
    file = io.BytesIO()
    Image.new("RGB", (20, 20), (9, 8, 7)).save(file, "TIFF")
    data = file.getvalue()
    (first,) = struct.unpack("<I", data[4:8])
    (count,) = struct.unpack("<H", data[first : first + 2])
    link, start = first + 2 + 12 * count, len(data) + len(data) % 2
    number, tags = 50_000, {254: 1, 256: 1, 257: 1, 273: 8}
    page = struct.pack("<H", len(tags)) + b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()
    )
    size = len(page) + 4
    links = [start + size * (at + 1) for at in range(number - 1)] + [0]
    reduced = b"".join(page + struct.pack("<I", link_) for link_ in links)
    whole = data[:link] + struct.pack("<I", start) + data[link + 4 :].ljust(start - link - 4, b"\0") + reduced
    began = process_time()
    samples, _ = decode.decode_bytes(whole, "photo.tif")
    assert process_time() - began < 1
    assert (samples.values == (9, 8, 7)).all()


@pytest.mark.parametrize("packed", [True, False])
def test_a_png_with_text_beyond_pillows_limits_opens_without_it(tmp_path: Path, packed: bool) -> None:
    text = PngImagePlugin.PngInfo()
    length = 2 * PngImagePlugin.MAX_TEXT_CHUNK if packed else PngImagePlugin.MAX_TEXT_MEMORY + 1
    text.add_itxt("XML:com.adobe.xmp", "<" * length, zip=packed)
    Image.new("RGB", (32, 32), (9, 8, 7)).save(tmp_path / "photo.png", pnginfo=text)
    began = process_time()
    photo = load_photo(tmp_path / "photo.png")
    assert process_time() - began < 1
    assert (photo.rgb == (9, 8, 7)).all()
    assert photo.metadata.warnings == ("the photo's texts, XMP among them, are too large and are left out",)
    assert load_photo(save_photo(photo, tmp_path / "out.png")).metadata.warnings == ()


def test_a_png_whose_profile_unpacks_without_end_opens_without_it() -> None:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (9, 8, 7)).save(file, "PNG", icc_profile=bytes(30_000_000))
    samples, metadata = decode.decode_bytes(file.getvalue(), "photo.png")
    assert (samples.values == (9, 8, 7)).all()
    assert metadata.icc == b""
    assert "colour profile is too large" in metadata.warnings[0]


def test_what_a_tiff_has_beside_its_picture_is_told() -> None:
    import tifffile

    rgb = np.arange(20 * 24 * 3, dtype=np.uint16).reshape(20, 24, 3)
    layers = (37724, 7, 4, b"8BIM", True)
    for depth in (np.uint8, np.uint16):
        file = io.BytesIO()
        tifffile.imwrite(file, rgb.astype(depth), photometric="rgb", extratags=[layers])
        _, metadata = decode.decode_bytes(file.getvalue(), "photo.tif")
        assert metadata.warnings == ("left out of the edited photo: Photoshop's layers",)
    file = io.BytesIO()
    eight = rgb.astype(np.uint8)
    more = np.dstack([eight, eight[..., :2]])
    tifffile.imwrite(file, more, photometric="rgb", extrasamples=["unspecified", "unspecified"])
    samples, metadata = decode.decode_bytes(file.getvalue(), "photo.tif")
    assert (samples.values == eight).all()
    assert metadata.warnings == ("left out of the edited photo: 2 further channels",)


def test_what_libtiff_finds_wrong_is_told_by_us_alone(capfd: pytest.CaptureFixture[str]) -> None:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 2, (64, 64), np.uint8) * 255
    Image.fromarray(noise).convert("1").save(file, "TIFF", compression="group4")
    data = bytearray(file.getvalue())
    data[100:130] = bytes(range(30))
    with suppress(PhotoError):
        decode.decode_bytes(bytes(data), "photo.tif")
    assert capfd.readouterr().err == ""
