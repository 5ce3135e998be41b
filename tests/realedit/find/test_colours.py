"""Where a photo has the colour that words name."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.find.colours import named, share

PAINTS = {
    "red": (200, 30, 40),
    "orange": (240, 140, 30),
    "yellow": (235, 215, 40),
    "green": (40, 150, 60),
    "blue": (40, 80, 200),
    "purple": (130, 50, 160),
    "pink": (235, 100, 170),
    "white": (245, 245, 243),
    "grey": (130, 132, 131),
    "black": (20, 20, 22),
}


@pytest.mark.parametrize("colour", PAINTS)
def test_each_colour_is_most_where_it_is_painted(colour: str) -> None:
    rgb = np.repeat(np.array(list(PAINTS.values()), np.uint8)[None], 8, 0).repeat(8, 1)
    found = share(rgb, colour, 1, len(PAINTS))[0]
    assert list(PAINTS)[int(found.argmax())] == colour
    assert found.max() > 0.6
    assert found.min() >= 0


@pytest.mark.parametrize(
    ("words", "noun", "colour"),
    [
        ("green box", "box", "green"),
        ("big Red car", "car", "red"),
        ("box", "box", None),
        ("orange", "orange", None),
        ("left orange", "orange", None),
        ("red wine", "red wine", None),
        ("white red wine", "red wine", "white"),
        ("wooden box", "box", None),
    ],
)
def test_the_colour_stands_before_the_noun(words: str, noun: str, colour: str | None) -> None:
    assert named(words, noun) == colour
