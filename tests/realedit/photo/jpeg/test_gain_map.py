"""HDR gain maps and further pictures behind a JPEG's picture: carried along where right, else told."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit.photo import Photo, composite, load_photo
from realedit.photo.jpeg.further_pictures import behind, with_pictures
from realedit.photo.jpeg.gain_map import ISO_NAME, directory, neutral
from realedit.photo.jpeg.marker_segments import APP1, APP2, Segment, take_apart
from realedit.photo.save import Saved, save_measured

ADOBE = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" '
    'hdrgm:GainMapMin="-1" hdrgm:GainMapMax="3" hdrgm:Gamma="2"/></rdf:RDF></x:xmpmeta>'
)
LISTED = ADOBE.replace(
    'hdrgm:GainMapMin="-1" hdrgm:GainMapMax="3" hdrgm:Gamma="2"/>',
    'hdrgm:Gamma="1"><hdrgm:GainMapMin><rdf:Seq><rdf:li>-1</rdf:li><rdf:li>-2</rdf:li><rdf:li>0</rdf:li>'
    "</rdf:Seq></hdrgm:GainMapMin><hdrgm:GainMapMax><rdf:Seq><rdf:li>1</rdf:li><rdf:li>2</rdf:li>"
    "<rdf:li>4</rdf:li></rdf:Seq></hdrgm:GainMapMax></rdf:Description>",
)
APPLE = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/" '
    'HDRGainMap:HDRGainMapVersion="65536"/></rdf:RDF></x:xmpmeta>'
)


def _jpeg(values: np.ndarray, *segments: Segment) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=90, subsampling=2)
    data = file.getvalue()
    at = 2 + len(bytes(take_apart(data).segments[0]))  # behind JFIF
    return data[:at] + b"".join(bytes(segment) for segment in segments) + data[at:]


def _xmp(packet: str) -> Segment:
    return Segment(APP1, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode())


def _iso(*, channels: int = 1, common: bool = False) -> Segment:
    flags = (0x80 if channels == 3 else 0) | (0x08 if common else 0)
    body = struct.pack(">HHB", 0, 0, flags)
    if common:
        body += struct.pack(">III", 100, 0, 300)
        body += struct.pack(">iiIii", -100, 300, 100, 1, 1) * channels
    else:
        body += struct.pack(">IIII", 0, 1, 3, 1)
        body += struct.pack(">iIiIIIiIiI", -1, 1, 3, 1, 1, 1, 1, 64, 1, 64) * channels
    return Segment(APP2, ISO_NAME + body)


def _scene() -> np.ndarray:
    ramp = np.add.outer(np.arange(120), np.arange(160))
    return np.stack([ramp % 256, (ramp * 2) % 256, 255 - ramp % 256], axis=-1).astype(np.uint8)


def _map(*segments: Segment, channels: int = 1) -> bytes:
    values = np.full((30, 40), 200, np.uint8)
    values[:, 20:] = 90
    return _jpeg(values if channels == 1 else np.stack([values] * channels, axis=-1), *segments)


def _packet(inner: str) -> str:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{inner}</rdf:RDF></x:xmpmeta>'
    )


def _saved(tmp_path: Path, data: bytes, name: str = "out.jpg") -> tuple[Photo, Saved, np.ndarray]:
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    photo = load_photo(path)
    alpha = np.zeros(photo.rgb.shape[:2], np.float32)
    alpha[40:72, 20:60] = 1
    edited = composite(photo, 255 - photo.rgb, alpha)
    return edited, save_measured(edited, tmp_path / name, alpha > 0), alpha > 0


@pytest.mark.parametrize(
    ("segments", "channels", "level"),
    [
        ((_xmp(ADOBE),), 1, 255 * 0.25**2),
        ((_xmp(ADOBE),), 3, 255 * 0.25**2),
        ((_xmp(APPLE),), 1, 0),
        ((_iso(),), 1, 255 * 0.25),
        ((_iso(channels=3, common=True),), 3, 255 * 0.25),
    ],
    ids=["ultra-hdr", "ultra-hdr-colour", "apple", "iso", "iso-colour"],
)
@pytest.mark.parametrize("listed", [True, False])
def test_a_gain_map_is_carried_along_and_neutral_where_the_photo_was_edited(
    tmp_path: Path, segments: tuple[Segment, ...], channels: int, level: float, listed: bool
) -> None:
    gain_map = _map(*segments, channels=channels)
    first = _jpeg(_scene(), _xmp(_packet(directory(len(gain_map)))))
    data = with_pictures(first, [gain_map], listed=listed)
    _, saved, region = _saved(tmp_path, data)
    assert saved.figures["changed_outside_region"] == 0
    assert saved.warnings == ("its HDR gain map is carried along, neutral where the photo was edited",)
    written = saved.path.read_bytes()
    file = take_apart(written)
    (carried,) = behind(file).pictures
    assert [bytes(s) for s in take_apart(carried).of(APP1, APP2)] == [bytes(s) for s in segments]
    before, after = (
        np.asarray(Image.open(io.BytesIO(one))).astype(int).reshape(30, 40, -1) for one in (gain_map, carried)
    )
    inside = region.reshape(30, 4, 40, 4).all(axis=(1, 3))
    assert np.abs(after[inside] - level).max() <= 12
    assert np.abs(after[inside] - level).mean() <= 4
    # all blocks of 16 x 16 that the edit does not reach
    assert (after[:, 20:] == before[:, 20:]).all() or channels == 3
    assert (after[:, 34:] == before[:, 34:]).all()
    assert f'Item:Length="{len(carried)}"'.encode() in written[: -len(carried)]
    assert b'hdrgm:Version="1.0"' in written[: -len(carried)]


def test_a_list_of_pictures_points_to_them(tmp_path: Path) -> None:
    gain_map = _map(_xmp(ADOBE))
    _, saved, _ = _saved(tmp_path, with_pictures(_jpeg(_scene()), [gain_map], listed=True))
    with Image.open(saved.path) as image:
        assert image.format == "MPO"
        assert getattr(image, "n_frames", 1) == 2
        image.seek(1)
        assert image.size == (40, 30)
        assert image.convert("L").getpixel((35, 5)) == pytest.approx(90, abs=3)


def test_a_map_that_only_the_photo_announces_is_one(tmp_path: Path) -> None:
    gain_map = _map()
    data = _jpeg(_scene(), _xmp(_packet(directory(len(gain_map))))) + gain_map
    _, saved, _ = _saved(tmp_path, data)
    assert "carried along" in saved.warnings[0]
    assert neutral(take_apart(gain_map)) == (0, 0, 0)


def test_channels_of_a_map_may_differ() -> None:
    assert neutral(take_apart(_map(_xmp(LISTED), channels=3))) == pytest.approx((0.5, 0.5, 0))
    assert neutral(take_apart(_map(_xmp(ADOBE)))) == pytest.approx((0.0625,) * 3)


def test_further_pictures_and_videos_are_told(tmp_path: Path) -> None:
    other = _jpeg(255 - _scene())
    data = with_pictures(_jpeg(_scene()), [other, other], listed=True)
    _, saved, _ = _saved(tmp_path, data)
    assert saved.warnings == ("left out of the edited photo: 2 further pictures in its file",)
    assert behind(take_apart(saved.path.read_bytes())).pictures == ()
    video = struct.pack(">I4s", 24, b"ftyp") + b"mp42" + bytes(range(1, 201)) * 20
    (tmp_path / "out.jpg").unlink()
    _, saved, _ = _saved(tmp_path, _jpeg(_scene()) + video)
    assert saved.warnings == ("left out of the edited photo: what else is behind it (a video?)",)


def test_another_format_says_that_it_leaves_the_map_out(tmp_path: Path) -> None:
    data = with_pictures(_jpeg(_scene()), [_map(_xmp(ADOBE))], listed=True)
    _, saved, _ = _saved(tmp_path, data, "out.png")
    assert saved.warnings == ("left out of the edited photo: its HDR gain map",)
    assert saved.figures["changed_outside_region"] == 0


def test_a_map_that_claims_to_be_larger_than_its_picture_is_not_decoded(tmp_path: Path) -> None:
    gain_map = _map(_xmp(ADOBE))
    at = gain_map.index(b"\xff\xc0") + 5
    claims = gain_map[:at] + struct.pack(">HH", 60_000, 60_000) + gain_map[at + 4 :]
    _, saved, _ = _saved(tmp_path, with_pictures(_jpeg(_scene()), [claims], listed=True))
    assert saved.warnings == ("left out of the edited photo: its HDR gain map",)
