"""Reads and writes colour photos with 16 bits a channel, which Pillow cuts to 8.

OpenCV does the pixels, Pillow the container with its metadata. The TIFF writer is our own: tifffile 2026.3.3
writes the same strip and tags but no nested directories, so that EXIF and GPS would be lost.
"""

from __future__ import annotations

import io
import re
import zlib
from typing import cast

import cv2
import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, PpmImagePlugin, TiffImagePlugin

from realedit.errors import PhotoError
from realedit.photo.png_text import HEAD_BYTES, chunks

_INTEROP = 0xA005
"""EXIF tag of the interoperability directory, an offset into its own file. Set by the EXIF standard."""
_FULL_PPM = re.compile(rb"P6\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s+65535\s")
"""The header of a PPM whose samples use all of 16 bits."""
_PNG_LEVEL, _DEFLATE_LEVEL = 4, 6
"""Compression levels of PNG and TIFF, of 9: higher takes longer, lower makes larger files. Not measured."""


def is_sixteen_bit_colour(image: Image.Image) -> bool:
    """Tells whether a PNG, TIFF or PPM, opened but not loaded, has more bits than Pillow decodes."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        return False
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return max(_numbers(image, TiffImagePlugin.BITSPERSAMPLE)) > 8
    if isinstance(image, PpmImagePlugin.PpmImageFile):
        return image.mode == "RGB" and any(max(_maxima(tile.args), default=0) > 255 for tile in image.tile)
    return isinstance(image, PngImagePlugin.PngImageFile) and any(";16" in str(t.args) for t in image.tile)


def _maxima(arguments: object) -> list[int]:
    """Returns the largest sample's value among the arguments of Pillow's decoder of PPM, if it is there."""
    return [one for one in cast("tuple[object, ...]", arguments) if isinstance(one, int)]


def decode_sixteen_bit(data: bytes, image: Image.Image) -> np.ndarray:
    """Decodes the pixels, uint16 [H, W, 3 or 4] in the order red, green, blue, alpha.

    Grey with alpha is returned as equal red, green and blue. TIFF orientation is applied, as Pillow does too.

    Args:
        data: the file.
        image: the same file, opened and loaded by Pillow, which has checked that it is whole.

    Raises:
        PhotoError: the layout cannot be decoded without loss.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        _check_tiff(image)
    if isinstance(image, PpmImagePlugin.PpmImageFile) and not _FULL_PPM.match(data):
        raise _unsupported("this PPM of more than 8 bits a channel")
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    width, height = image.size
    fits = decoded is not None and decoded.dtype == np.uint16 and decoded.shape[:2] == (height, width)
    if decoded is None or not fits or decoded.ndim != 3 or decoded.shape[2] not in (3, 4):
        raise _unsupported("this 16-bit layout")
    order = cv2.COLOR_BGR2RGB if decoded.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    return cv2.cvtColor(decoded, order)


def encode_png(values: np.ndarray, **metadata: object) -> bytes:
    """Encodes uint16 [H, W, 3 or 4] as a 16-bit PNG, lossless.

    Args:
        values: red, green, blue and, of four channels, alpha.
        metadata: options of Pillow's PNG writer (`icc_profile`, `exif`, `dpi`, `pnginfo`).
    """
    order = cv2.COLOR_RGB2BGR if values.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    done, pixels = cv2.imencode(
        ".png", cv2.cvtColor(values, order), [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL]
    )
    if not done:
        raise OSError("OpenCV could not write a 16-bit PNG")
    # metadata chunks do not depend on the pixels: Pillow writes them into a PNG of one pixel to copy from
    donor = io.BytesIO()
    Image.new("RGB", (1, 1)).save(donor, "PNG", **metadata)
    own = [chunk for kind, chunk in chunks(pixels.tobytes()) if kind in (b"IHDR", b"IDAT", b"IEND")]
    extra = [chunk for kind, chunk in chunks(donor.getvalue()) if kind not in (b"IHDR", b"IDAT", b"IEND")]
    return b"".join((pixels.tobytes()[:HEAD_BYTES], own[0], *extra, *own[1:]))


