"""Converts a picture between ICC colour profiles by LittleCMS (Pillow's ImageCms).

Always relative colorimetric with black point compensation, as photo editors do: white stays white, black
black.
"""

from __future__ import annotations

import io
from typing import Any, cast

from PIL import Image, ImageCms

_SRGB = ("srgb", "gra_d65_rel_srg", "rgb_d65_srg_rel_srg")
"""What profiles of sRGB are called; the last two by libjxl, for files without a profile of their own."""
_ERRORS = (ImageCms.PyCMSError, OSError)


def converted(image: Image.Image, *, source: bytes, target: bytes, mode: str) -> Image.Image | None:
    """Converts an image from one profile to another.

    Args:
        image: in the mode of ``source``.
        source: the image's ICC profile; empty means sRGB.
        target: the result's, likewise.
        mode: the result's, in Pillow's words.

    Returns:
        The image in ``mode``, or None if a profile cannot be read or does not fit its mode.
    """
    try:
        return ImageCms.profileToProfile(
            image,
            _opened(source),
            _opened(target),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode=mode,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except _ERRORS:
        return None


def is_srgb(icc: bytes) -> bool:
    """Tells whether a profile calls itself sRGB; False if it cannot be read."""
    try:
        named = ImageCms.getProfileDescription(_opened(icc)).lower()
        return any(name in named for name in _SRGB)
    except _ERRORS:
        return False


def _opened(icc: bytes) -> ImageCms.ImageCmsProfile:
    pillow = cast("Any", ImageCms)  # its profiles are of a C type that has no stub
    return ImageCms.ImageCmsProfile(io.BytesIO(icc) if icc else pillow.createProfile("sRGB"))
