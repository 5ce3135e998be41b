"""Draws over photos so that it can be read on dark and on bright ones: outlines, arrows, hatching, numbers.

Every line has a dark casing, as roads on a map have, and is as wide as the picture is large. All functions
that draw take a float32 picture ``[H, W, 3]`` in 0..255 and change it in place.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
GREEN: Colour = (52, 211, 153)
AMBER: Colour = (251, 191, 36)
RED: Colour = (255, 99, 99)
_DARK: Colour = (12, 14, 18)

_LINE_SIDES = 1 / 360
"""Width of a line in longer sides: wider ones hide what they are about, narrower ones are overlooked. Set by
eye."""
_LEAST_LINE_PIXELS = 1.6
"""Width of a line in pixels: in small pictures it is no less, in larger ones it grows. Set by eye."""
_CASING = 0.75
"""Width of the dark casing on each side of a line, in widths of the line: wider is heavier, narrower is lost
on bright photos. Set by eye."""
_CASING_OPACITY = 0.6
"""Opacity of the casing: higher stands out from more photos, lower lets more of them through. Set by eye."""
_DASH, _GAP = 7.0, 4.5
"""Lengths of a dash and of the gap behind it, in widths of the line: longer ones are coarser, shorter ones
look like a line. Set by eye."""
_SMOOTH = 2.0
"""Standard deviation of the Gaussian along an outline, in widths of half a line: more rounds corners off,
less shows the pixels' steps. Set by eye."""
_CRUMB = 10.0
"""Length of an outline in widths of the line: shorter ones are left out, as they would be dots, unless there
is no longer one. Set by eye."""
_FINER = 4
"""Steps in a pixel to which lines are placed, as a power of two: more changes nothing that can be seen, with
0 lines wobble. Set by eye."""
_HATCH, _HATCH_LINE = 8.0, 1.0
"""Distance of the hatching's lines and their width, in widths of a line: wider is sparser, narrower is
denser. Set by eye."""
_HATCH_OPACITY = 0.75
"""Opacity of the hatching: higher hides what is below, lower is overlooked. Set by eye."""
_HEAD = 6.0
"""Length of an arrow's head in widths of the line. Set by eye."""
_LEAST_ARROW = 10.0
"""Length of an arrow in widths of the line: shorter ones are not drawn, since nothing of them would show
beside the head. Set by eye."""
_BADGE = 5.0
"""Radius of a number's disc in widths of the line. Set by eye."""
_LEAST_BADGE_PIXELS = 9.0
"""Radius of a number's disc in pixels: in small pictures it is no less, so that the number can be read. Set
by eye."""
_HALF = 0.5
"""Share of a pixel that is the object's: above it lies inside the outline, below it outside. Set by
definition."""


def line_width(shape: tuple[int, ...]) -> float:
    """Returns the width of a line in pixels, on a picture ``[H, W, ...]``."""
    return max(_LEAST_LINE_PIXELS, max(shape[:2]) * _LINE_SIDES)


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Returns the closed outlines of a mask ``[H, W]`` in [0, 1], float64 ``[n, 2]`` of (x, y) in pixels.

    They are smoothed along themselves, so that they show the object's edge and not the pixels' steps; where
    the frame cuts the object they follow the frame. Those of holes are among them.
    """
    width = line_width(mask.shape)
    edge = 1  # a border of nothing, so that an outline closes along the frame
    solid = np.pad((mask > _HALF).astype(np.uint8), edge)
    found, _ = cv2.findContours(solid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    lines = [points[:, 0].astype(np.float64) - edge for points in found]
    least = min(_CRUMB * width, max(map(len, lines), default=0))
    return [_smoothed(line, _SMOOTH * width / 2) for line in lines if len(line) >= least]


def stroke(
    picture: np.ndarray, line: np.ndarray, colour: Colour, *, closed: bool = True, dashed: bool = False
) -> None:
    """Draws a line of (x, y) in pixels, ``[n, 2]``, with its casing."""
    width = line_width(picture.shape)
    pieces = _dashes(line, closed, _DASH * width, _GAP * width) if dashed else [line]
    ends = closed and not dashed
    _lay(picture, _covered(picture.shape, pieces, width * (1 + 2 * _CASING), ends), _DARK, _CASING_OPACITY)
    _lay(picture, _covered(picture.shape, pieces, width, ends), colour, 1.0)


def arrow(picture: np.ndarray, start: tuple[float, float], end: tuple[float, float], colour: Colour) -> None:
    """Draws an arrow from one (x, y) in pixels to another; none where they are too near."""
    width = line_width(picture.shape)
    tail, tip = np.array(start, np.float64), np.array(end, np.float64)
    length = float(np.hypot(*(tip - tail)))
    if length < _LEAST_ARROW * width:
        return
    along = (tip - tail) / length
    across = np.array([-along[1], along[0]])
    head = _HEAD * width
    neck = tip - along * head
    wings = np.array([tip, neck + across * head * _HALF, neck - across * head * _HALF])
    shaft = np.array([tail, neck])
    for wider, tone, opacity in ((width * 2 * _CASING, _DARK, _CASING_OPACITY), (0.0, colour, 1.0)):
        cover = _covered(picture.shape, [shaft], width + wider, closed=False)
        cv2.fillPoly(cover, [_fixed(wings)], 255, cv2.LINE_AA, _FINER)
        if wider:
            edge = _covered(picture.shape, [wings], wider, closed=True)
            cover = np.maximum(cover, edge)
        _lay(picture, cover, tone, opacity)


def hatch(picture: np.ndarray, mask: np.ndarray, colour: Colour) -> None:
    """Hatches what a mask ``[H, W]`` in [0, 1] covers, and darkens it a little."""
    width = line_width(picture.shape)
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    across = (rows + columns) / np.sqrt(2) % (_HATCH * width)
    lines = np.clip(_HATCH_LINE * width / 2 - np.abs(across - _HATCH * width / 2) + _HALF, 0, 1)
    inside = mask.astype(np.float32)
    _lay(picture, inside * 255, _DARK, 0.35)
    _lay(picture, inside * lines.astype(np.float32) * 255, colour, _HATCH_OPACITY)


def badge_radius(shape: tuple[int, ...]) -> float:
    """Returns the radius of a number's disc in pixels, on a picture ``[H, W, ...]``."""
    return max(_LEAST_BADGE_PIXELS, _BADGE * line_width(shape))


