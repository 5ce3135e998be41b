"""Measures on a written file, decoded again, what it keeps of the photo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realedit.errors import PhotoError, Sentence
from realedit.photo.decode import decode_bytes
from realedit.photo.encode import Encoded
from realedit.photo.encode_jpeg import reach
from realedit.photo.formats import FORMATS
from realedit.photo.metadata import PhotoMetadata
from realedit.photo.samples import Samples, differs


@dataclass(frozen=True)
class Kept:
    """What a written file keeps of the photo.

    Attributes:
        figures: ``changed_outside_region``, the pixels outside the region that differ from the photo;
            ``region_share``, the region's share of all pixels; ``file_bytes``.
        warnings: what the user should know.
    """

    figures: dict[str, float]
    warnings: tuple[str, ...] = ()


def measured(
    encoded: Encoded, kind: str, original: Samples, metadata: PhotoMetadata, region: np.ndarray
) -> Kept:
    """Compares a written file with the photo.

    Args:
        encoded: the file.
        kind: its format, as Pillow names it.
        original: the photo's samples as they were read, upright.
        metadata: the photo's.
        region: where the edit may have changed them, bool [H, W]; in a JPEG with kept blocks it is grown to
            whole blocks.

    Raises:
        PhotoError: it shows another frame.
    """
    written, _ = decode_bytes(encoded.content, "the file that was written")
    if written.values.shape[:2] != original.values.shape[:2]:
        raise PhotoError("the file that would be written shows the photo turned or cut", "save as .png")
    if metadata.jpeg is not None and encoded.keeps == "blocks":
        region = reach(metadata.jpeg, region)
    same_kind = written.mode == original.mode and written.values.shape == original.values.shape
    before, after = (original.values, written.values) if same_kind else (original.to_rgb(), written.to_rgb())
    outside = differs(before, after) & ~region
    figures = {
        "changed_outside_region": float(outside.sum()),
        "region_share": float(region.mean()),
        "file_bytes": float(len(encoded.content)),
    }
    if encoded.keeps == "blocks" and outside.any():
        return Kept(figures, (*encoded.notes, _shown_otherwise(int(outside.sum()))))
    if encoded.keeps != "none":
        return Kept(figures, encoded.notes)
    levels = cv2.absdiff(before, after)[~region]
    how = f"by {levels.mean():.1f} levels on average, {levels.max()} at most" if levels.size else "nowhere"
    form = FORMATS[kind]
    instead = "--lossless (lossless=True) keeps them" if form.lossless else "save as .png to keep them"
    size = f"{_size(len(encoded.content))}" + (
        f" (the photo: {_size(metadata.file_bytes)})" if metadata.file_bytes else ""
    )
    told = f"{form.name} is compressed with loss, pixels that were not edited change {how}; {instead}; {size}"
    return Kept(figures, (*encoded.notes, Sentence(told, "lossy_format")))


def _shown_otherwise(count: int) -> str:
    """Returns the warning of a JPEG that keeps its blocks and looks different all the same."""
    return (
        f"{count:,} pixels look different where nothing was edited, though all coefficients there are the "
        "file's own: it is damaged, and decoders make up for what it lacks; save as .png to keep how it looks"
    )


def _size(count: int) -> str:
    """Returns a file's size in kB or MB (powers of 1000), as file managers show it."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
