"""Encodes a photo as JPEG: a JPEG's untouched blocks as they are in its file, other photos anew."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from realedit.errors import UsageError
from realedit.photo.decode import upright
from realedit.photo.jpeg.blocks import mcus
from realedit.photo.jpeg.further_pictures import behind, has_list, with_pictures
from realedit.photo.jpeg.gain_map import ISO_NAME, announces, directory, is_gain_map, neutral_where
from realedit.photo.jpeg.kept_blocks import edited_jpeg
from realedit.photo.jpeg.marker_segments import APP1, APP2, APP13, COM, JpegFile, Segment, take_apart
from realedit.photo.metadata import IPTC_RESOURCE, JpegEncoding, PhotoMetadata
from realedit.photo.samples import Samples, differs
from realedit.photo.xmp import add_description

_MOST_SEGMENT_BYTES = 65533
"""Bytes in a segment of a JPEG file: a larger block of metadata does not fit, a smaller one does. Set by its
standard."""
_MOST_XMP_BYTES = 65504
"""The same for XMP, whose segment begins with a name of its own. Set by its specification."""
_QUALITY = 95
"""Quality of JPEGs that were none before, of 100: higher makes larger files, lower loses more. Set by eye."""
_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
"""Begin of a segment with XMP. Set by its specification."""
_ICC_NAME = b"ICC_PROFILE\0"
"""Begin of a segment with part of a colour profile. Set by the ICC."""


def encode_kept(
    samples: Samples, original: Samples, metadata: PhotoMetadata
) -> tuple[bytes, tuple[str, ...]]:
    """Returns an edited JPEG whose untouched blocks keep their coefficients, and what the user should know.

    The file keeps its orientation, which says how its blocks are to be turned, and its HDR gain map, which is
    made neutral where the photo was edited.

    Args:
        samples: the edited samples, upright.
        original: the samples as they were read, upright.
        metadata: the photo's, with its file.

    Raises:
        ValueError: the file's coefficients cannot be read; the message says why.
        UsageError: there is more metadata than fits.
    """
    if metadata.jpeg is None or not metadata.jpeg.file:
        raise ValueError("the file is not at hand")
    if samples.values.shape != original.values.shape or samples.mode != original.mode:
        raise ValueError("its size or mode has changed")
    file = take_apart(metadata.jpeg.file)
    lying = metadata.jpeg.orientation
    edited = _turned(samples.values, lying)
    changed = _turned(differs(samples.values, original.values), lying)
    gain_map, notes = _gain_map(file, changed)
    if gain_map and announces(file):
        metadata = replace(metadata, xmp=add_description(metadata.xmp, directory(len(gain_map))))
    _check_metadata(metadata)
    segments = list(_segments(metadata))
    if gain_map:
        segments += [own for own in file.of(APP2) if own.body.startswith(ISO_NAME)]
    content = edited_jpeg(file, edited, changed, segments)
    if gain_map:
        content = with_pictures(content, [gain_map], listed=has_list(file))
    return content, notes


def left_behind(metadata: PhotoMetadata) -> tuple[str, ...]:
    """Returns a note of what lies behind a JPEG's picture, which a new file does not hold."""
    if metadata.jpeg is None or not metadata.jpeg.file:
        return ()
    try:
        file = take_apart(metadata.jpeg.file)
    except ValueError:
        return ()
    lying = behind(file)
    maps = [picture for picture in lying.pictures if is_gain_map(picture, file)]
    return _left_out(len(maps), len(lying.pictures) - len(maps), video=lying.more)


def _gain_map(file: JpegFile, changed: np.ndarray) -> tuple[bytes, tuple[str, ...]]:
    """Returns a file's gain map, neutral where the picture was changed, and a note of it and of what is lost.

    Args:
        file: the photo's file.
        changed: where it was changed, bool [H, W], as it lies in the file.
    """
    lying = behind(file)
    maps = [picture for picture in lying.pictures if is_gain_map(picture, file)]
    others = len(lying.pictures) - len(maps)
    try:
        made = neutral_where(maps[0], changed) if maps else b""
    except (ValueError, OSError):
        return b"", _left_out(len(maps), others, video=lying.more)
    kept = ("its HDR gain map is carried along, neutral where the photo was edited",) if made else ()
    return made, (*kept, *_left_out(max(len(maps) - 1, 0), others, video=lying.more))


