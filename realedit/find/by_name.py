"""Chooses, among what could be cut out of a photo, what a word means.

A word's heat (:mod:`realedit.find.names`) says roughly where it is: on the word's most telling part, on all
of several things of its name, or beside them. So several hints are given to the cut-out network, the heat as
a whole and each of its peaks, as a point and as the heat about it, and each is answered in several ways. Of
all these the one is taken with the highest ::

    sure + V held + W shared + U whole + C colour - S namesakes

    held = sum_p min(h(p), m(p)) / sum_p max(h(p), m(p)),    namesakes = sum_p g(p) m(p) / sum_p g(p)

with the network's own surety (a logit), the heat h, the answer's mask m, the share of all answers that are
about the same as it, the share of its largest piece, and, where the words say which of several is meant
("left mug"), the heat g of the others; and how much the answer has of a colour that they name
(:mod:`realedit.find.colours`): what is a thing in the network's eyes, as much as possible of what the
word points at, found from most hints, and one thing, not several of a name. How likely that is what is meant
follows from these facts by a logistic formula.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from realedit.cutout.hints import Hint, resized
from realedit.errors import Sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from realedit.cutout.cutout import Rough
    from realedit.cutout.hints import Point
    from realedit.find.names import Named
    from realedit.location import Location

_PEAKS = 5
"""Peaks of the heat that hints are made of, at most: with more, more is looked at and it takes longer, with
fewer the right one of several things, or most of a long one, is missed: IoU of the rough answers 0.692, 0.693
and 0.720 at 2, 4 and 5 on COCOEE's first 25."""
_LEAST_PEAK = 0.25
"""Heat of a peak as a share of the highest: at or above it hints are made of it, below not. Not measured."""
_OF_PEAK = 0.7
"""Heat as a share of a peak's: what is joined to the peak above it is no peak of its own. Not measured."""
_APART_SIDES = 0.1
"""Distance of two peaks in longer sides of the photo: nearer ones count as one. Not measured."""
_NEAR_SIDES = 0.15
"""Standard deviation of the Gaussian that leaves the heat about a peak, in longer sides. Not measured."""
_BLUR = 0.7
"""Standard deviation of the blur before peaks are looked for, in places of the heat. Not measured."""
_HELD, _SHARED = 4.0, 3.0
"""V and W above. Lower, the network's surest answer wins wherever it is; higher, what is as large as the
heat, or what most hints agree on. Mean IoU of the rough answers of COCOEE's first 25 and of 18 photographs
of ReS: 0.693 and 0.575 at 3 and 0, 0.702 and 0.581 at 6 and 0, 0.717 and 0.594 at 3 and 2, 0.717 and 0.583 at
6 and 4; the surest answer to the heat alone 0.671 on the first."""
_WHOLE = 4.0
"""U above. Lower, several things of a name are taken as one; higher, what something hides in part is not
whole. Mean IoU of the rough answers at 0, 1, 4 and 8: of COCOEE's first 25 0.720, 0.723, 0.730 and 0.722, of
18 photographs of ReS 0.594, 0.627, 0.627 and 0.627, of 40 rendered ones 0.813, 0.802, 0.823 and 0.823."""
_NAMESAKES = 4.0
"""S above. Lower, others of the name are taken along; higher, one that touches them is cut. Not measured."""
_COLOUR = 4.0
"""C above. Lower, "green box" is any box; higher, only the most strongly coloured part of it is taken. Of
five photographs of COCOEE's first 25 and ReS's even scenes two are right at 0, and four at 2, 4 and 8."""
_SAME = 0.6
"""IoU of two answers: above it they count as about the same, below not. Not measured."""
_MOST_SHARE = 0.8
"""Share of the photo that an answer covers: larger ones are surroundings and left out. Not measured."""
_WEIGHTS = (-5.3, 0.6, 4.9, 4.0, 1.2, -34.0, 1.0)
"""Of 1, the log-odds that the word is there, what is held, what is shared, the network's surety, the share of
the frame, and the recogniser's say, in the log-odds that the answer is right. But for the last they are a
ridge logistic regression's on 60 answers in 35 photographs, COCOEE's first 25 and ten of ReS's even scenes;
with each photograph left out in turn the area under the curve is 0.91, with the first four alone 0.76. The
last is set by eye: with more, photographed things are believed that only the recogniser sees, with less,
rendered ones are warned of."""
_LEAST_THERE, _MOST_THERE = -4.0, 3.0
"""Bounds within which the log-odds that a word is there count. Not measured."""
_RECOGNISED, _MOST_RECOGNISED = 0.05, 2.0
"""The recogniser's P(noun | place) at which its say is 0, and the most that the logarithm of what is above
it counts; below the first it says nothing. Not measured."""
ENOUGH = 0.87
"""Confidence in [0, 1] at which no other way of finding a word is asked: below it, the model's attention is,
where the recogniser knows the word. Of the first twenty of 40 rendered photographs one more is right at 0.87
than at 0.8, and none is worse; of the others none changes."""
_HALF = 0.5
"""Share of a place that a mask covers, or alpha: above it the place is in the mask. Set by definition."""
DOUBTFUL = 0.6
"""Confidence in [0, 1] below which the user is warned: of those answers 83 % of the wrong ones (IoU below
0.5) lie below it, and 4 % of the right ones; with each photograph left out in turn 67 % and 8 %, at 0.7 78 %
and 17 %."""
_SAME_THING = 0.5
"""IoU of what two ways of finding a word found: from it up they mean one thing. Set by judgement."""
_LEAST_PLACES = 12
"""Places that an answer covers: smaller ones are crumbs and left out. Not measured."""


