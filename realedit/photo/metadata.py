"""Reads what a photo's file holds besides pixels: EXIF, ICC, XMP, resolution, and how a JPEG was encoded."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field, replace
from typing import cast

from PIL import ExifTags, Image, JpegImagePlugin, PngImagePlugin

from realedit.errors import Sentence
from realedit.photo import xmp
from realedit.photo.codec_errors import CODEC_ERRORS
from realedit.photo.formats import has_gain_map
from realedit.photo.jpeg_xl import read_header

_TIFF_ORIENTATION = xmp.Name("http://ns.adobe.com/tiff/1.0/", "tiff", "Orientation")
_SAYS_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=\"|='|>))[0-9]")
"""What readers take for the orientation wherever it stands in a packet, Pillow among them: it becomes 1."""
_EXTENDED_XMP = xmp.Name("http://ns.adobe.com/xmp/note/", "xmpNote", "HasExtendedXMP")
"""Points to further APP1 segments, which Pillow does not read and a rewritten file no longer has."""
_APPENDED = (
    *(
        xmp.Name("http://ns.google.com/photos/1.0/camera/", "GCamera", name)
        for name in (
            "MotionPhoto",
            "MotionPhotoVersion",
            "MotionPhotoPresentationTimestampUs",
            "MicroVideo",
            "MicroVideoVersion",
            "MicroVideoOffset",
            "MicroVideoPresentationTimestampUs",
        )
    ),
    xmp.Name("http://ns.google.com/photos/1.0/container/", "Container", "Directory"),
    xmp.Name("http://ns.adobe.com/hdr-gain-map/1.0/", "hdrgm", "Version"),
    xmp.Name("http://ns.apple.com/HDRGainMap/1.0/", "HDRGainMap", "HDRGainMapVersion"),
)
"""Announce a video or a gain map behind the picture, which a rewritten file no longer has."""
_STORAGE_TAGS = frozenset(
    (*range(254, 267), 273, *range(277, 282), 284, 288, 289, 292, 293, 297)
) | frozenset((*range(317, 326), 330, 332, *range(338, 348), *range(512, 533)))
"""TIFF tags that say how one file stores its samples; they mean nothing in another file."""
_OTHER_TAGS = frozenset((282, 283, 296, 700, 34675))
"""Resolution, XMP and ICC profile, which `PhotoMetadata` keeps apart from EXIF."""
_PHOTOSHOP_TAGS = frozenset((34377, 37724))
"""Photoshop's layers and resources, a thumbnail among them: the picture as it was before the edit."""
_DROPPED_TAGS = _STORAGE_TAGS | _OTHER_TAGS | _PHOTOSHOP_TAGS
IPTC_RESOURCE = 0x0404
"""Photoshop image resource that holds the IPTC-IIM record. Set by Photoshop's specification."""
_MOST_DPI = 1e6
"""Resolution in dots per inch: a larger one is taken for damage and dropped, a smaller one is kept. Set by
eye."""
_RIFF_HEAD = 12
"""Bytes before the first chunk of a WebP file. Set by its specification."""


@dataclass(frozen=True)
class JpegEncoding:
    """How a JPEG was encoded.

    Attributes:
        tables: quantisation tables of 64 values each, in Pillow's order; none if Pillow cannot write them.
        subsampling: Pillow's number: 0 4:4:4, 1 4:2:2, 2 4:2:0.
        progressive: whether it was progressive.
        keep_rgb: whether it stores RGB rather than YCbCr.
        orientation: its EXIF orientation, 1 to 8, which the pixels in memory already have.
        file: the whole file; empty where only pixels are at hand.
    """

    tables: tuple[tuple[int, ...], ...]
    subsampling: int
    progressive: bool
    keep_rgb: bool
    orientation: int = 1
    file: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class PhotoMetadata:
    r"""A photo's metadata without orientation, which the pixels already have.

    Attributes:
        format: Pillow's name of the file's format, None for pixels from no file.
        exif: EXIF block beginning with `Exif\0\0`, without thumbnail; empty if there is none.
        icc: colour profile, byte for byte; empty if there is none.
        xmp: XMP packet; empty if there is none.
        dpi: horizontal and vertical resolution in dots per inch.
        comment: JPEG comment.
        iptc: IPTC-IIM record (captions and keywords of press photos) of a JPEG; TIFF keeps it in `exif`.
        jpeg: for a JPEG, how it was encoded.
        png_chunks: PNG chunks that change how the pixels look or are described (gAMA, cHRM, sRGB, text).
        warnings: what of the file could not be read and is left out of the edited photo.
        lossy: whether the file is compressed with loss.
        file_bytes: the file's size; 0 for pixels from no file.
    """

    format: str | None = None
    exif: bytes = b""
    icc: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None
    comment: bytes = b""
    iptc: bytes = b""
    jpeg: JpegEncoding | None = None
    png_chunks: tuple[tuple[bytes, bytes], ...] = ()
    warnings: tuple[str, ...] = ()
    lossy: bool = False
    file_bytes: int = 0


