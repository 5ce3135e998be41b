"""A photo in memory: its own samples and metadata, the RGB view that models see, and compositing into it.

The samples that the file holds (16 bits, palette, CMYK, alpha ...) stay as they are, so that
:func:`realedit.photo.save_photo` can write back bit for bit all that an edit does not touch.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from realedit.errors import PhotoError, Sentence, UsageError
from realedit.photo.decode import decode_bytes
from realedit.photo.formats import MOST_FILE_BYTES
from realedit.photo.in_memory import InMemory, from_memory
from realedit.photo.metadata import PhotoMetadata
from realedit.photo.samples import Samples, differs
from realedit.system.outside_json import read_at_most

_ADDRESS = re.compile(r"(?P<kind>https?|ftp|s3|gs|file):/", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Photo:
    """One still picture, turned upright.

    Attributes:
        rgb: uint8 [H, W, 3], the view that models see: colours as stored, transparency ignored. Of an RGB
            photo it is the samples themselves: not to be written into.
        native: the file's own samples at its own depth.
        metadata: all else that the file says.
        source: the file that it came from, if any; kept to protect that file, never written anywhere.
        original: its samples as they were read, where an edit has changed them; else None.
    """

    rgb: np.ndarray
    native: Samples
    metadata: PhotoMetadata
    source: Path | None = None
    original: Samples | None = None

    @property
    def height(self) -> int:
        """Rows."""
        return self.rgb.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.rgb.shape[1]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in Pillow's order."""
        return self.width, self.height

    def digest(self) -> str:
        """Returns the SHA-256 of the upright RGB pixels and their size, in hexadecimal."""
        header = f"{self.width}x{self.height}:".encode()
        return hashlib.sha256(header + np.ascontiguousarray(self.rgb).tobytes()).hexdigest()

    def to_pillow(self) -> Image.Image:
        """Returns a Pillow image in the photo's own mode; 8-bit RGB for 16-bit colour, which Pillow lacks."""
        if self.native.mode in ("RGB;16", "RGBA;16"):
            return Image.fromarray(self.rgb)
        image = self.native.to_pillow()
        if self.metadata.icc:
            image.info["icc_profile"] = self.metadata.icc
        return image


def load_photo(source: str | os.PathLike[str] | InMemory) -> Photo:
    """Reads a photo and turns it upright.

    Args:
        source: the path of a file (JPEG, PNG, TIFF, WebP, AVIF, GIF, BMP, JPEG 2000, TGA, PPM, HEIC if
            pillow-heif is installed, JPEG XL if pillow-jxl-plugin is), or a photo in memory, see
            :func:`realedit.photo.in_memory.from_memory`.

    Raises:
        PhotoError: there is no such file, or it is no photo that can be edited without loss; the message says
            why and what to do.
    """
    if not isinstance(source, str | os.PathLike):
        return _photo(*from_memory(source), None)
    path = Path(source)
    return _photo(*decode_bytes(_read(path), path.name), path.absolute())


def read_photo(data: bytes, name: str, *, most_pixels: int | None = None) -> Photo:
    """Reads a photo of which only the file's content is at hand, and turns it upright.

    Args:
        data: the whole file.
        name: what errors call it; no file of that name is opened.
        most_pixels: larger photos are refused before they are decoded; None: only those that are not safe.

    Raises:
        PhotoError: as :func:`load_photo`'s.
    """
    if not data:
        raise PhotoError(Sentence(f"{name} is empty", "damaged"), "copy or export it again")
    if len(data) > MOST_FILE_BYTES:
        raise PhotoError(f"{name} holds more than {MOST_FILE_BYTES // 2**20} MB", "shrink it")
    return _photo(*decode_bytes(data, name, most_pixels=most_pixels), None)


def _photo(samples: Samples, metadata: PhotoMetadata, path: Path | None) -> Photo:
    if not samples.values.size:
        raise PhotoError("the photo has no pixels")
    return Photo(samples.to_rgb(), samples, metadata, path)


def composite(photo: Photo, edited_rgb: np.ndarray, alpha: np.ndarray) -> Photo:
    """Blends an edit into a photo: (1 - alpha) photo + alpha edited, in the photo's own mode and depth.

    Where alpha is 0 every sample stays bit-identical; where it is 1 the pixel takes the edited colour (in
    modes `P` and `1` the nearest colours, dithered; in grey modes its luma). The photo's transparency stays.

    Args:
        photo: the photo to edit.
        edited_rgb: uint8 [H, W, 3] at the photo's size.
        alpha: float [H, W] in [0, 1].

    Raises:
        ValueError: a shape, type or range is another.
    """
    shape = (photo.height, photo.width)
    if edited_rgb.shape != (*shape, 3) or edited_rgb.dtype != np.uint8:
        raise ValueError(
            f"edited_rgb: expected uint8 {[*shape, 3]}, got {edited_rgb.dtype} {list(edited_rgb.shape)}"
        )
    if alpha.shape != shape or not np.issubdtype(alpha.dtype, np.floating):
        raise ValueError(f"alpha: expected floats {list(shape)}, got {alpha.dtype} {list(alpha.shape)}")
    # written so that NaN fails too
    if not (alpha.min() >= 0 and alpha.max() <= 1):
        raise ValueError(f"alpha: expected values in [0, 1], got {alpha.min()} to {alpha.max()}")
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not rows.size:
        return photo
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    samples = photo.native
    if samples.palette is not None:
        samples = samples.with_colours_for((alpha > 0) & differs(edited_rgb, photo.rgb))
    part = samples.crop(*box).blend(edited_rgb[box], alpha[box])
    values = samples.values.copy()
    values[box] = part.values
    rgb = values if samples.mode == "RGB" else photo.rgb.copy()
    rgb[box] = part.to_rgb()
    native = replace(samples, values=values)
    return replace(photo, rgb=rgb, native=native, original=photo.original or photo.native)


def hidden_by_alpha(before: Photo, after: Photo) -> tuple[str, ...]:
    """Warns if an edit changed transparent pixels: :func:`composite` keeps alpha, so it may not be seen.

    Args:
        before: the photo.
        after: the edited photo, of the same size.

    Returns:
        One warning, or none.
    """
    if after.native.opaque(differs(before.rgb, after.rgb)):
        return ()
    told = (
        "the photo is partly transparent where it was edited and stays so, which may hide the edit; "
        "flatten the photo onto a background first"
    )
    return (Sentence(told, "transparent"),)


def _read(path: Path) -> bytes:
    if found := _ADDRESS.match(str(path)):
        raise PhotoError(f"{found['kind']}: the photo is at an address, not in a file", "download it first")
    if os.path.isdir(path):
        raise PhotoError(f"{path} is a folder, not a photo", "name one image file in it")
    try:
        data = read_at_most(path, MOST_FILE_BYTES)
    except FileNotFoundError:
        raise PhotoError(f"no such file: {path}", "check the name and the folder") from None
    except PermissionError:
        raise PhotoError(f"{path} may not be read by this user", "check the file's permissions") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            raise UsageError(f"no file has a name as long as {path.name[:20]}...", "check the name") from None
        raise PhotoError(f"{path} cannot be read ({reason})", "check the name and the disk") from error
    if not data:
        raise PhotoError(f"{path} is empty", "copy or export it again")
    return data
