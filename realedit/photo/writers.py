"""Writes samples in each format but JPEG; :data:`WRITERS` has them by Pillow's name."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Mapping
from typing import Any, cast

import cv2
import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

from realedit.errors import UsageError
from realedit.photo.metadata import PhotoMetadata
from realedit.photo.samples import Samples
from realedit.photo.sixteen_bit import encode_png, encode_tiff

Writer = Callable[[Samples, PhotoMetadata, int | None], bytes]
"""Samples in a mode of the format, metadata, and the quality of 100 or None for no loss, to a file."""
_PNG_LEVEL = 4
"""Compression level of PNG, of 9: higher takes longer, lower makes larger files. Set on noisy photos, where 6
takes twice the time of 4 and saves nothing."""
_WEBP_METHOD, _WEBP_EFFORT = 2, 20
"""Effort of lossless WebP, of 6 and of 100: higher takes longer, lower makes larger files. Set on photos,
where the defaults take twice the time for one percent."""
_AVIF_SPEED = 6
"""Speed of AVIF's encoder, of 10: higher makes larger files, lower takes longer. Set to the library's
default."""
_JXL_EFFORT = 4
"""Effort of JPEG XL, of 9: higher takes longer, lower makes larger files. Not measured."""
_EXACT = 100
"""Quality at which OpenCV writes AVIF without loss: any lower one loses. Set by OpenCV."""
_INTEROP = 0xA005
"""EXIF tag of the interoperability directory, an offset into its own file. Set by the EXIF standard."""


def _png(samples: Samples, metadata: PhotoMetadata, _: int | None) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    for kind, data in metadata.png_chunks:
        chunks.add(kind, data)
    if metadata.xmp:
        chunks.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", "replace"))
    options: dict[str, Any] = {"pnginfo": chunks, "exif": metadata.exif, "icc_profile": metadata.icc}
    options["compress_level"] = _PNG_LEVEL
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    if samples.palette is not None and not samples.opaque():
        options["transparency"] = samples.palette[:, 3].tobytes().rstrip(b"\xff")
    if _is_deep(samples):
        return encode_png(samples.values, **options)
    return _saved(samples, "PNG", options)


def _tiff(samples: Samples, metadata: PhotoMetadata, _: int | None) -> bytes:
    if _is_deep(samples):
        return encode_tiff(
            samples.values, exif=metadata.exif, icc=metadata.icc, xmp=metadata.xmp, dpi=metadata.dpi
        )
    exif = Image.Exif()
    exif.load(metadata.exif)
    # its value is an offset into the old file, which Pillow's TIFF writer would copy as a number
    exif.get_ifd(ExifTags.IFD.Exif).pop(_INTEROP, None)
    if metadata.xmp:
        exif[700] = metadata.xmp
    # uncompressed: with compression Pillow writes through libtiff, which cannot take EXIF's nested tags
    options: dict[str, Any] = {"compression": "raw", "exif": exif, "icc_profile": metadata.icc}
    return _saved(samples, "TIFF", options | ({"dpi": metadata.dpi} if metadata.dpi else {}))


def _webp(samples: Samples, metadata: PhotoMetadata, quality: int | None) -> bytes:
    options: dict[str, Any] = {
        "exact": True,  # colours under full transparency are samples of the photo too
        "exif": metadata.exif,
        "xmp": metadata.xmp,
        "icc_profile": metadata.icc,
    }
    if quality is None:
        options |= {"lossless": True, "method": _WEBP_METHOD, "quality": _WEBP_EFFORT}
    else:
        options |= {"quality": quality}
    return _saved(samples, "WEBP", options)


def _avif(samples: Samples, metadata: PhotoMetadata, quality: int | None) -> bytes:
    if quality is not None:
        options: dict[str, Any] = {
            "quality": quality,
            "speed": _AVIF_SPEED,
            "exif": metadata.exif,
            "xmp": metadata.xmp,
            "icc_profile": metadata.icc,
        }
        return _saved(samples, "AVIF", options)
    # Pillow turns red, green and blue into luma and chroma, which rounds; OpenCV need not
    order = cv2.COLOR_RGB2BGR if samples.mode == "RGB" else cv2.COLOR_RGBA2BGRA
    held = {
        cv2.IMAGE_METADATA_EXIF: metadata.exif.removeprefix(b"Exif\0\0"),
        cv2.IMAGE_METADATA_XMP: metadata.xmp,
        cv2.IMAGE_METADATA_ICCP: metadata.icc,
    }
    held = {kind: np.frombuffer(data, np.uint8) for kind, data in held.items() if data}
    done, data = cv2.imencodeWithMetadata(
        ".avif",
        cv2.cvtColor(samples.values, order),
        list(held),
        list(held.values()),
        [cv2.IMWRITE_AVIF_QUALITY, _EXACT, cv2.IMWRITE_AVIF_SPEED, _AVIF_SPEED],
    )
    if not done:
        raise OSError("OpenCV could not write AVIF")
    return data.tobytes()


def _jxl(samples: Samples, metadata: PhotoMetadata, quality: int | None) -> bytes:
    try:
        importlib.import_module("pillow_jxl")
    except ImportError:
        raise UsageError(
            "writing JPEG XL needs the package pillow-jxl-plugin",
            "pip install pillow-jxl-plugin, or use .png",
        ) from None
    options: dict[str, Any] = {"effort": _JXL_EFFORT, "exif": metadata.exif, "xmp": metadata.xmp}
    options |= {"lossless": True} if quality is None else {"quality": quality}
    return _saved(samples, "JXL", options)


def _jpeg_2000(samples: Samples, _metadata: PhotoMetadata, _: int | None) -> bytes:
    # reversible by default
    return _saved(samples, "JPEG2000", {})


def _tga(samples: Samples, _metadata: PhotoMetadata, _: int | None) -> bytes:
    return _saved(samples, "TGA", {})


def _ppm(samples: Samples, _metadata: PhotoMetadata, _: int | None) -> bytes:
    if samples.mode != "RGB;16":
        return _saved(samples, "PPM", {})
    height, width = samples.values.shape[:2]
    return f"P6\n{width} {height}\n65535\n".encode() + samples.values.astype(">u2").tobytes()


def _bmp(samples: Samples, metadata: PhotoMetadata, _: int | None) -> bytes:
    return _saved(samples, "BMP", {"dpi": metadata.dpi} if metadata.dpi else {})


def _heif(samples: Samples, metadata: PhotoMetadata, quality: int | None) -> bytes:
    try:
        import pillow_heif
    except ImportError:
        raise UsageError(
            "writing HEIC needs the package pillow-heif", "pip install pillow-heif, or use .jpg"
        ) from None
    height, width = samples.values.shape[:2]
    little = samples.values.astype("<u2") if samples.mode.endswith("16") else samples.values
    data = np.ascontiguousarray(little).tobytes()
    file = io.BytesIO()
    library = cast("Any", pillow_heif)  # its types are incomplete
    picture = library.from_bytes(samples.mode, (width, height), data)
    if metadata.icc:
        picture.info["icc_profile"] = metadata.icc
        picture.info["icc_profile_type"] = "prof"
    picture.save(file, quality=quality, chroma=444, exif=metadata.exif or None, xmp=metadata.xmp or None)
    return file.getvalue()


WRITERS: Mapping[str, Writer] = {
    "PNG": _png,
    "TIFF": _tiff,
    "WEBP": _webp,
    "AVIF": _avif,
    "HEIF": _heif,
    "JXL": _jxl,
    "JPEG2000": _jpeg_2000,
    "TGA": _tga,
    "PPM": _ppm,
    "BMP": _bmp,
}


def _is_deep(samples: Samples) -> bool:
    return samples.mode in ("RGB;16", "RGBA;16")


def _saved(samples: Samples, kind: str, options: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    samples.to_pillow().save(file, kind, **options)
    return file.getvalue()