def badge(picture: np.ndarray, at: tuple[float, float], text: str, colour: Colour) -> None:
    """Draws a number on a dark disc at (x, y) in pixels, pushed into the picture where it would leave it."""
    height, width = picture.shape[:2]
    radius = badge_radius(picture.shape)
    x = min(max(at[0], radius + 1), width - radius - 1)
    y = min(max(at[1], radius + 1), height - radius - 1)
    finer = 4
    side = int(np.ceil(2 * radius)) + 2
    left, top = round(x - side / 2), round(y - side / 2)
    left, top = max(0, min(left, width - side)), max(0, min(top, height - side))
    if side > min(width, height):
        return
    tile = Image.new("RGBA", (side * finer, side * finer))
    draw = ImageDraw.Draw(tile)
    draw.ellipse((finer, finer, (side - 1) * finer, (side - 1) * finer), (*_DARK, 255))
    rim = max(1, round(radius * finer / 8))
    draw.ellipse((finer, finer, (side - 1) * finer, (side - 1) * finer), outline=(*colour, 255), width=rim)
    font = ImageFont.load_default(round(radius * finer * 1.15))
    draw.text((side * finer / 2, side * finer / 2), text, (*WHITE, 255), font, anchor="mm")
    small = np.asarray(tile.resize((side, side), Image.Resampling.LANCZOS), np.float32)
    part = picture[top : top + side, left : left + side]
    part += (small[..., :3] - part) * small[..., 3:] / 255


def _lay(picture: np.ndarray, cover: np.ndarray, colour: Colour, opacity: float) -> None:
    """Lays a colour over the picture where ``cover`` ``[H, W]`` in 0..255 says."""
    share = (cover.astype(np.float32) * (opacity / 255))[..., None]
    picture += (np.array(colour, np.float32) - picture) * share


def _covered(shape: tuple[int, ...], lines: Sequence[np.ndarray], width: float, closed: bool) -> np.ndarray:
    """Returns how much of each pixel lines of a width cover, uint8 ``[H, W]``."""
    cover = np.zeros(shape[:2], np.uint8)
    fixed = [_fixed(line) for line in lines]
    cv2.polylines(cover, fixed, closed, 255, max(1, round(width)), cv2.LINE_AA, _FINER)
    return cover


def _fixed(line: np.ndarray) -> np.ndarray:
    return np.round(line * (1 << _FINER)).astype(np.int32)


def _smoothed(line: np.ndarray, sigma: float) -> np.ndarray:
    """Returns a closed line whose points are Gaussian means of their neighbours along it."""
    sigma = min(sigma, len(line) / 8)
    reach = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-6)) ** 2)
    around = np.concatenate([line[-reach:], line, line[:reach]]) if reach else line
    return np.stack(
        [np.convolve(around[:, axis], weights / weights.sum(), "valid") for axis in (0, 1)], axis=-1
    )


def _dashes(line: np.ndarray, closed: bool, dash: float, gap: float) -> list[np.ndarray]:
    """Cuts a line into dashes; on a closed one the pattern meets itself."""
    points = np.concatenate([line, line[:1]]) if closed else line
    steps = np.hypot(*np.diff(points, axis=0).T)
    place = np.concatenate([[0.0], np.cumsum(steps)])
    count = max(1, round(place[-1] / (dash + gap)))
    period = place[-1] / count
    dash = period * dash / (dash + gap)
    pieces: list[np.ndarray] = []
    for number in range(count):
        count_points = max(2, round(dash / 2))
        at: np.ndarray = number * period + dash * np.arange(count_points) / (count_points - 1)
        x, y = np.interp(at, place, points[:, 0]), np.interp(at, place, points[:, 1])
        pieces.append(np.column_stack([x, y]))
    return pieces
