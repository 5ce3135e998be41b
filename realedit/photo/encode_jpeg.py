"""Encodes a photo as JPEG: a JPEG's untouched blocks as they are in its file, other photos anew."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from realedit.errors import UsageError
from realedit.photo.decode import upright
from realedit.photo.jpeg.blocks import mcus
from realedit.photo.jpeg.kept_blocks import edited_jpeg
from realedit.photo.jpeg.marker_segments import APP1, APP2, APP13, COM, Segment, take_apart
from realedit.photo.metadata import IPTC_RESOURCE, JpegEncoding, PhotoMetadata
from realedit.photo.samples import Samples

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


def encode_kept(samples: Samples, original: Samples, metadata: PhotoMetadata) -> bytes:
    """Returns an edited JPEG whose untouched blocks keep their coefficients.

    The file keeps its orientation, which says how its blocks are to be turned.

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
    _check_metadata(metadata)
    file = take_apart(metadata.jpeg.file)
    changed = _differs(samples.values, original.values)
    lying = metadata.jpeg.orientation
    return edited_jpeg(
        file, _turned(samples.values, lying), _turned(changed, lying), list(_segments(metadata))
    )


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


def _differs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns where two arrays [H, W] or [H, W, C] differ, bool [H, W]."""
    different = np.not_equal(first, second)
    return np.asarray(different.any(axis=-1)) if different.ndim == 3 else different


def _turned(values: np.ndarray, orientation: int) -> np.ndarray:
    """Returns upright values [H, W, ...] as they lie in a file of that EXIF orientation."""
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values.swapaxes(0, 1) if orientation >= 5 else values
