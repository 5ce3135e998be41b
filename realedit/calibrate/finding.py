"""Measures how well a way of finding points at things and outlines them, and how it tells what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from realedit.bench.case import LoadedCase
from realedit.engine import Engine
from realedit.find.attention import heat as heat_of
from realedit.find.attention import mean_attention
from realedit.photo.inputs import as_photo
from realedit.prompts import split, with_words

_HALF = 0.5
"""Heat in [0, 1]: a place above it counts as the thing's in the figures, below it does not. Set by
definition."""


@dataclass(frozen=True)
class Pointed:
    """What a word's heat is worth.

    Args:
        points: whether its highest place is on the object.
        iou: of the places above half of the heat with the object, in [0, 1].
        there: what tells that the word is there: peak of ``attention``, contrast of ``goca``.
        heat: float32 ``[h, w]`` in [0, 1].
    """

    points: bool
    iou: float
    there: float
    heat: np.ndarray

    @property
    def loss(self) -> float:
        """1 less the mean of pointing and IoU, in [0, 1]."""
        return 1 - (float(self.points) + self.iou) / 2


def pointed(engine: Engine, loaded: LoadedCase, word: str) -> Pointed | None:
    """Looks for a word in a case's photo; None where the model does not read it.

    Neither the recogniser nor names take part: it is the model's own attention that is measured.
    """
    photo = as_photo(loaded.photo)
    noun = split(word)[1]
    inverted = engine.inverted_for(
        photo, with_words(loaded.case.prompt, noun), [noun], {"method": "noised", "glance": True}
    )
    tokens = engine.backbone.tokens(inverted.prompt, noun)
    if not tokens:
        return None
    everywhere = engine.finder.everywhere
    if everywhere is None:
        heat, there = heat_of(mean_attention(inverted.inversion), tokens)
    else:
        heat, there = everywhere.heat(photo.rgb, inverted, noun)
    return Pointed(*_agreement(heat, loaded.mask), there, heat)


def _agreement(heat: np.ndarray, mask: np.ndarray | None) -> tuple[bool, float]:
    """Returns whether a heat points at a mask, and the IoU of its half with it; nothing without a mask."""
    if mask is None:
        return False, 0.0
    wide = cv2.resize(heat, mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
    y, x = np.unravel_index(int(wide.argmax()), wide.shape)
    half: np.ndarray = wide > _HALF
    return bool(mask[y, x]), float((half & mask).sum() / max((half | mask).sum(), 1))


def threshold(present: Sequence[float], absent: Sequence[float]) -> tuple[float, float]:
    """Returns the value at which what is there is best told from what is not, and how well.

    Args:
        present: values of words that are there.
        absent: of words that are not.

    Returns:
        The threshold and the mean of the shares told rightly, in [0, 1]: of what is there at or above it, of
        what is not below. Of equal ones the lowest is taken, which refuses least.
    """
    here, gone = np.asarray(present), np.asarray(absent)
    tried = sorted({*here.tolist(), *gone.tolist()})
    between = [tried[0], *((a + b) / 2 for a, b in pairwise(tried))]
    scores = [(float((here >= at).mean() + (gone < at).mean()) / 2, -at) for at in between]
    best, at = max(scores)
    return -at, best
