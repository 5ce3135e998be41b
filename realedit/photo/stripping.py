"""Leaves out of a photo what it says of where, when and by whom it was taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PIL import Image

from realedit.photo import xmp
from realedit.photo.metadata import PhotoMetadata
from realedit.photo.photo import Photo

_GPS = 0x8825
"""EXIF tag of the directory with the place. Set by the EXIF standard."""
_EXIF_XMP = "http://ns.adobe.com/exif/1.0/"
_PLACES = (
    *(
        xmp.Name(_EXIF_XMP, "exif", f"GPS{name}")
        for name in (
            *("VersionID", "Latitude", "Longitude", "AltitudeRef", "Altitude", "TimeStamp", "Satellites"),
            *("Status", "MeasureMode", "DOP", "SpeedRef", "Speed", "TrackRef", "Track", "ImgDirectionRef"),
            *("ImgDirection", "MapDatum", "DestLatitude", "DestLongitude", "DestBearingRef", "DestBearing"),
            *("DestDistanceRef", "DestDistance", "ProcessingMethod", "AreaInformation", "Differential"),
            "HPositioningError",
        )
    ),
    *(
        xmp.Name("http://ns.adobe.com/photoshop/1.0/", "photoshop", name)
        for name in ("City", "State", "Country")
    ),
    *(
        xmp.Name("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "Iptc4xmpCore", name)
        for name in ("Location", "CountryCode")
    ),
    *(
        xmp.Name("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "Iptc4xmpExt", name)
        for name in ("LocationCreated", "LocationShown")
    ),
)
"""XMP's properties of places."""
_IPTC_PLACES = frozenset((26, 27, 90, 92, 95, 100, 101))
"""Data sets of IPTC's second record that name a place. Set by IPTC-IIM."""
_LOOKS = (b"gAMA", b"cHRM", b"sRGB")
"""PNG chunks that decide how the pixels look. Set by the PNG standard."""


def without_places(photo: Photo) -> Photo:
    """Returns a photo that does not say where it was taken: no GPS, no names of places."""
    said = photo.metadata
    return replace(
        photo,
        metadata=replace(
            said,
            exif=_without_gps(said.exif),
            xmp=xmp.drop_properties(said.xmp, _PLACES),
            iptc=b"".join(part for number, part in _data_sets(said.iptc) if number not in _IPTC_PLACES),
        ),
    )


def without_metadata(photo: Photo) -> Photo:
    """Returns a photo that says nothing but how its pixels look: colour profile and resolution stay."""
    said = photo.metadata
    bare: PhotoMetadata = replace(
        said,
        exif=b"",
        xmp=b"",
        iptc=b"",
        comment=b"",
        png_chunks=tuple(chunk for chunk in said.png_chunks if chunk[0] in _LOOKS),
    )
    return replace(photo, metadata=bare)


def _without_gps(block: bytes) -> bytes:
    exif = Image.Exif()
    try:
        exif.load(block)
        if _GPS in exif:
            del exif[_GPS]
        return exif.tobytes() if len(exif) else b""
    except Exception:
        return b""


def _data_sets(record: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the data sets of an IPTC-IIM record, each with its number; what cannot be read is left out."""
    at = 0
    while at + 5 <= len(record) and record[at] == 0x1C:
        length = int.from_bytes(record[at + 3 : at + 5], "big")
        if length & 0x8000 or at + 5 + length > len(record):
            return
        number = record[at + 2] if record[at + 1] == 2 else -1
        yield number, record[at : at + 5 + length]
        at += 5 + length
