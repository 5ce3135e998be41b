"""Measures what each format keeps of a photo, and makes the table of docs/formats.md from that.

``python tests/support/format_table.py`` writes the table anew; a test compares it.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from realedit.photo import Photo, composite, load_photo, save_photo
from realedit.photo.encode import Compression
from realedit.photo.formats import FORMATS
from realedit.photo.jpeg.further_pictures import behind, with_pictures
from realedit.photo.jpeg.gain_map import directory
from realedit.photo.jpeg.marker_segments import APP1, Segment, take_apart
from realedit.photo.metadata import PhotoMetadata
from realedit.photo.samples import Samples
from realedit.photo.save import save_measured

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
BEGIN, END = "<!-- table: made by tests/support/format_table.py -->\n", "<!-- end of table -->\n"
HEAD = ("format", "samples", "outside the edit", "transparency", "EXIF", "profile", "XMP", "HDR gain map")
KEPT, LEFT_OUT, NONE = "kept", "left out", "-"
_NAMES = {
    "1": "black and white, 1 bit",
    "L": "grey, 8 bits",
    "LA": "grey with alpha, 8 bits",
    "P": "palette",
    "P;A": "palette with alpha",
    "RGB": "RGB, 8 bits",
    "RGBA": "RGB with alpha, 8 bits",
    "CMYK": "CMYK, 8 bits",
    "I;16": "grey, 16 bits",
    "RGB;16": "RGB, 16 bits",
    "RGBA;16": "RGB with alpha, 16 bits",
}
_SPACES = {"1": b"GRAY", "L": b"GRAY", "LA": b"GRAY", "I;16": b"GRAY", "CMYK": b"CMYK"}
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="kept"/></rdf:RDF>'
    b"</x:xmpmeta>"
)


def rows() -> Iterator[tuple[str, ...]]:
    """Yields a row for each format, compression and kind of samples: written, edited, written, read."""
    with tempfile.TemporaryDirectory() as folder:
        for kind, form in FORMATS.items():
            modes = [*form.modes, *(["P;A"] if kind == "PNG" else [])]
            ways = [False, True] if form.lossy and form.lossless else [form.lossy]
            for lossy in ways:
                for mode in [known for known in _NAMES if known in modes]:
                    yield _row(Path(folder), kind, mode, lossy=lossy)


def table() -> str:
    """Returns the table in Markdown."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    lines += ["| " + " | ".join(row) + " |" for row in rows()]
    return "\n".join(lines) + "\n"


def _row(folder: Path, kind: str, mode: str, *, lossy: bool) -> tuple[str, ...]:
    form = FORMATS[kind]
    suffix = form.suffixes[0]
    source, out = folder / f"photo{suffix}", folder / f"out{suffix}"
    truth = _photo(mode)
    way = Compression()
    if form.lossy and kind != "JPEG":
        way = Compression(quality=80) if lossy else Compression(lossless=True)
    save_photo(truth, source, force=True, sidecar=False, compression=way)
    if kind == "JPEG":
        source.write_bytes(_with_gain_map(source.read_bytes()))
    photo = load_photo(source)
    if not lossy:
        np.testing.assert_array_equal(photo.rgb, truth.rgb)
        if photo.native.mode == truth.native.mode:
            np.testing.assert_array_equal(photo.native.values, truth.native.values)
    edited, region = _edited(photo)
    # as the photo was, unless its file does not tell: that of a lossy JPEG XL
    saved = save_measured(
        edited, out, region, force=True, compression=way if kind == "JXL" else Compression()
    )
    again = load_photo(out)
    return (
        form.name + ((", lossy" if lossy else ", lossless") if form.lossy and form.lossless else ""),
        _NAMES[mode],
        _pixels(kind, saved.figures["changed_outside_region"]),
        _alpha(photo, again),
        _said(b"Acme" in truth.metadata.exif and b"Acme" in again.metadata.exif),
        _said(bool(truth.metadata.icc) and again.metadata.icc == truth.metadata.icc),
        _said(b'dc:format="kept"' in again.metadata.xmp),
        _gain_map(kind, out),
    )


