"""Decodes bytes or a Pillow image to upright samples and metadata; every failure is told in one line."""

from __future__ import annotations

import importlib
import io
import re
import struct
import warnings
from collections.abc import Generator, Iterable, Mapping, Sized
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any, cast

import numpy as np
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from realedit.errors import PhotoError, Sentence
from realedit.photo.codec_errors import CODEC_ERRORS
from realedit.photo.formats import FORMATS, HEAD_BYTES, READABLE, has_gain_map, sniff
from realedit.photo.jpeg_xl import jpeg_inside, read_header
from realedit.photo.metadata import (
    PhotoMetadata,
    clean_exif,
    only_bytes,
    read_metadata,
    read_orientation,
    read_xmp,
    with_file,
)
from realedit.photo.png_text import REFUSES, without_texts
from realedit.photo.samples import MODES, Samples
from realedit.photo.sixteen_bit import decode_sixteen_bit, is_sixteen_bit_colour
from realedit.photo.tiff_pages import beside, full_pages, is_raw
from realedit.system.library_messages import without_library_messages
from realedit.system.memory import out_of_memory
from realedit.system.one_at_a_time import CATCHING

_JPEG_2000_SIZE, _JPEG_2000_COMPONENTS = b"\xff\x4f\xff\x51", 40
"""Markers before a JPEG 2000's size, and the bytes from there to the count of its components. Set by its
standard."""


def decode_bytes(data: bytes, name: str, *, most_pixels: int | None = None) -> tuple[Samples, PhotoMetadata]:
    """Returns a file's samples, upright, and its metadata.

    Args:
        data: the whole file.
        name: what messages call it.
        most_pixels: larger pictures are refused; None: only those that are not safe to decode.

    Raises:
        PhotoError: not an image, truncated, too large, animated, or of a depth that cannot be kept.
    """
    kind = sniff(data[:HEAD_BYTES])
    if kind == "HEIF":
        return _decode_heif(data, name, most_pixels)
    if kind == "JXL" and (inside := _jpeg_in_jxl(data, name, most_pixels)):
        samples, metadata = decode_bytes(inside, name, most_pixels=most_pixels)
        return samples, replace(metadata, format="JXL", file_bytes=len(data))
    try:
        return _decode_by_pillow(data, kind, name, most_pixels)
    except PhotoError as error:
        bare, told = without_texts(data) if kind == "PNG" and REFUSES in error.message else (data, ())
        if not told:
            raise
        samples, metadata = _decode_by_pillow(bare, kind, name, most_pixels)
        return samples, replace(metadata, file_bytes=len(data), warnings=(*metadata.warnings, *told))


def _decode_by_pillow(
    data: bytes, kind: str | None, name: str, most_pixels: int | None
) -> tuple[Samples, PhotoMetadata]:
    """Decodes what Pillow and its plugins read; the rest is as of :func:`decode_bytes`."""
    with _quiet(), _told_as_damage(name):
        try:
            image = Image.open(io.BytesIO(data), formats=(kind,) if kind else ())
        except UnidentifiedImageError:
            raise _not_read(data, kind, name) from None
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            # Pillow closes the image before its size can be asked, and gives the count in its message alone
            count = re.search(r"\d+", str(error))
            raise _too_many_pixels(name, int(count[0]) if count else None) from None
        except CODEC_ERRORS as error:
            raise _damaged(name, error) from error
        _check_pixels(name, image.size, most_pixels)
        _check_single(image, name)
        if kind == "JPEG2000" and image.mode != "I;16" and _jpeg_2000_depth(data) > 8:
            raise PhotoError(
                f"{name} is a JPEG 2000 of more than 8 bits a channel, which is cut to 8",
                "convert it to PNG first",
            )
        sixteen_bit = is_sixteen_bit_colour(image)
        tiff = image if isinstance(image, TiffImagePlugin.TiffImageFile) else None
        with nullcontext() if tiff is None else without_library_messages():
            image.load()
        if not sixteen_bit:
            samples, metadata = decode_pillow(image, name)
            return samples, with_file(metadata, data, samples.mode)
        orientation = read_orientation(image)
        values = upright(decode_sixteen_bit(data, image), orientation)
        mode = "RGB;16" if values.shape[2] == 3 else "RGBA;16"
        samples = _keyed(Samples(mode, values), image.info.get("transparency"))
        metadata = read_metadata(image, orientation)
        if tiff is not None:
            metadata = replace(metadata, warnings=(*metadata.warnings, *beside(tiff, values.shape[2])))
        return samples, with_file(metadata, data, samples.mode)


