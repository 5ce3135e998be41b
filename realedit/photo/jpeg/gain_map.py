"""HDR gain maps behind a JPEG's picture: Ultra HDR's, Apple's and those of ISO 21496-1.

A gain map tells a bright screen how much brighter than the picture each place is: with v in [0, 1] the map's
value, log2(gain) = low + (high - low) v^(1 / gamma). Where the picture is edited, the map belongs to what is
no longer there. It is made neutral there: v becomes the one at which the gain is 1, or is nearest to it.
"""

from __future__ import annotations

import io
import re
import struct

import cv2
import numpy as np
from PIL import Image

from realedit.photo.jpeg.kept_blocks import edited_jpeg
from realedit.photo.jpeg.marker_segments import APP0, APP1, APP2, APP14, COM, JpegFile, Segment, take_apart

_ADOBE = b"http://ns.adobe.com/hdr-gain-map/1.0/"
_APPLE = re.compile(rb"http://ns.apple.com/HDRGainMap/1.0/|urn:com:apple:photo:2020:aux:hdrgainmap")
ISO_NAME = b"urn:iso:std:iso:ts:21496:-1\0"
"""Begin of the segment with what ISO 21496-1 says of a map. Set by it."""
_CHANNELS, _COMMON = 0x80, 0x08
"""Flags in that segment: the map has three channels; all fractions have one denominator. Set by it."""


def is_gain_map(picture: bytes, file: JpegFile) -> bool:
    """Tells whether a picture behind another is its gain map.

    Args:
        picture: the further picture.
        file: the file in which it lies.
    """
    own = take_apart(picture)
    said = [segment.body for segment in own.of(APP1, APP2)]
    if any(_ADOBE in body or _APPLE.search(body) or body.startswith(ISO_NAME) for body in said):
        return True
    # some writers describe the map in the first picture alone
    return announces(file) and picture == file.rest.strip(b"\0")


def directory(size: int) -> str:
    """Returns the XMP by which a first picture announces the gain map behind it (Ultra HDR 1.1).

    Args:
        size: the map's bytes.
    """
    return (
        '<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about="" '
        f'xmlns:hdrgm="{_ADOBE.decode()}" xmlns:Container="http://ns.google.com/photos/1.0/container/" '
        'xmlns:Item="http://ns.google.com/photos/1.0/container/item/" hdrgm:Version="1.0">'
        '<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource">'
        '<Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>'
        '<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" '
        f'Item:Length="{size}"/></rdf:li></rdf:Seq></Container:Directory></rdf:Description>'
    )


def announces(file: JpegFile) -> bool:
    """Tells whether a file's XMP says that a gain map (Ultra HDR's) lies behind its picture."""
    return any(_ADOBE in segment.body and b"GainMap" in segment.body for segment in file.of(APP1))


def neutral(picture: JpegFile) -> tuple[float, float, float]:
    """Returns the map's values in [0, 1] at which red, green and blue are as bright as in the picture."""
    for segment in picture.of(APP2):
        if segment.body.startswith(ISO_NAME):
            try:
                return _neutral_of_iso(segment.body[len(ISO_NAME) :])
            except (struct.error, ZeroDivisionError, IndexError):
                break
    packets = b"".join(segment.body for segment in picture.of(APP1))
    if _APPLE.search(packets):
        return 0.0, 0.0, 0.0
    # what is left out has the values of the specification
    lows, highs, gammas = (
        _numbers(packets, name, usual)
        for name, usual in ((b"GainMapMin", 0.0), (b"GainMapMax", 1.0), (b"Gamma", 1.0))
    )
    first, second, third = (
        _value(low, high, gamma) for low, high, gamma in zip(lows, highs, gammas, strict=True)
    )
    return first, second, third


def neutral_where(picture: bytes, changed: np.ndarray) -> bytes:
    """Returns a gain map that is neutral where the picture was changed; its other blocks are as they were.

    Args:
        picture: the gain map's JPEG, of the picture's shape or smaller.
        changed: where the picture was changed, bool [H, W], as both lie in the file.

    Raises:
        ValueError: the map's coefficients cannot be read, or it is larger than the picture.
        OSError: it cannot be decoded.
    """
    file = take_apart(picture)
    if file.frame.height > changed.shape[0] or file.frame.width > changed.shape[1]:
        raise ValueError("a gain map larger than its picture")
    with Image.open(io.BytesIO(picture), formats=("JPEG",)) as image:
        values = np.array(image)
    if values.shape[2:] not in ((), (3,)):
        raise ValueError(f"a gain map of {values.shape[2]} channels")
    level = np.rint(255 * np.array(neutral(file))).astype(np.uint8)
    size = (file.frame.width, file.frame.height)
    # a pixel of the map that stands for any changed one, and those beside it: screens interpolate
    touched = cv2.resize(changed.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    touched = cv2.dilate(touched.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    edited = values.copy()
    edited[touched] = level if values.ndim == 3 else level[0]
    own = [segment for segment in file.segments if _is_metadata(segment)]
    return edited_jpeg(file, edited, touched, own)


def _is_metadata(segment: Segment) -> bool:
    return (APP0 < segment.marker <= APP0 + 15 and segment.marker != APP14) or segment.marker == COM


def _value(low: float, high: float, gamma: float) -> float:
    share = -low / (high - low) if high > low else 0.0
    return float(min(max(share, 0.0), 1.0) ** gamma)


def _numbers(packets: bytes, name: bytes, usual: float) -> tuple[float, float, float]:
    """Returns a property of Adobe's, one number for all channels or three, or its usual value."""
    found = re.search(rb"hdrgm:" + name + rb"\s*=\s*[\"']([^\"']*)[\"']", packets)
    texts = [found[1]] if found else []
    if not texts:
        listed = re.search(rb"<hdrgm:" + name + rb"\b.*?</hdrgm:" + name + rb">", packets, re.DOTALL)
        texts = re.findall(rb">\s*(-?[0-9.]+)\s*<", listed[0]) if listed else []
    try:
        values = [float(text) for text in texts]
    except ValueError:
        values = []
    if len(values) == 1:
        values *= 3
    return (values[0], values[1], values[2]) if len(values) == 3 else (usual, usual, usual)


def _neutral_of_iso(body: bytes) -> tuple[float, float, float]:
    """Returns the neutral values by ISO 21496-1, annex C: fractions of whole numbers for each channel."""
    channels = 3 if body[4] & _CHANNELS else 1
    values: list[float] = []
    for number in range(channels):
        if body[4] & _COMMON:
            (common,) = struct.unpack(">I", body[5:9])
            low, high, gamma = struct.unpack(">iiI", body[17 + 20 * number : 29 + 20 * number])
            values.append(_value(low / common, high / common, gamma / common))
        else:
            part = body[21 + 40 * number : 45 + 40 * number]
            low, low_of, high, high_of, gamma, gamma_of = struct.unpack(">iIiIII", part)
            values.append(_value(low / low_of, high / high_of, gamma / gamma_of))
    return values[0], values[-1 if channels == 1 else 1], values[-1]
