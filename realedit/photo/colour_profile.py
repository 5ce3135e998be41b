"""One photo's colours as another's file would say them: what is laid into a photo is to look as it did.

Pixels of two photos with other colour profiles are other colours at the same numbers: a phone's Display P3
against sRGB. Profiles are converted by LittleCMS (Pillow's ImageCms), relative colorimetric with black point
compensation.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from realedit.photo.photo import Photo


def in_colours_of(photo: Photo, target: Photo) -> np.ndarray:
    """The photo's pixels in the other's colour profile, uint8 ``[H, W, 3]``.

    Where a photo has no RGB profile it is taken for sRGB, where one cannot be read its numbers stay.
    """
    own, theirs = _profile(photo), _profile(target)
    if own == theirs:
        return photo.rgb
    try:
        converted = ImageCms.profileToProfile(
            Image.fromarray(photo.rgb),
            _opened(own),
            _opened(theirs),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        return photo.rgb
    return photo.rgb if converted is None else np.array(converted)


def _profile(photo: Photo) -> bytes:
    """The photo's RGB profile; empty for sRGB."""
    icc = photo.metadata.icc
    return icc if icc[16:20] == b"RGB " and not _is_srgb(icc) else b""


def _is_srgb(icc: bytes) -> bool:
    try:
        return "srgb" in ImageCms.getProfileDescription(_opened(icc)).lower()
    except (ImageCms.PyCMSError, OSError):
        return False


def _opened(icc: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(icc) if icc else ImageCms.createProfile("sRGB"))