def decode_pillow(image: Image.Image, name: str = "the image") -> tuple[Samples, PhotoMetadata]:
    """Returns a Pillow image's samples, upright, and its metadata; the image itself is not changed.

    Raises:
        PhotoError: truncated, empty, or of a mode that cannot be kept (32-bit integer, float, Lab ...).
    """
    if 0 in image.size:
        raise PhotoError(f"{name} has no pixels ({image.width} x {image.height})")
    with _quiet(), _told_as_damage(name):
        image.load()
        return _decoded(image, name)


def _decoded(opened: Image.Image, name: str) -> tuple[Samples, PhotoMetadata]:
    orientation = read_orientation(opened)
    metadata = read_metadata(opened, orientation)
    white_is_zero = (
        isinstance(opened, TiffImagePlugin.TiffImageFile)
        and opened.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    )
    image = _plain(opened, name)
    values = np.array(image)
    if image.mode == "I;16":
        values = values.astype(np.uint16)
        if white_is_zero:  # Pillow inverts these for 8 bits alone, and never writes them
            values = 65535 - values
    palette = _palette(image) if image.mode == "P" else None
    samples = Samples(image.mode, upright(values, orientation), palette, metadata.icc)
    if isinstance(opened, TiffImagePlugin.TiffImageFile):
        told = beside(opened, 1 if values.ndim == 2 else values.shape[2])
        metadata = replace(metadata, warnings=(*metadata.warnings, *told))
    key = image.info.get("transparency")
    return (_keyed(samples, key) if image.mode == "I;16" else samples), metadata


@contextmanager
def _told_as_damage(name: str) -> Generator[None]:
    """Turns whatever a decoder raises over a damaged file into one line.

    Raises:
        PhotoError: it raised something.
        MemoryLimitError: it ran out of memory.
    """
    try:
        yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_many_pixels(name, None) from None
    except CODEC_ERRORS as error:
        raise out_of_memory(error) or _damaged(name, error) from error


@contextmanager
def _quiet() -> Generator[None]:
    """Silences Pillow's warnings of damaged metadata, and makes its warning of too many pixels an error."""
    with CATCHING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _plain(image: Image.Image, name: str) -> Image.Image:
    """Turns a mode that differs from one of ours in storage alone into that one, values unchanged."""
    mode = image.mode
    if mode in ("1", "L", "RGB") and image.info.get("transparency") is not None:
        # edited pixels could take a transparent colour by chance; with an alpha channel they cannot
        return image.convert("RGBA" if mode == "RGB" else "LA")
    if mode in MODES:
        return image
    if mode in ("I;16B", "I;16L", "I;16N"):
        values = np.array(image).astype("<u2")
        return Image.frombytes("I;16", image.size, values.tobytes())
    if mode == "I" and image.format == "PPM":  # grey of more than 8 bits, brought to 16
        return Image.frombytes("I;16", image.size, np.array(image).astype("<u2").tobytes())
    if mode in ("RGBX", "YCbCr"):
        return image.convert("RGB")
    if mode == "PA":
        return image.convert("RGBA")
    raise PhotoError(
        f"{name} has pixels of a kind that realedit cannot keep (Pillow mode {mode})",
        "convert it to 8-bit or 16-bit grey or RGB first",
    )