def _photo(mode: str) -> Photo:
    random = np.random.default_rng(3)
    native = mode.removesuffix(";A")
    palette = None
    ramp = np.add.outer(np.arange(64), np.arange(96))
    channels = {"1": 0, "L": 0, "P": 0, "I;16": 0, "LA": 2, "RGB": 3, "RGB;16": 3}.get(native, 4)
    deep = native.endswith(";16")
    values = np.stack([(ramp * (c + 1)) % 250 for c in range(channels or 1)], axis=-1)
    values = values.astype(np.uint16) * 257 if deep else values.astype(np.uint8)
    if channels == 0:
        values = values[..., 0]
    if native == "1":
        values = values > 120
    if native == "P":
        values = values % 40
        palette = np.concatenate((random.integers(0, 256, (40, 3)), np.full((40, 1), 255)), 1).astype(
            np.uint8
        )
        if mode == "P;A":
            palette[:20, 3] = 128
    space = _SPACES.get(native, b"RGB ")
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = space
    at = int.from_bytes(profile[profile.index(b"rXYZ") + 4 :][:4], "big")
    profile[at + 8 : at + 12] = (0x9000).to_bytes(4, "big")  # another red, so that it is not sRGB's
    profile = profile.replace("sRGB".encode("utf-16-be"), "ours".encode("utf-16-be"))
    exif = Image.Exif()
    exif[0x010F] = "Acme"
    samples = Samples(native, values, palette)
    metadata = PhotoMetadata(exif=exif.tobytes(), icc=bytes(profile), xmp=_XMP)
    return Photo(samples.to_rgb(), samples, metadata)


def _edited(photo: Photo) -> tuple[Photo, np.ndarray]:
    alpha = np.zeros(photo.rgb.shape[:2], np.float32)
    alpha[20:40, 30:60] = np.linspace(0.2, 1, 30, dtype=np.float32)
    return composite(photo, 255 - photo.rgb, alpha), alpha > 0


def _with_gain_map(data: bytes) -> bytes:
    """Puts a gain map (Ultra HDR's) behind a JPEG, and says so in its XMP."""
    file = io.BytesIO()
    Image.new("L", (24, 16), 180).save(file, "JPEG")
    gain_map = file.getvalue()
    inner = _XMP.replace(b"</rdf:RDF>", directory(len(gain_map)).encode() + b"</rdf:RDF>")
    parts = [b"\xff\xd8"]
    taken = take_apart(data)
    for segment in taken.segments:
        is_xmp = segment.marker == APP1 and segment.body.startswith(b"http://ns.adobe.com/xap")
        parts.append(bytes(Segment(APP1, b"http://ns.adobe.com/xap/1.0/\0" + inner) if is_xmp else segment))
    return with_pictures(b"".join((*parts, taken.scans)), [gain_map], listed=True)


def _pixels(kind: str, changed: float) -> str:
    if changed:
        return "change a little"
    return "to the bit, by blocks" if kind == "JPEG" else "to the bit"


def _alpha(before: Photo, after: Photo) -> str:
    if before.native.alpha is None:
        return NONE
    now = after.native.alpha
    return KEPT if now is not None and np.array_equal(before.native.alpha, now) else "changed"


def _gain_map(kind: str, path: Path) -> str:
    if kind != "JPEG":
        return NONE
    carried = behind(take_apart(path.read_bytes())).pictures
    return "kept, neutral in the edit" if carried else LEFT_OUT


def _said(is_kept: bool) -> str:
    return KEPT if is_kept else LEFT_OUT


if __name__ == "__main__":
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    PAGE.write_text(head + BEGIN + table() + END + rest.split(END)[1])
