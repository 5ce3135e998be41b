"""Makes the pictures of a report: photos scaled for reading, mask and attention over the photo, the panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

LONGEST = 1600
"""Longest side, in pixels, of a picture in a report; larger ones are scaled down. Set by eye."""

_TILE_PIXELS = (360, 640)
"""Least and greatest longest side, in pixels, of a tile in the panel; other pictures are scaled to it. Set by
eye."""
_GAP = 16
"""Pixels between the panel's tiles and at its edges."""
_TITLE = 40
"""Height in pixels of the panel's title."""
_CAPTION = 28
"""Height in pixels of the caption below a tile."""
_LINE = 24
"""Height in pixels of a line of text below the tiles."""
_WIDE = 1.4
"""Tiles wider than this many times their height stand in two rows, if there are four or more. Set by eye."""
_PAPER = (250, 250, 248)
_INK = (24, 24, 27)
_GREY = (113, 113, 122)
_BEFORE = (255, 255, 255)
_AFTER = (52, 211, 153)
# black, violet, orange, pale yellow, as in matplotlib's inferno
_RAMP = np.array([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]], dtype=np.float32)


@dataclass(frozen=True)
class Tile:
    """One captioned picture."""

    caption: str
    image: Image.Image


def fit(image: Image.Image, longest: int = LONGEST) -> Image.Image:
    """Returns an RGB picture whose longest side is at most `longest` pixels."""
    image = image.convert("RGB")
    scale = longest / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image if scale >= 1 else _at(image, size)


def overlay(
    image: Image.Image, heat: np.ndarray | None, before: np.ndarray, after: np.ndarray | None
) -> Image.Image:
    """Draws attention over a photo, and the object's outlines before and after the edit.

    Args:
        image: the photo, as `fit` returns it.
        heat: the attention, ``[h, w]`` in [0, 1] at any size; None where there is none.
        before: the object's mask ``[H, W]`` in [0, 1], outlined in white.
        after: its mask after the edit, likewise, outlined in green; None where it is gone.
    """
    grey = np.asarray(image.convert("L"), dtype=np.float32)[..., None] * np.ones(3, dtype=np.float32)
    level = np.zeros((*grey.shape[:2], 1), dtype=np.float32)
    if heat is not None:
        level = _at_size(heat, image.size, Image.Resampling.BILINEAR)[..., None]
    # attention shows by colour over a darkened grey photo; without it, the photo need not be so dark
    base = grey * 0.55 if heat is not None else grey * 0.8
    opacity = 0.75 * np.sqrt(level)
    picture = base * (1 - opacity) + _coloured(level[..., 0]) * opacity
    for mask, colour in ((before, _BEFORE), (after, _AFTER)):
        if mask is not None:
            picture[_outline(_at_size(mask, image.size, Image.Resampling.BILINEAR))] = colour
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def outlined(image: Image.Image, mask: np.ndarray, colour: tuple[int, int, int]) -> Image.Image:
    """Draws the outline of a mask, ``[H, W]`` in [0, 1] at any size, on a picture of RGB."""
    picture = np.asarray(image).copy()
    picture[_outline(_at_size(mask, image.size, Image.Resampling.BILINEAR))] = colour
    return Image.fromarray(picture)


def stacked(rows: Sequence[Image.Image]) -> Image.Image:
    """Lays panels out one below the other, at the left."""
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), _PAPER)
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def panel(
    tiles: Sequence[Tile], title: str, lines: Sequence[str], *, columns: int | None = None
) -> Image.Image:
    """Lays tiles out at the first one's size, with a title above and lines of text below.

    Args:
        tiles: one or more.
        title: one line.
        lines: wrapped where they are too long.
        columns: tiles in a row; by default all, or half of four and more wide ones.
    """
    width, height = _tile_size(tiles[0].image)
    pictures = [_at(tile.image, (width, height)) for tile in tiles]
    if columns is None:
        columns = len(tiles) if width <= _WIDE * height or len(tiles) < 4 else (len(tiles) + 1) // 2
    rows = -(-len(tiles) // columns)
    big, small = ImageFont.load_default(24), ImageFont.load_default(17)
    total_width = columns * (width + _GAP) + _GAP
    lines = [part for line in lines for part in _wrapped(line, small, total_width - 2 * _GAP)]
    total_height = (
        _GAP + _TITLE + rows * (height + _CAPTION + _GAP) + _LINE * len(lines) + (_GAP if lines else 0)
    )
    sheet = Image.new("RGB", (total_width, total_height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, _GAP), title, _INK, big)
    for index, (tile, picture) in enumerate(zip(tiles, pictures, strict=True)):
        x = _GAP + index % columns * (width + _GAP)
        y = _GAP + _TITLE + index // columns * (height + _CAPTION + _GAP)
        sheet.paste(picture, (x, y))
        draw.text((x, y + height + 6), tile.caption, _INK, small)
    top = _GAP + _TITLE + rows * (height + _CAPTION + _GAP)
    for index, line in enumerate(lines):
        draw.text((_GAP, top + _LINE * index), line, _GREY, small)
    return sheet


def _tile_size(image: Image.Image) -> tuple[int, int]:
    least, most = _TILE_PIXELS
    scale = min(most, max(least, max(image.size))) / max(image.size)
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def _at(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    smaller = size[0] < image.width
    return image.resize(size, Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC)


def _at_size(values: np.ndarray, size: tuple[int, int], kind: Image.Resampling) -> np.ndarray:
    picture = Image.fromarray(np.nan_to_num(np.asarray(values, dtype=np.float32)))
    return np.asarray(picture.resize(size, kind), dtype=np.float32).clip(0, 1)


def _coloured(level: np.ndarray) -> np.ndarray:
    stops = np.linspace(0, 1, len(_RAMP))
    return np.stack([np.interp(level, stops, _RAMP[:, channel]) for channel in range(3)], axis=-1)


def _outline(mask: np.ndarray) -> np.ndarray:
    """Returns a mask's outline, bool ``[H, W]``; the line is wider on larger pictures."""
    width = 3 + 2 * (max(mask.shape) // 700)
    solid = Image.fromarray(((mask > 0.5) * 255).astype(np.uint8))
    wide = np.asarray(solid.filter(ImageFilter.MaxFilter(width)))
    return (wide > 0) & (mask <= 0.5)


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