def _palette(image: Image.Image) -> np.ndarray:
    colours = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    # damaged files use indices beyond their palette; Pillow shows those black
    needed = max(len(colours), int(np.asarray(image).max()) + 1)
    palette = np.zeros((needed, 4), np.uint8)
    palette[: len(colours), :3] = colours
    palette[:, 3] = 255
    transparency = image.info.get("transparency")
    if isinstance(transparency, bytes):
        levels = np.frombuffer(transparency, np.uint8)[:needed]
        palette[: len(levels), 3] = levels
    elif isinstance(transparency, int) and transparency < needed:
        palette[transparency, 3] = 0
    elif image.palette is not None and image.palette.mode == "RGBA":
        palette = np.array(image.getpalette("RGBA"), np.uint8).reshape(-1, 4)
    return palette


def _keyed(samples: Samples, key: int | tuple[int, ...] | None) -> Samples:
    """Gives a 16-bit photo with one transparent colour an alpha channel instead."""
    if key is None or samples.mode == "RGBA;16":
        return samples
    colour = samples.values if samples.values.ndim == 3 else np.repeat(samples.values[..., None], 3, axis=-1)
    alpha = np.where((colour == np.array(key)).all(axis=-1), 0, 65535).astype(np.uint16)
    return Samples("RGBA;16", np.concatenate((colour, alpha[..., None]), axis=-1), None, samples.icc)


def upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """Returns an array [H, W, ...] turned upright, as its EXIF orientation (1 to 8) asks."""
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return np.ascontiguousarray(values)


def _check_single(image: Image.Image, name: str) -> None:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        if is_raw(image):
            told = Sentence(f"{name} is a camera RAW file", "camera_raw")
            raise PhotoError(told, "develop it to TIFF, PNG or JPEG first")
        frames = full_pages(image)
    elif image.format == "MPO":
        # phone photos hold more pictures: gain maps, depth, the other eye; the first is the photo
        return
    else:
        frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise _several(name, f"{frames} {'pages' if image.format == 'TIFF' else 'frames of an animation'}")


def _several(name: str, pictures: str) -> PhotoError:
    told = Sentence(f"{name} holds {pictures} and realedit edits one picture", "several_pictures")
    return PhotoError(told, "save the one you want as PNG or TIFF")


def _jpeg_2000_depth(data: bytes) -> int:
    """Returns the most bits that a component of a JPEG 2000 has; 8 where it does not say."""
    at = data.find(_JPEG_2000_SIZE) + _JPEG_2000_COMPONENTS
    if at < _JPEG_2000_COMPONENTS or at + 2 > len(data):
        return 8
    (count,) = struct.unpack(">H", data[at : at + 2])
    return max((depth & 0x7F) + 1 for depth in data[at + 2 : at + 2 + 3 * count : 3] or b"\x07")


def _not_read(data: bytes, kind: str | None, name: str) -> PhotoError:
    """Returns the error of a file that no decoder takes, with the reason of the one whose kind it is of."""
    if kind is None or kind == "TGA":  # which has no signature: anything may look like one
        told = Sentence(f"{name} is not an image that realedit reads", "not_a_photo")
        return PhotoError(told, f"it reads {READABLE}")
    plugin: Any = Image.OPEN[kind][0]
    try:
        plugin(io.BytesIO(data), "")
        reason = "no decoder takes it"
    except CODEC_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
    named = FORMATS[kind].name if kind in FORMATS else kind
    told = f"{name} is {named}, but damaged or of a kind that realedit does not read ({reason})"
    return PhotoError(Sentence(told, "damaged"), "export it again as an 8-bit JPEG or PNG")


def _jpeg_in_jxl(data: bytes, name: str, most_pixels: int | None) -> bytes:
    """Checks a JPEG XL file before its decoder gets it, and returns the JPEG that it holds, if it does.

    Raises:
        PhotoError: there is no decoder; the file is too large, damaged, animated, or of floats.
    """
    try:
        importlib.import_module("pillow_jxl")  # it tells Pillow of itself
    except ImportError:
        raise PhotoError(
            f"{name} is a JPEG XL photo", "pip install pillow-jxl-plugin to read it, or export JPEG"
        ) from None
    with _told_as_damage(name):
        header = read_header(data)
        _check_pixels(name, (header.width, header.height), most_pixels)
        if header.animated:
            raise _several(name, "several frames of an animation")
        return jpeg_inside(data) if header.has_jpeg else b""


