"""Colours of one photo in another's profile, against LittleCMS's own way through sRGB."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from realedit.photo.colour_profile import in_colours_of
from realedit.photo.photo import Photo, load_photo

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
P3 = {
    b"rXYZ": (0.5151, 0.2412, -0.0011),
    b"gXYZ": (0.2920, 0.6922, 0.0419),
    b"bXYZ": (0.1571, 0.0666, 0.7841),
}


def _with_primaries(columns: dict[bytes, tuple[float, float, float]]) -> bytes:
    """SRGB's profile with other primaries (D50), and another name."""
    profile = bytearray(SRGB)
    (count,) = struct.unpack(">I", profile[128:132])
    for tag in range(count):
        name, at, size = struct.unpack(">4sII", profile[132 + 12 * tag : 144 + 12 * tag])
        if name in columns:
            profile[at + 8 : at + 20] = struct.pack(">3i", *(round(v * 65536) for v in columns[name]))
        if name == b"desc":
            profile[at : at + size] = bytes(profile[at : at + size]).replace(b"s\0R\0G\0B", b"P\0-\0-\0-")
    return bytes(profile)


def _photo(colour: tuple[int, int, int], icc: bytes | None) -> Photo:
    image = Image.fromarray(np.full((20, 20, 3), colour, np.uint8))
    file = io.BytesIO()
    image.save(file, "PNG", **({"icc_profile": icc} if icc else {}))
    file.seek(0)
    return load_photo(Image.open(file))


def test_a_wide_profiles_colour_looks_the_same_in_srgb_and_comes_back() -> None:
    wide = _photo((200, 60, 40), _with_primaries(P3))
    plain = _photo((0, 0, 0), None)
    seen = in_colours_of(wide, plain)
    expected = np.array([217, 42, 23])  # of the primaries' matrices
    assert np.abs(seen[0, 0].astype(int) - expected).max() <= 2
    back = in_colours_of(_photo(tuple(seen[0, 0].tolist()), None), wide)
    assert np.abs(back[0, 0].astype(int) - (200, 60, 40)).max() <= 2


@pytest.mark.parametrize(("own", "theirs"), [(None, None), (SRGB, None), (None, SRGB), (SRGB, SRGB)])
def test_the_same_colours_are_left_to_the_bit(own: bytes | None, theirs: bytes | None) -> None:
    photo = _photo((200, 60, 40), own)
    assert in_colours_of(photo, _photo((1, 2, 3), theirs)) is photo.rgb


def test_a_broken_profile_leaves_the_numbers() -> None:
    broken = _with_primaries(P3)[:300]
    photo = _photo((200, 60, 40), None)
    target = _photo((1, 2, 3), broken)
    np.testing.assert_array_equal(in_colours_of(photo, target), photo.rgb)