def read_metadata(image: Image.Image, orientation: int) -> PhotoMetadata:
    """Returns the metadata of a decoded image whose pixels `orientation` (1 to 8) will turn upright."""
    turned = orientation >= 5
    width, height = image.size[::-1] if turned else image.size
    dpi = _read_dpi(image.info.get("dpi"), turned)
    packet, warnings = read_xmp(image.info.get("xmp"))
    return PhotoMetadata(
        format="JPEG" if image.format == "MPO" else image.format,
        exif=_read_exif(image, (width, height)),
        icc=only_bytes(image.info.get("icc_profile")),
        xmp=packet,
        dpi=dpi,
        comment=only_bytes(image.info.get("comment")) if image.format in ("JPEG", "MPO") else b"",
        iptc=_read_iptc(image),
        jpeg=_read_jpeg(image, orientation) if isinstance(image, JpegImagePlugin.JpegImageFile) else None,
        png_chunks=_png_chunks(image) if isinstance(image, PngImagePlugin.PngImageFile) else (),
        warnings=warnings,
    )


def with_file(metadata: PhotoMetadata, data: bytes, mode: str) -> PhotoMetadata:
    """Returns the metadata of a decoded file with what its bytes tell: how it is compressed, and its size.

    Args:
        metadata: what the decoder tells.
        data: the file.
        mode: of the decoded samples.
    """
    packet, warnings = metadata.xmp, metadata.warnings
    lossy, depth, gain_map = _is_lossy(metadata.format, data), 8, False
    name = "JPEG XL" if metadata.format == "JXL" else "AVIF"
    if metadata.format == "JXL":  # its plugin does not read XMP
        packet, more = read_xmp(_jxl_xmp(data))
        warnings += more
        header = read_header(data)
        lossy, depth, gain_map = header.lossy, 8 if mode == "I;16" else header.depth, header.has_gain_map
    elif metadata.format == "AVIF":
        depth, gain_map = _avif_depth(data), has_gain_map(data)
    if depth > 8:
        warnings += (f"the {name}'s {depth} bits a channel are read as 8",)
    if gain_map:
        warnings += (Sentence("left out of the edited photo: its HDR gain map", "left_out"),)
    return replace(
        metadata,
        xmp=packet,
        jpeg=metadata.jpeg and replace(metadata.jpeg, file=data),
        lossy=lossy,
        file_bytes=len(data),
        warnings=warnings,
    )


def _is_lossy(kind: str | None, data: bytes) -> bool:
    """Tells whether a file is compressed with loss; False where it does not tell (JPEG 2000)."""
    if kind == "AVIF":
        # without loss, red, green and blue are coded as they are: matrix 0 of H.273
        at = data.find(b"nclx")
        return at < 0 or data[at + 8 : at + 10] != b"\0\0"
    return kind == "JPEG" or (kind == "WEBP" and _is_lossy_webp(data))


def _is_lossy_webp(data: bytes) -> bool:
    """Tells whether a WebP file holds a lossy picture: the chunk `VP8 `, not `VP8L`."""
    at = _RIFF_HEAD
    while at + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        if kind in (b"VP8 ", b"VP8L"):
            return kind == b"VP8 "
        at += 8 + length + length % 2
    return False


def _jxl_xmp(data: bytes) -> bytes:
    """Returns the XMP of a JPEG XL file, from its box of that name; empty without one."""
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"xml ":
            return data[at + 8 : at + length if length else len(data)]
        if length < 8:  # the last box, or one of more than 4 GB
            break
        at += length
    return b""


def _avif_depth(data: bytes) -> int:
    """Returns an AVIF file's bits a channel, from the box that configures its decoder; 8 without one."""
    at = data.find(b"av1C")
    flags = data[at + 6] if 0 <= at < len(data) - 6 else 0
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def read_xmp(value: object) -> tuple[bytes, tuple[str, ...]]:
    """Returns an XMP packet, cleaned, and a warning if it cannot be read and is left out.

    Args:
        value: what the file has in the packet's place: bytes or text, or by damage anything else.
    """
    packet = only_bytes(value)
    if not packet.strip(b"\0 \t\r\n"):
        return b"", ()
    if not xmp.is_readable(packet):
        told = f"the photo's XMP ({len(packet):,} bytes) is damaged, too large or too deep, and is left out"
        return b"", (Sentence(told, "left_out"),)
    return clean_xmp(packet), ()


