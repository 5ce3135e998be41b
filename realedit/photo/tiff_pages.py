"""What a TIFF holds: its pages, and what it has beside the picture that no edited photo takes over."""

from __future__ import annotations

from PIL import TiffImagePlugin

from realedit.errors import Sentence

_DNG_VERSION = 50706
"""TIFF tag that only camera RAW files have. Set by the DNG specification."""
_SUBFILE_TYPE = 254
"""TIFF tag that tells reduced copies and masks from pictures. Set by the TIFF specification."""
_REDUCED, _MASK = 0b001, 0b100
"""Bits of that tag. Set by the TIFF specification."""
_MOST_PAGES = 256
"""Pages of a TIFF that are looked at: those behind them are not, since a file of some megabytes may have a
million. Not measured."""
_PHOTOSHOP_LAYERS = 37724
"""TIFF tag in which Photoshop keeps its layers. Set by Photoshop's specification."""


def is_raw(image: TiffImagePlugin.TiffImageFile) -> bool:
    """Tells whether a TIFF is a camera's raw file, whose first page is a small copy of the photo."""
    return _DNG_VERSION in image.tag_v2 or bool(_subfile_type(image) & _REDUCED)


def full_pages(image: TiffImagePlugin.TiffImageFile) -> int:
    """Counts pages that are pictures of their own, not reduced copies or masks, of the first so many."""
    count = 0
    for page in range(_MOST_PAGES):
        try:
            image.seek(page)
        except EOFError:
            break
        count += not _subfile_type(image) & (_REDUCED | _MASK)
    image.seek(0)
    return count


def _subfile_type(image: TiffImagePlugin.TiffImageFile) -> int:
    """Returns the bits of the page's tag; none where a damaged file has no whole number in its place."""
    found: object = image.tag_v2.get(_SUBFILE_TYPE, 0)
    return found if isinstance(found, int) else 0


def beside(image: TiffImagePlugin.TiffImageFile, channels: int) -> tuple[str, ...]:
    """Returns a note of what a TIFF holds beside its picture: channels more (selections), layers.

    Args:
        image: the file.
        channels: of the picture, as it was decoded.
    """
    count: object = image.tag_v2.get(TiffImagePlugin.SAMPLESPERPIXEL, channels)
    more = count - channels if isinstance(count, int) else 0
    names = [
        *([f"{more} further channel{'s' if more > 1 else ''}"] if more > 0 else []),
        *(["Photoshop's layers"] if _PHOTOSHOP_LAYERS in image.tag_v2 else []),
    ]
    return (Sentence(f"left out of the edited photo: {', '.join(names)}", "left_out"),) if names else ()
