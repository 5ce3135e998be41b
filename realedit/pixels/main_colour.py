"""Finds the parts of an object that have its main colour: a car's paint, not its tyres and windows.

Whoever wants a blue car wants blue paint; tyres, labels, handles and highlights that are grey stay so.
Colours are compared as a surface has them, CIE Lab's a and b over the lightness: light and shade of one paint
are then about the same.
"""

from __future__ import annotations

import cv2
import numpy as np

_COLOUR_BLUR_UNITS = 1.2
"""Standard deviation in units of the blur before colours are judged: more of it mixes neighbouring colours,
less of it judges grain and JPEG's blocks. Set by eye on six rendered cases, of 0.6 and 1.2: the first left
specks in the grain of dark things."""
_LIGHTNESS, _LEAST_LIGHTNESS = 60.0, 35.0
"""Lightness L to which a and b are brought, and the least from which: darker places count as that dark, since
what they have of colour is noise. Not measured."""
_GREY, _COLOURED = 6.0, 14.0
"""Chroma at that lightness up to which a place is grey, and from which it has a colour; between them in part.
Not measured."""
LEAST_COLOURED = 0.4
"""Share of an object that has a colour: below it the object is a grey or white one, whose coloured parts stay
as they are; at or above it its main hue is its colour, and grey parts stay. Set by eye on ten objects of
COCOEE's first 25 and of ReS's even scenes and on six rendered cases (0.2 a white bus with red stripes, 0.3 a
white box with a label, 0.6 a red car)."""
_MOST_CHROMA = 40.0
"""Chroma beyond which a place says no more about the main hue: higher lets a small glaring part decide, lower
the largest one. Not measured."""
_HUE_BLUR_DEGREES = 20.0
"""Standard deviation in degrees of the blur before the commonest hue is taken: more of it joins hues, less of
it takes a narrow peak. Not measured."""
_ALIKE_DEGREES = (65.0, 90.0)
"""Distance in degrees from the main hue up to which a hue belongs to it, and from which it does not; between
them in part. Wider ones take other parts along, narrower ones leave an apple's yellow side. Set by eye on
those ten."""
_CORE_DEGREES = 30.0
"""Distance in degrees from the main hue up to which places tell its chroma: more of them tell it too low. Not
measured."""
_PALE = (0.2, 0.4)
"""Chroma, as a share of the main colour's, up to which a place is grey beside it, and from which it belongs
to it; between them in part. Higher ones leave highlights and rims, lower ones take labels along. Set by eye
on those ten."""
_HUES = 72
"""Bins of hue: more are finer than what the blur leaves, fewer place the main hue badly. Not measured."""


def main_colour(lab: np.ndarray, matte: np.ndarray, unit: float, least: float = LEAST_COLOURED) -> np.ndarray:
    """Returns how much each place belongs to an object's main colour, float32 ``[H, W]`` in [0, 1].

    Args:
        lab: CIELAB, float32 ``[H, W, 3]``.
        matte: the object, float32 ``[H, W]`` in [0, 1].
        unit: pixels in 1/256 of the longer side.
        least: share of the object that has to have a colour, so that grey is not the main one.
    """
    inside = matte > 0.5
    if not inside.any():
        return np.ones_like(matte)
    soft: np.ndarray = cv2.GaussianBlur(lab, (0, 0), max(_COLOUR_BLUR_UNITS * unit, 0.5))
    ab = soft[..., 1:] * (_LIGHTNESS / np.maximum(soft[..., :1], _LEAST_LIGHTNESS))
    chroma = np.linalg.norm(ab, axis=-1)
    coloured = _ramp(chroma, _GREY, _COLOURED)
    if coloured[inside].mean() < least:
        return 1 - coloured
    hue = np.degrees(np.arctan2(ab[..., 1], ab[..., 0]))
    main = _commonest(hue[inside], (coloured * np.minimum(chroma, _MOST_CHROMA))[inside])
    off = np.abs((hue - main + 180) % 360 - 180)
    core = inside & (off < _CORE_DEGREES) & (coloured > 0.5)
    usual = float(np.median(chroma[core])) if core.any() else _COLOURED
    alike = 1 - _ramp(off, *_ALIKE_DEGREES)
    return alike * _ramp(chroma / usual, *_PALE)


def _commonest(hues: np.ndarray, weights: np.ndarray) -> float:
    """Returns the commonest of some hues in degrees, each of a weight."""
    width = 360 / _HUES
    counts = np.bincount(((hues + 180) / width).astype(int) % _HUES, weights, _HUES)
    offsets = (np.arange(_HUES) + _HUES // 2) % _HUES - _HUES // 2
    kernel = np.exp(-((offsets * width / _HUE_BLUR_DEGREES) ** 2) / 2)
    smooth = np.fft.ifft(np.fft.fft(counts) * np.fft.fft(kernel)).real
    return (int(smooth.argmax()) + 0.5) * width - 180


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
