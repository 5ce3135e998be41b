"""Pictures that explain (cut-outs, masks, drawings), as PNG or JPEG files; not the edited photo itself."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
"""The formats of pictures that explain, by their suffixes."""


def picture_file(image: Image.Image, path: Path, icc: bytes = b"") -> bytes:
    """Returns a picture as a PNG or JPEG file, as the path's suffix says.

    Args:
        image: RGB or RGBA.
        path: the file.
        icc: the colour profile of the photo that it comes from; left out if it is not one of RGB.
    """
    file = io.BytesIO()
    kind = PICTURES[path.suffix.lower()]
    options: dict[str, Any] = {"quality": 92} if kind == "JPEG" else {}
    image.save(file, kind, icc_profile=icc if icc[16:20] == b"RGB " else None, **options)
    return file.getvalue()


def mask_png(mask: np.ndarray) -> bytes:
    """Returns a matte ``[H, W]`` in [0, 1] as an 8-bit grey PNG file."""
    file = io.BytesIO()
    Image.fromarray((mask * 255).round().clip(0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