@dataclass(frozen=True)
class Sought:
    """What a word may mean in a photo, before anything is cut out to its edges.

    Args:
        named: where the word is, and whether it is there.
        answers: what the cut-out network gives to :func:`hints`, coarse.
        colour: how much each place has of the colour that the words name, float32 ``[h, w]``, places of the
            answers; None if they name none.
    """

    named: Named
    answers: tuple[Rough, ...]
    colour: np.ndarray | None = None

    @cached_property
    def chosen(self) -> Rough | None:
        """The answer that the word means; None if it is not there, or all are empty or surroundings."""
        if not self.named.present or not self.answers:
            return None
        likeness = alike(self._masks)
        best, worth = None, -np.inf
        for rough, mask, like in zip(self.answers, self._masks, likeness, strict=True):
            if mask.sum() < _LEAST_PLACES or mask.mean() > _MOST_SHARE:
                continue
            shared = float((like > _SAME).mean())
            its = rough.sure + _HELD * self._held(mask) + _SHARED * shared + _WHOLE * wholeness(mask)
            its -= _NAMESAKES * self._namesakes(mask)
            if self.colour is not None:
                its += _COLOUR * float(self.colour[mask].mean())
            if its > worth:
                best, worth = rough, its
        return best

    def confidence(self, mask: np.ndarray) -> float:
        """How likely a mask, bool ``[H, W]``, is what the word means: see :func:`confidence`."""
        shape = self.answers[0].logits.shape[1:] if self.answers else mask.shape
        small = resized(mask.astype(np.float32), *shape) > _HALF
        same = [iou(small, other) > _SAME for other in self._masks]
        sure = [answer.sure for answer, alike in zip(self.answers, same, strict=True) if alike]
        return confidence(
            self.named.presence,
            self._held(small),
            float(np.mean(same)) if same else 0.0,
            self._recognised(mask),
            sure=max(sure, default=0.0),
            framed=framed(small),
        )

    @cached_property
    def _masks(self) -> list[np.ndarray]:
        return [rough.mask for rough in self.answers]

    def _held(self, mask: np.ndarray) -> float:
        return soft_iou(mask, resized(self.named.heat, *mask.shape))

    def _namesakes(self, mask: np.ndarray) -> float:
        """The share of the others' heat that a mask covers; 0 where there are none."""
        others = resized(self.named.others, *mask.shape)
        return float((others * mask).sum() / max(float(others.sum()), 1e-9))

    def _recognised(self, mask: np.ndarray) -> float:
        """The recogniser's highest P(noun | place) within a mask; 0 of a noun that it does not know."""
        likely = self.named.recognised
        if likely is None:
            return 0.0
        inside = resized(mask.astype(np.float32), *likely.shape) > _HALF
        return float(likely[inside].max()) if inside.any() else 0.0


def hints(heat: np.ndarray, others: np.ndarray | None = None) -> list[Hint]:
    """Hints of a word's heat ``[h, w]``: all of it, and each of its peaks as a point and as the heat near.

    The peaks of the heat of ``others`` of the name, which are not meant, are points against it.
    """
    beside = () if others is None else tuple(peaks(others))
    h, w = heat.shape
    ys, xs = np.mgrid[:h, :w]
    found = [Hint(heat=heat, negative=beside)]
    for x, y in peaks(heat):
        square = (xs + 0.5 - x * w) ** 2 + (ys + 0.5 - y * h) ** 2
        near = heat * np.exp(-square / (2 * (_NEAR_SIDES * max(h, w)) ** 2))
        found += [
            Hint(positive=((x, y),), negative=beside),
            Hint(heat=(near / near.max()).astype(np.float32), negative=beside),
        ]
    return found