def _left_out(maps: int, others: int, *, video: bool) -> tuple[str, ...]:
    """Returns a note of what lies behind a photo's picture and is left out, since it is not edited."""
    names = [
        *(["its HDR gain map"] if maps else []),
        *([f"{others} further picture{'s' if others > 1 else ''} in its file"] if others else []),
        *(["what else is behind it (a video?)"] if video else []),
    ]
    return (f"left out of the edited photo: {', '.join(names)}",) if names else ()


def reach(jpeg: JpegEncoding, region: np.ndarray) -> np.ndarray:
    """Returns where a file with kept blocks may show other samples: whole blocks about a region, bool [H, W].

    Args:
        jpeg: how the photo was encoded, with its file.
        region: where an edit may have changed samples, bool [H, W], upright.
    """
    frame = take_apart(jpeg.file).frame
    return upright(mcus(frame, _turned(region, jpeg.orientation)), jpeg.orientation)


def encode_anew(image: Image.Image, metadata: PhotoMetadata, quality: int | None) -> bytes:
    """Returns a JPEG that is encoded anew, in the tables and subsampling that the photo had, if it was one.

    Args:
        image: the photo.
        metadata: what goes in beside the pixels.
        quality: of 100; None: the photo's own tables, or 95 without subsampling.

    Raises:
        UsageError: there is more metadata than fits.
        OSError, ValueError: the encoder failed.
    """
    _check_metadata(metadata)
    options: dict[str, Any] = {"exif": metadata.exif, "xmp": metadata.xmp, "icc_profile": metadata.icc}
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    if metadata.comment:
        options["comment"] = metadata.comment
    if metadata.iptc:
        options["extra"] = b"".join(bytes(segment) for segment in _iptc(metadata.iptc))
    own = metadata.jpeg
    if quality is not None or own is None or not own.tables:
        options |= {"quality": quality or _QUALITY, "subsampling": 0 if own is None else own.subsampling}
    else:
        options |= {
            "qtables": [list(table) for table in own.tables],
            "subsampling": own.subsampling,
            "progressive": own.progressive,
            "keep_rgb": own.keep_rgb,
        }
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def _check_metadata(metadata: PhotoMetadata) -> None:
    if len(metadata.exif) > _MOST_SEGMENT_BYTES or len(metadata.xmp) > _MOST_XMP_BYTES:
        raise UsageError(
            "JPEG cannot hold that much metadata", "save as .png or .tif, or leave the recipe in the sidecar"
        )


def _segments(metadata: PhotoMetadata) -> Iterator[Segment]:
    """Yields the segments that hold a photo's metadata."""
    exif = _with_orientation(metadata)
    if exif:
        yield Segment(APP1, exif)
    if metadata.xmp:
        yield Segment(APP1, _XMP_NAME + metadata.xmp)
    most = _MOST_SEGMENT_BYTES - len(_ICC_NAME) - 2
    parts = [metadata.icc[at : at + most] for at in range(0, len(metadata.icc), most)]
    for number, part in enumerate(parts, 1):
        yield Segment(APP2, _ICC_NAME + bytes([number, len(parts)]) + part)
    yield from _iptc(metadata.iptc)
    if metadata.comment:
        yield Segment(COM, metadata.comment[:_MOST_SEGMENT_BYTES])


def _with_orientation(metadata: PhotoMetadata) -> bytes:
    """Returns the EXIF block of a file whose samples lie as they did, unlike those in memory."""
    orientation = 1 if metadata.jpeg is None else metadata.jpeg.orientation
    if orientation == 1:
        return metadata.exif
    exif = Image.Exif()
    if metadata.exif:
        exif.load(metadata.exif)
    exif[ExifTags.Base.Orientation] = orientation
    details = exif.get_ifd(ExifTags.IFD.Exif)
    width, height = ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight
    if orientation >= 5 and width in details and height in details:
        details[width], details[height] = details[height], details[width]
    return exif.tobytes()


def _iptc(record: bytes) -> Iterator[Segment]:
    """Yields a Photoshop segment with the IPTC record; none if it is empty or does not fit."""
    header = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", IPTC_RESOURCE, 0, len(record))
    body = header + record + b"\0" * (len(record) % 2)
    if record and len(body) <= _MOST_SEGMENT_BYTES:
        yield Segment(APP13, body)


def _turned(values: np.ndarray, orientation: int) -> np.ndarray:
    """Returns upright values [H, W, ...] as they lie in a file of that EXIF orientation."""
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values.swapaxes(0, 1) if orientation >= 5 else values