def _decode_heif(data: bytes, name: str, most_pixels: int | None) -> tuple[Samples, PhotoMetadata]:
    try:
        import pillow_heif
    except ImportError:
        raise PhotoError(
            f"{name} is a HEIC photo", "pip install pillow-heif to read it, or export JPEG"
        ) from None
    try:
        library = cast("Any", pillow_heif)  # its types are incomplete
        file = library.open_heif(data, convert_hdr_to_8bit=False)
        picture = file[file.primary_index]
        _check_pixels(name, picture.size, most_pixels)
        # libheif has turned the pixels already: the orientation in EXIF and XMP no longer holds
        values, mode, info = np.array(picture), picture.mode, picture.info
    except CODEC_ERRORS as error:
        raise out_of_memory(error) or _damaged(name, error) from error
    exif = Image.Exif()
    try:
        exif.load(only_bytes(info.get("exif")))
    except CODEC_ERRORS:
        exif = Image.Exif()
    packet, warned = read_xmp(info.get("xmp"))
    metadata = PhotoMetadata(
        format="HEIF",
        lossy=True,
        file_bytes=len(data),
        exif=clean_exif(exif, (values.shape[1], values.shape[0])),
        icc=only_bytes(info.get("icc_profile")),
        xmp=packet,
        warnings=(*warned, *_beside(file, info, in_base=has_gain_map(data))),
    )
    if mode.startswith("LA;16"):
        values, mode = values[..., [0, 0, 0, 1]], "RGBA;16"
    mode = {"I;16L": "I;16", "L;16": "I;16"}.get(mode, mode)
    if mode not in MODES:
        raise PhotoError(
            f"{name} has pixels of a kind that realedit cannot keep ({mode})", "export it as PNG"
        )
    return Samples(mode, values, None, metadata.icc), metadata


def _beside(file: Sized, info: Mapping[str, Any], *, in_base: bool) -> tuple[str, ...]:
    """Returns a note of what a HEIC file holds beside its picture: no library here writes it again.

    Args:
        file: the file as pillow-heif opens it.
        info: what it says of the picture.
        in_base: whether the file says that it holds a gain map of ISO 21496-1.
    """
    auxiliary: Iterable[object] = info.get("aux") or ()
    others = len(file) - 1
    names = [
        *(["its HDR gain map"] if in_base or any("hdrgainmap" in str(name) for name in auxiliary) else []),
        *(["its depth map"] if info.get("depth_images") else []),
        *([f"{others} further picture{'s' if others > 1 else ''} in its file"] if others > 0 else []),
    ]
    return (Sentence(f"left out of the edited photo: {', '.join(names)}", "left_out"),) if names else ()


def _check_pixels(name: str, size: tuple[int, int], most: int | None) -> None:
    count = size[0] * size[1]
    if most is not None and count > most:
        told = f"{name} has {count:,} pixels, more than the {most:,} that are taken"
        raise PhotoError(Sentence(told, "too_many_pixels"), "shrink it")
    if Image.MAX_IMAGE_PIXELS is not None and count > Image.MAX_IMAGE_PIXELS:
        raise _too_many_pixels(name, count)


def _too_many_pixels(name: str, pixels: int | None) -> PhotoError:
    count = f"{pixels:,} pixels" if pixels else "too many pixels"
    told = f"{name} has {count}, more than the {Image.MAX_IMAGE_PIXELS:,} that are safe to decode"
    return PhotoError(
        Sentence(told, "too_many_pixels"),
        "shrink it, or raise PIL.Image.MAX_IMAGE_PIXELS from Python if you trust the file",
    )


def _damaged(name: str, error: BaseException) -> PhotoError:
    told = Sentence(f"{name} is damaged or truncated ({error})", "damaged")
    return PhotoError(told, "copy or export it again")
