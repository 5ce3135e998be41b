r"""Where a photo has the colour that words name: "the green box".

In CIELAB, with lightness L, chroma C and hue h of a place and the named hue :math:`h_0`,

.. math:: s = e^{-(\Delta h / 35^\circ)^2}\, \min(1, \max(0, (C - 8) / 20)), \qquad
    s = e^{-(C / 15)^2}\, l(L)

of a colour with a hue, and of white, grey and black, whose l says how light or dark it is.
"""

from __future__ import annotations

import cv2
import numpy as np

_HUES = {
    "red": 35.0,
    "orange": 60.0,
    "yellow": 95.0,
    "green": 150.0,
    "blue": 270.0,
    "purple": 315.0,
    "pink": 0.0,
}
"""Colours with a hue, and its angle in CIELAB, degrees. By eye."""
_GREYS = {"white": 90.0, "grey": 55.0, "gray": 55.0, "black": 10.0}
"""Colours without a hue, and their lightness L*. By eye."""
_HUE_WIDTH = 35.0
"""Degrees from the named hue at which a place counts 1 / e: wider ones mix neighbouring colours, narrower
ones miss shades. Not measured."""
_NO_CHROMA, _CHROMA = 8.0, 20.0
"""Chroma up to which a place has no hue, and how much more it takes to have it wholly. Not measured."""
_GREY_CHROMA = 15.0
"""Chroma at which a place counts 1 / e as without hue: higher takes pale colours for greys. Not measured."""
_LIGHTNESS = 25.0
"""Difference in L* at which a place counts 1 / e as so light: more mixes grey with both. Not measured."""


def named(words: str, noun: str) -> str | None:
    """The colour that words name before their noun, "red" of "big red car"; None where they name none.

    Args:
        words: the object's.
        noun: the end of it that is known by itself: of an "orange", or a "red wine", it is no colour.
    """
    own = set(noun.lower().split())
    spoken = [word for word in words.lower().split()[:-1] if word not in own]
    return next((word for word in reversed(spoken) if word in _HUES or word in _GREYS), None)


def share(rgb: np.ndarray, colour: str, height: int, width: int) -> np.ndarray:
    """How much of a colour each place has, float32 ``[height, width]`` in [0, 1].

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        colour: one that :func:`named` returns.
        height: places from top to bottom.
        width: places from left to right.
    """
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    light, a, b = np.moveaxis(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), -1, 0)
    chroma = np.hypot(a, b)
    if colour in _GREYS:
        away = (light - _GREYS[colour]) / _LIGHTNESS
        return (np.exp(-((chroma / _GREY_CHROMA) ** 2)) * np.exp(-(away**2))).astype(np.float32)
    turn = (np.degrees(np.arctan2(b, a)) - _HUES[colour] + 180) % 360 - 180
    coloured = np.clip((chroma - _NO_CHROMA) / _CHROMA, 0, 1)
    return (np.exp(-((turn / _HUE_WIDTH) ** 2)) * coloured).astype(np.float32)
