"""The pictures of a report: photos scaled for reading, mask and attention over the photo, one panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

LONGEST = 1600
"""Longest side in pixels of a picture in a report."""

_TILE = (360, 640)  # a tile's longest side in the panel: at least, at most
_GAP = 16
_PAPER = (250, 250, 248)
_INK = (24, 24, 27)
_GREY = (113, 113, 122)
_BEFORE = (255, 255, 255)
_AFTER = (52, 211, 153)
# Black, violet, orange, pale yellow, as in matplotlib's inferno.
_RAMP = np.array([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]], dtype=np.float32)


@dataclass(frozen=True)
class Tile:
    """One captioned picture."""

    caption: str
    image: Image.Image


def fit(image: Image.Image, longest: int = LONGEST) -> Image.Image:
    """Return an RGB picture whose longest side is at most `longest`."""
    image = image.convert("RGB")
    scale = longest / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image if scale >= 1 else _at(image, size)


def overlay(
    image: Image.Image, heat: np.ndarray | None, before: np.ndarray, after: np.ndarray | None
) -> Image.Image:
    """Draw attention, the object's outline and where it goes over a photo.

    Args:
        image: the photo, as `fit` returns it.
        heat: [h, w] in [0, 1], any size, or None where nothing was attended to.
        before: [H, W] in [0, 1], the object's mask (outlined in white).
        after: [H, W] in [0, 1], its mask after the edit (outlined in green), or None.
    """
    grey = np.asarray(image.convert("L"), dtype=np.float32)[..., None] * np.ones(3, dtype=np.float32)
    level = np.zeros((*grey.shape[:2], 1), dtype=np.float32)
    if heat is not None:
        level = _at_size(heat, image.size, Image.Resampling.BILINEAR)[..., None]
    # Attention shows by colour over a darkened grey photo; alone, the mask shows by brightness.
    base = grey * 0.55 if heat is not None else grey * 0.8
    opacity = 0.75 * np.sqrt(level)
    picture = base * (1 - opacity) + _coloured(level[..., 0]) * opacity
    for mask, colour in ((before, _BEFORE), (after, _AFTER)):
        if mask is not None:
            picture[_outline(_at_size(mask, image.size, Image.Resampling.BILINEAR))] = colour
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def panel(tiles: Sequence[Tile], title: str, lines: Sequence[str]) -> Image.Image:
    """Lay tiles out at the first one's size, in a row, in two where wide; title above, lines below."""
    width, height = _tile_size(tiles[0].image)
    pictures = [_at(tile.image, (width, height)) for tile in tiles]
    columns = len(tiles) if width <= 1.4 * height or len(tiles) < 4 else (len(tiles) + 1) // 2
    rows = -(-len(tiles) // columns)
    big, small = ImageFont.load_default(24), ImageFont.load_default(17)
    total_width = columns * (width + _GAP) + _GAP
    lines = [part for line in lines for part in _wrapped(line, small, total_width - 2 * _GAP)]
    total_height = _GAP + 40 + rows * (height + 28 + _GAP) + 24 * len(lines) + (_GAP if lines else 0)
    sheet = Image.new("RGB", (total_width, total_height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, _GAP), title, _INK, big)
    for index, (tile, picture) in enumerate(zip(tiles, pictures, strict=True)):
        x = _GAP + index % columns * (width + _GAP)
        y = _GAP + 40 + index // columns * (height + 28 + _GAP)
        sheet.paste(picture, (x, y))
        draw.text((x, y + height + 6), tile.caption, _INK, small)
    top = _GAP + 40 + rows * (height + 28 + _GAP)
    for index, line in enumerate(lines):
        draw.text((_GAP, top + 24 * index), line, _GREY, small)
    return sheet


def _tile_size(image: Image.Image) -> tuple[int, int]:
    least, most = _TILE
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
    """Border pixels of a mask, one to several pixels wide with the picture's size."""
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