def encode_tiff(
    values: np.ndarray, *, exif: bytes, icc: bytes, xmp: bytes, dpi: tuple[float, float] | None
) -> bytes:
    """Encodes uint16 [H, W, 3 or 4] as a 16-bit TIFF, lossless (Deflate with horizontal differencing)."""
    height, width, channels = values.shape
    # predictor 2 is differences modulo 2^16, which sums modulo 2^16 undo
    differences = np.diff(values, axis=1, prepend=np.zeros_like(values[:, :1]))
    strip = zlib.compress(differences.astype("<u2").tobytes(), _DEFLATE_LEVEL)
    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    block = Image.Exif()
    block.load(exif)
    for tag in block:
        nested = tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
        tags[tag] = _without_interop(block.get_ifd(tag)) if nested else block[tag]
    if icc:
        tags[TiffImagePlugin.ICCPROFILE] = icc
    if xmp:
        tags[TiffImagePlugin.XMP] = xmp
    if dpi:
        tags[TiffImagePlugin.X_RESOLUTION], tags[TiffImagePlugin.Y_RESOLUTION] = dpi
        tags[TiffImagePlugin.RESOLUTION_UNIT] = 2
    tags[TiffImagePlugin.IMAGEWIDTH] = width
    tags[TiffImagePlugin.IMAGELENGTH] = height
    tags[TiffImagePlugin.BITSPERSAMPLE] = (16,) * channels
    tags[TiffImagePlugin.COMPRESSION] = 8
    tags[TiffImagePlugin.PREDICTOR] = 2
    tags[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = 2
    tags[TiffImagePlugin.SAMPLESPERPIXEL] = channels
    tags[TiffImagePlugin.PLANAR_CONFIGURATION] = 1
    tags[TiffImagePlugin.ROWSPERSTRIP] = height
    tags.tagtype[TiffImagePlugin.STRIPBYTECOUNTS] = tags.tagtype[TiffImagePlugin.STRIPOFFSETS] = 4
    tags[TiffImagePlugin.STRIPBYTECOUNTS] = len(strip)
    tags[TiffImagePlugin.STRIPOFFSETS] = 0
    if channels == 4:
        tags[TiffImagePlugin.EXTRASAMPLES] = 2
    file = io.BytesIO()
    tags.save(file)
    return file.getvalue() + strip


def _without_interop(tags: dict[int, object]) -> dict[int, object]:
    return {tag: value for tag, value in tags.items() if tag != _INTEROP}


def _check_tiff(image: TiffImagePlugin.TiffImageFile) -> None:
    tags = image.tag_v2
    bits = _numbers(image, TiffImagePlugin.BITSPERSAMPLE)
    if set(bits) != {16} or set(_numbers(image, TiffImagePlugin.SAMPLEFORMAT)) != {1}:
        raise _unsupported(f"a TIFF with {'/'.join(map(str, bits))} bits a channel")
    if tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) != 2:
        raise _unsupported("a 16-bit TIFF that is not RGB")
    if tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) != 1:
        raise _unsupported("a 16-bit TIFF whose channels lie apart")
    # 2 is plain alpha, as all readers take four channels without the tag; 1 would be premultiplied
    if len(bits) == 4 and tags.get(TiffImagePlugin.EXTRASAMPLES) not in (None, (2,), 2):
        raise _unsupported("a 16-bit TIFF with an extra channel that is not plain alpha")


def _numbers(image: TiffImagePlugin.TiffImageFile, tag: int) -> tuple[int, ...]:
    """Returns a tag's numbers, which Pillow gives as one or as several; (1,) without the tag.

    Raises:
        ValueError: they are no whole numbers.
    """
    value: object = image.tag_v2.get(tag, (1,))
    numbers = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    if not numbers or not all(isinstance(number, int) for number in numbers):
        raise ValueError(f"tag {tag} holds no whole numbers")
    return cast("tuple[int, ...]", numbers)


def _unsupported(what: str) -> PhotoError:
    return PhotoError(f"realedit cannot read {what} without loss", "convert it to 16-bit RGB or 8 bits first")