def clean_xmp(packet: bytes) -> bytes:
    """Returns an XMP packet without orientation and without what a rewritten file no longer has."""
    left = xmp.drop_properties(packet, (_TIFF_ORIENTATION, _EXTENDED_XMP, *_APPENDED))
    return _SAYS_ORIENTATION.sub(rb"\g<1>1", left)


def only_bytes(value: object) -> bytes:
    """Returns bytes, text as UTF-8, and nothing for any other value, which only damage puts there."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return bytes(value) if isinstance(value, bytes | bytearray) else b""


def clean_exif(exif: Image.Exif, size: tuple[int, int]) -> bytes:
    """Returns EXIF with orientation reset, true size fields and no thumbnail; empty if it is unusable."""
    try:
        for tag in list(exif):
            if tag in _DROPPED_TAGS:
                del exif[tag]
        if ExifTags.Base.Orientation in exif:
            exif[ExifTags.Base.Orientation] = 1
        details = exif.get_ifd(ExifTags.IFD.Exif)
        for tag, value in zip((0xA002, 0xA003), size, strict=True):
            if tag in details:
                details[tag] = value
        # Pillow writes IFD0 and its children alone, so that the old thumbnail in IFD1 stays behind
        return exif.tobytes() if len(exif) else b""
    except CODEC_ERRORS:
        return b""


def read_orientation(image: Image.Image) -> int:
    """Returns the EXIF orientation (1 to 8) that is still to be applied to the decoded image."""
    if image.format == "JXL":  # its decoder has turned it
        return 1
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except CODEC_ERRORS:
        return 1
    return orientation if orientation in range(1, 9) else 1


def _read_exif(image: Image.Image, size: tuple[int, int]) -> bytes:
    try:
        exif = image.getexif()
    except CODEC_ERRORS:
        return b""
    copy = Image.Exif()
    try:
        # a copy: the caller's image keeps its own EXIF; through bytes, as TIFF has no block to load
        copy.load(exif.tobytes())
    except CODEC_ERRORS:
        return b""
    return clean_exif(copy, size)


def _read_dpi(dpi: object, turned: bool) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in cast("tuple[float, float]", dpi))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not (0 < x < _MOST_DPI and 0 < y < _MOST_DPI):
        return None
    return (y, x) if turned else (x, y)


def _read_iptc(image: Image.Image) -> bytes:
    resources = image.info.get("photoshop")
    if not isinstance(resources, dict):
        return b""
    record = cast("dict[object, object]", resources).get(IPTC_RESOURCE, b"")
    return record if isinstance(record, bytes) else b""


def _read_jpeg(image: JpegImagePlugin.JpegImageFile, orientation: int) -> JpegEncoding:
    tables = cast("dict[int, list[int]]", getattr(image, "quantization", None) or {})
    # Pillow writes only tables that are numbered without a gap
    numbered = sorted(tables) == list(range(len(tables)))
    # -1: a scheme that Pillow has no number for (4:1:1, 4:4:0); full chroma loses nothing more
    subsampling = JpegImagePlugin.get_sampling(image)
    return JpegEncoding(
        tables=tuple(tuple(tables[i]) for i in range(len(tables))) if numbered else (),
        subsampling=max(subsampling, 0),
        progressive=bool(image.info.get("progressive")),
        keep_rgb=image.mode == "RGB" and image.info.get("adobe_transform") == 0,
        orientation=orientation,
    )


def _png_chunks(image: PngImagePlugin.PngImageFile) -> tuple[tuple[bytes, bytes], ...]:
    try:
        return _read_png(image)
    except CODEC_ERRORS:
        return ()


def _read_png(image: PngImagePlugin.PngImageFile) -> tuple[tuple[bytes, bytes], ...]:
    chunks = PngImagePlugin.PngInfo()
    if "gamma" in image.info:
        chunks.add(b"gAMA", struct.pack(">I", round(image.info["gamma"] * 100_000)))
    if "chromaticity" in image.info:
        values = (round(v * 100_000) for v in image.info["chromaticity"])
        chunks.add(b"cHRM", struct.pack(">8I", *values))
    if "srgb" in image.info:
        chunks.add(b"sRGB", bytes([image.info["srgb"]]))
    for key, value in image.text.items():
        # these hold EXIF and XMP, which are written as such
        if key == "XML:com.adobe.xmp" or key.startswith("Raw profile type"):
            continue
        if isinstance(value, PngImagePlugin.iTXt):
            chunks.add_itxt(key, value, value.lang or "", value.tkey or "")
        else:
            chunks.add_text(key, value)
    return tuple((chunk[0], chunk[1]) for chunk in chunks.chunks)
