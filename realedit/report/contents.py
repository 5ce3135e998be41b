"""Shows an object in a report: as a picture and as rows of a table."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from realedit.location import Location
from realedit.photo import Photo
from realedit.report.page import Report
from realedit.report.panel import Tile, fit, overlay


def location_report(photo: Photo, location: Location) -> Report:
    """Returns a report on an object that was found: the photo, its mask and its attention."""
    before = fit(Image.fromarray(photo.rgb))
    tiles = [Tile("before", before), location_tile(before, location, location.mask)]
    return Report(f"found: {location.word or 'object'}", tiles, {"object": location_rows(location)}, "")


def location_tile(
    before: Image.Image, location: Location, mask: np.ndarray, mask_after: np.ndarray | None = None
) -> Tile:
    """Draws an object over the photo: its mask, where it comes to lie, and what the model attended to."""
    by_word = location.source == "word"
    # where the user showed the object, the heat is only the mask once more
    drawn = overlay(before, location.heat if by_word else None, mask, mask_after)
    return Tile("mask and attention" if by_word else f"mask (by {location.source})", drawn)


def location_rows(location: Location) -> list[tuple[str, str]]:
    """Returns an object as rows of name and value."""
    return [
        ("found by", location.source),
        ("box", ", ".join(f"{value:.3f}" for value in location.box)),
        ("centroid", ", ".join(f"{value:.3f}" for value in location.centroid)),
        ("score", figure(location.score)),
    ]


def figure(value: float) -> str:
    """Returns a number as a table shows it."""
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    return "not known" if math.isnan(value) else f"{value:.4g}"
