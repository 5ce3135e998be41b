"""Converts a photo's pixels to another photo's colour profile, so that they look the same when laid into it.

The same numbers are other colours under another profile: a phone's Display P3 against sRGB.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from realedit.photo.photo import Photo
from realedit.photo.profile_conversion import converted, is_srgb


def in_colours_of(photo: Photo, target: Photo) -> np.ndarray:
    """Returns the photo's pixels in the other photo's colour profile, uint8 ``[H, W, 3]``.

    A photo without an RGB profile is taken for sRGB. If a profile cannot be read, the numbers stay.
    """
    own, theirs = _profile(photo), _profile(target)
    if own == theirs:
        return photo.rgb
    image = converted(Image.fromarray(photo.rgb), source=own, target=theirs, mode="RGB")
    return photo.rgb if image is None else np.array(image)


def _profile(photo: Photo) -> bytes:
    """Returns the photo's RGB profile; empty for sRGB."""
    icc = photo.metadata.icc
    return icc if icc[16:20] == b"RGB " and not is_srgb(icc) else b""