def peaks(heat: np.ndarray) -> list[Point]:
    """The highest places (x, y) of a heat ``[h, w]``, each apart from the others, the highest first."""
    left: np.ndarray = cv2.GaussianBlur(heat, (0, 0), _BLUR)
    h, w = left.shape
    ys, xs = np.mgrid[:h, :w]
    least = _LEAST_PEAK * float(left.max())
    found: list[Point] = []
    while len(found) < _PEAKS:
        y, x = np.unravel_index(int(left.argmax()), left.shape)
        if left[y, x] < max(least, 1e-6):
            break
        found.append(((float(x) + 0.5) / w, (float(y) + 0.5) / h))
        near: np.ndarray = (left > _OF_PEAK * left[y, x]).astype(np.uint8)
        pieces: np.ndarray = cv2.connectedComponentsWithStats(near)[1]
        taken: np.ndarray = (pieces == pieces[y, x]) | (np.hypot(ys - y, xs - x) < _APART_SIDES * max(h, w))
        left = np.where(taken, 0, left).astype(np.float32)
    return found


def alike(masks: Sequence[np.ndarray]) -> np.ndarray:
    """The IoU of each of some masks, bool ``[h, w]``, with each, float32 ``[masks, masks]``."""
    flat = np.stack([mask.ravel() for mask in masks]).astype(np.float32)
    both, area = flat @ flat.T, flat.sum(1)
    return both / np.maximum(area[:, None] + area - both, 1)


def wholeness(mask: np.ndarray) -> float:
    """The share of a mask, bool ``[h, w]``, that its largest piece has, [0, 1]; 0 of an empty one."""
    areas = cv2.connectedComponentsWithStats(mask.astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    return float(areas.max() / areas.sum()) if areas.size else 0.0


def one_piece(alpha: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """An alpha, float32 ``[H, W]``, of which only the piece that the heat ``[h, w]`` is most on is left.

    A thing is seen in one piece: of 179 in photographs and rendered scenes one has a second piece that is
    larger than a quarter of the first.
    """
    count, pieces = cv2.connectedComponents((alpha > _HALF).astype(np.uint8))
    if count <= 2:  # nothing, and one piece
        return alpha
    hot = np.bincount(pieces.ravel(), resized(heat, *alpha.shape).ravel(), count)
    kept = int(hot[1:].argmax()) + 1
    others = cv2.dilate(((pieces > 0) & (pieces != kept)).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    return np.where(others & (pieces != kept), 0, alpha).astype(np.float32)


def soft_iou(mask: np.ndarray, heat: np.ndarray) -> float:
    """What a mask, bool ``[h, w]``, and a heat in [0, 1] share, over what one of them has, [0, 1]."""
    return float((heat * mask).sum() / max(float(np.maximum(heat, mask).sum()), 1e-9))


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two masks, bool ``[h, w]``; 0 of two empty ones."""
    return float((one & other).sum() / max(int((one | other).sum()), 1))


def framed(mask: np.ndarray) -> float:
    """The share of the frame that a mask, bool ``[h, w]``, touches, [0, 1]."""
    return float(np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]]).mean())


def confidence(
    presence: float,
    held: float,
    shared: float,
    recognised: float = 0.0,
    *,
    sure: float = 0.0,
    framed: float = 0.0,
) -> float:
    """How likely the IoU of a mask with what a word means is 0.5 or more, [0, 1]: logistic.

    Args:
        presence: whether the word is there at all, [0, 1].
        held: how much mask and heat are the same, [0, 1]: their soft IoU.
        shared: share of the network's answers, [0, 1], that are about the same.
        recognised: P(noun | place) of the tabletop recogniser at the likeliest place in the mask; 0 of a noun
            that it does not know.
        sure: the network's own surety, a logit: the highest of those answers'; 0 without any.
        framed: share of the photo's frame that the mask touches, [0, 1]: surroundings do, and what is cut.
    """
    bounded = min(max(presence, 1e-6), 1 - 1e-6)
    there = np.clip(np.log(bounded / (1 - bounded)), _LEAST_THERE, _MOST_THERE)
    known = np.clip(np.log(max(recognised, 1e-6) / _RECOGNISED), 0, _MOST_RECOGNISED)
    facts = (1.0, there, held, shared, sure, framed, known)
    return float(1 / (1 + np.exp(-np.dot(_WEIGHTS, facts))))


def likelier(found: Location, other: Location) -> Location:
    """Returns the likelier of two things; where both are one thing, the first, whose outline is finer."""
    same = iou(found.hard, other.hard) >= _SAME_THING
    return found if same or found.confidence >= other.confidence else other


def told(found: Location, word: str) -> Location:
    """Returns what was found, with a warning where it is in doubt."""
    if found.confidence >= DOUBTFUL:
        return found
    doubt = (
        f"it is not certain that what was found is the '{word}' (confidence {found.confidence:.2f}): look at "
        "the result, or show the object with --point, --box or --mask"
    )
    return replace(found, warning=Sentence(doubt, "doubtful_word"))
