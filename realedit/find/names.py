"""Where in a photo a word is, and whether it is there at all, by ImageNet's classes read place by place.

The photo is looked at in four sizes, as it is and mirrored. A word's *evidence* at a place p is ::

    E(p) = mean over sizes of  log sum_{c in word} exp z_c(p) - b log sum_c exp z_c(p)

with z the logits of :mod:`realedit.models.imagenet`, averaged over both ways round and, in the larger sizes,
over 3 x 3 or 5 x 5 places, which brings them nearer to the whole pictures that the classifier knows. b = 1
would be the logarithm of P(word | place), and b = 0 the plain class activation map; in between, a place that
speaks for many things counts less. Evidence is then carried between places that look alike and are near (a
bilateral filter whose colours are the eleventh block's features f), since that block sees outlines that the
sixteenth has lost::

    E'(p) = sum_q A(p, q) E(q) / sum_q A(p, q),    A(p, q) = max(0, cos(f(p), f(q)))^3 exp(-|p - q|^2 / 2 s^2)

Where the tabletop recogniser knows the word too, a multiple of its log P(noun | place) is added to E'.

Whether it is there: the word's log-odds at the likeliest place, averaged over the sizes, less what the same
word reaches in photographs of anything (:class:`realedit.models.words.Meaning`).
``examples/imagenet/evaluate.py`` measures all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from realedit.errors import ModelUnavailableError, ObjectNotFoundError, Sentence
from realedit.external.files import fetch_hint
from realedit.external.kinds import EXAMPLES
from realedit.find.which_one import chosen
from realedit.models.efficientnet_lite import Features
from realedit.models.imagenet import LONGEST, Imagenet, pixels_of, stages
from realedit.models.recogniser import Recogniser
from realedit.models.words import Meaning, Words
from realedit.prompts import split

SIZES = {256: 0, 384: 1, 512: 1, 640: 2}
"""Pixels of the photo's shorter side that it is looked at in, and how many places in each direction are
averaged with each one there. With fewer sizes small things are missed, or the outlines of large ones; with
no averaging a strange detail counts as a thing. COCOEE's first 25: 20 pointed right, with 384 alone 19."""
_OUTLINES = 384
"""The size whose eleventh block's features carry the evidence: with 512, 21 of 25 are pointed right, not
22."""
_RIVALS = 0.25
"""b above. Lower, places that speak for everything count; higher, the outlines fray: mean average precision
of the places on COCOEE's first 25 is 0.705, 0.708 and 0.684 at 0, 0.25 and 0.5."""
_ALIKE = 3
"""Power of the likeness. Lower, evidence runs into the surroundings; higher, it stays where it was: average
precision 0.686 without, 0.767, 0.759 and 0.748 at 2, 3 and 4, pointed right 20, 22, 23 and 22 of 25."""
_NEAR = 0.3
"""s above as a share of the longer side. Lower, large things are not filled; higher, others like them
join."""
_TABLETOP = 1.0
"""Weight of the recogniser's log-probability. Lower, rendered things are mixed up; higher, photographed ones
are cut worse. At 0, 0.5, 1 and 2, 29, 32, 33 and 35 of the 36 examples/cases are pointed right (34 by the
recogniser alone); of the nine of COCOEE's first 25 that it knows 9, 8, 8 and 8, their masks' IoU 0.722,
0.723, 0.712, 0.699."""
_TABLETOP_SIZE = 224
"""Pixels of the shorter side that the recogniser looks at; the embedded model works at 256 of the longer."""
_DOUBT = 0.002
"""Added to the recogniser's probability, as in :mod:`realedit.find.by_word`: what it denies stays
possible."""
_NOUN_BLUR = 1.5
"""Standard deviation of the blur of the recogniser's probability, in its places, as in
:mod:`realedit.find.by_word`. Not measured."""
_FLOOR = 30
"""Percentile of the evidence that is no heat at all: few things cover more than seven tenths of a photo."""
_STEEP = 1.5
"""Power of the heat. Lower, what surrounds the thing is cut out with it; higher, only its most telling part:
IoU of the mask that GrabCut makes of it 0.576, 0.643 and 0.616 at 1, 1.5 and 2 on COCOEE's first 25."""
_ABOVE, _BROAD = 2.0, 1.0
"""Log-odds above the word's usual ones that are as likely of a thing that is there as of one that is not, and
those about them over which that turns."""
_RECOGNISED = 0.05
"""P(noun | place) of the recogniser at its likeliest place that is as likely of a thing that is there as of
one that is not: lower ones deny it, higher ones find it. Of the nouns of 40 rendered scenes 95 % reach 0.027,
of other nouns there 10 % reach 0.045; on COCOEE's first 25 the lowest of the eight that are there is 0.053,
and a quarter of the others reach 0.05."""
_SOME_THING = 0.5
"""P(some thing | place) above which a place shows one. Set by definition."""
_STRANGE_SHARE, _STRANGER = 0.33, 0.1
"""Share of a photo that is some thing: at or above the first the recogniser is not believed, and the second
below it wholly. 36 rendered scenes of examples/cases have 0.06 to 0.31, nine in ten at most 0.22; 12 of
COCOEE's first 25 and 17 of 24 photographs of ReS have 0.33 or more."""
PRESENT = 0.27
"""Least presence that counts as being there. Lower, words of other photographs are found; higher, small
things are denied. On COCOEE's first 25 all words that are there reach 0.67; of 944 that are not, 4 % reach
0.5, 13 % reach 0.27, and 22 % reach 0.18."""
_DETECTOR_SIZE = "620 MB"
"""What the detector that is offered for unknown words takes on disk: 155 million float32 weights."""
_LEAST = 1e-9
"""Probability below which none is told from another."""


@dataclass(frozen=True)
class Named:
    """What a word names in a photo.

    Args:
        word: the noun as the table of words spells it.
        heat: where it is, float32 ``[h, w]`` in [0, 1], its highest 1, places of about 1/24 of the photo's
            shorter side; of the one that is meant, where the words say which.
        others: the same of the others of its name; 0 where the words do not say which.
        presence: whether it is there, [0, 1]; it is taken to be from :data:`PRESENT` on.
        stand_in: whether only what looks like it, or goes with it, was looked for.
        recognised: the tabletop recogniser's P(noun | place), float32 ``[h, w]``, times how familiar the
            photo is; None of a noun that it does not know, or a photo that is none of its kind.
    """

    word: str
    heat: np.ndarray
    others: np.ndarray
    presence: float
    stand_in: bool
    recognised: np.ndarray | None = None

    @property
    def present(self) -> bool:
        """Whether it is taken to be there."""
        return self.presence >= PRESENT


@dataclass(frozen=True)
class Seen:
    """What the classifier makes of a photo, for any number of words.

    Args:
        logits: of each of :data:`SIZES`, float32 ``[1000, h, w]``.
        outlines: the eleventh block's features, float32 ``[112, h, w]``.
        size: the photo's, (H, W) in pixels.
        nouns: P(noun | place) of the tabletop recogniser, float32 ``[h, w, nouns]``; None without one.
        familiar: how far the photo is of the recogniser's kind, [0, 1]: see :func:`familiarity`.
    """

    logits: tuple[Tensor, ...]
    outlines: Tensor
    size: tuple[int, int]
    nouns: np.ndarray | None = None
    familiar: float = 1.0

    @property
    def places(self) -> tuple[int, int]:
        """The grid (h, w) of heats."""
        h, w = self.outlines.shape[-2:]
        return h, w

    def evidence(self, meaning: Meaning) -> np.ndarray:
        """E above, float32 ``[h, w]``."""
        h, w = self.places
        classes = list(meaning.classes)
        total = np.zeros((h, w), np.float32)
        for logits in self.logits:
            told = logits[classes].logsumexp(0) - _RIVALS * logits.logsumexp(0)
            total += cv2.resize(told.numpy(), (w, h), interpolation=cv2.INTER_LINEAR)
        return total / len(self.logits)

    def recognised(self, noun: int) -> np.ndarray:
        """The recogniser's log (P(noun | place) + doubt), float32 ``[h, w]``; 0 without one."""
        h, w = self.places
        if self.nouns is None:
            return np.zeros((h, w), np.float32)
        likely = cv2.resize(self.likely(noun), (w, h), interpolation=cv2.INTER_AREA)
        return np.log(likely + _DOUBT).astype(np.float32)

    def likely(self, noun: int) -> np.ndarray:
        """The recogniser's P(noun | place), blurred, float32 ``[h, w]`` on its own grid; 0 without one."""
        if self.nouns is None:
            return np.zeros((1, 1), np.float32)
        return cv2.GaussianBlur(self.nouns[..., noun], (0, 0), _NOUN_BLUR)

    def log_odds(self, meaning: Meaning) -> float:
        """Of the word at the likeliest place, mean over the sizes."""
        classes = list(meaning.classes)
        likeliest = [float(likely[classes].sum(0).max()) for likely in self._probabilities]
        bounded = np.clip(likeliest, _LEAST, 1 - 1e-4)
        return float(np.mean(np.log(bounded / (1 - bounded))))

    def carried(self, evidence: np.ndarray) -> np.ndarray:
        """E' above, float32 ``[h, w]``."""
        return (self._alike @ torch.tensor(evidence).flatten()).reshape(self.places).numpy()

    @cached_property
    def _probabilities(self) -> list[Tensor]:
        """P(class | place) in each size."""
        return [logits.softmax(0) for logits in self.logits]

    @cached_property
    def _alike(self) -> Tensor:
        """A above, its rows' sums 1."""
        (h, w), (height, width) = self.places, self.size
        own = self.outlines - self.outlines.mean((1, 2), keepdim=True)
        own = F.normalize(own, dim=0).flatten(1)
        y, x = np.mgrid[:h, :w].astype(np.float32)
        where = np.stack([(y.ravel() + 0.5) / h * height, (x.ravel() + 0.5) / w * width], 1)
        places = torch.tensor(where / max(height, width), dtype=torch.float32)
        near = torch.exp(-(torch.cdist(places, places) ** 2) / (2 * _NEAR**2))
        alike = (own.T @ own).clamp(min=0) ** _ALIKE * near
        # a place of no features is like none, but for itself
        alike += _LEAST * torch.eye(h * w)
        return alike / alike.sum(1, keepdim=True)


@dataclass(frozen=True)
class NameFinder:
    """Finds what words name.

    Args:
        features: the frozen blocks.
        layers: ImageNet's last ones over them.
        words: what they mean.
        recogniser: the tabletop model's, or None.
    """

    features: Features
    layers: Imagenet
    words: Words
    recogniser: Recogniser | None = None

    @classmethod
    def load(cls, model: Path) -> NameFinder:
        """The package's own, over the features that the recogniser in the folder ``model`` holds.

        Raises:
            ModelUnavailableError: one of them cannot be read.
        """
        recogniser = Recogniser.load(model)
        if recogniser is None:
            raise ModelUnavailableError(
                f"{model} holds no recogniser, whose features names are read from", "install realedit again"
            )
        return cls(recogniser.features, Imagenet.load(), Words.load(), recogniser)

    @torch.inference_mode()
    def look(self, rgb: np.ndarray) -> Seen:
        """What is to be seen in a photo, uint8 ``[H, W, 3]``; words are then cheap."""
        every: list[Tensor] = []
        outlines = torch.empty(0)
        for short, around in SIZES.items():
            pixels = pixels_of(rgb, short)
            fine, coarse = stages(self.features, torch.cat([pixels, pixels.flip(-1)]))
            every.append(_averaged(both_ways(self.layers(coarse)), around))
            if short == _OUTLINES:
                outlines = both_ways(fine)
        nouns, familiar = None, 1.0
        h, w = rgb.shape[:2]
        if self.recogniser is not None:
            short = _TABLETOP_SIZE
            height, width = (round(min(side * short / min(h, w), LONGEST * short)) for side in (h, w))
            recognised = self.recogniser.recognise(rgb, (height, width))
            nouns, familiar = recognised.nouns, familiarity(recognised.thing)
        return Seen(tuple(every), outlines, (h, w), nouns, familiar)

    def find(self, seen: Seen, words: str) -> Named:
        """What ``words`` name: "mugs", "the left mug".

        Raises:
            UsageError: the words list several things, or say nothing.
            ObjectNotFoundError: no word that is known ends them; the hint tells what to do.
        """
        which, noun = split(self.words.normalised(words))
        meaning = self.words.meaning(noun)
        if meaning is None:
            raise unknown_word(self.words, noun)
        evidence = seen.carried(seen.evidence(meaning))
        known = None if self.recogniser is None else self.recogniser.noun(noun)
        if known is not None:
            evidence = evidence + _TABLETOP * seen.recognised(known)
        heat = heat_of(evidence)
        others = np.zeros_like(heat)
        if which is not None:
            heat, others = chosen(heat, which)
            heat = heat / max(float(heat.max()), _LEAST)
        presence = presence_of(seen.log_odds(meaning) - meaning.usual)
        likely = seen.familiar * seen.likely(known) if known is not None and seen.familiar > 0 else None
        if likely is not None:
            presence = max(presence, recognised_presence(float(likely.max())))
        return Named(meaning.word, heat.astype(np.float32), others, presence, meaning.stand_in, likely)


def unknown_word(words: Words, noun: str, detail: str = "") -> ObjectNotFoundError:
    """What to say of a word that nothing knows: in one line, with words like it and the ways out."""
    near = words.nearest_known(noun)
    meant = f"did you mean {' or '.join(map(repr, near))}? Else " if near else ""
    detector = EXAMPLES["detector"]
    return ObjectNotFoundError(
        Sentence(f"no model here knows the word {noun!r}", "unknown_word"),
        f"{meant}show the object with --point, --box or --mask, or let a detector look for it: "
        f"--detector {detector} ({_DETECTOR_SIZE}; {fetch_hint(detector)})",
        detail=detail,
    )


def both_ways(pair: Tensor) -> Tensor:
    """The mean ``[C, h, w]`` of what was seen as it is and mirrored, ``[2, C, h, w]``; contiguous.

    Sums depend on how numbers lie in memory, and files keep them contiguous.
    """
    return ((pair[0] + pair[1].flip(-1)) / 2).contiguous()


def heat_of(evidence: np.ndarray) -> np.ndarray:
    """Evidence as heat, float32 ``[h, w]`` in [0, 1]: 0 at its 30th percentile and below, 1 at its highest.

    Evidence that is the same everywhere is no heat.
    """
    floor, top = float(np.percentile(evidence, _FLOOR)), float(evidence.max())
    if top - floor < 1e-6:
        return np.zeros_like(evidence, np.float32)
    return (((evidence - floor) / (top - floor)).clip(0, 1) ** _STEEP).astype(np.float32)


def presence_of(above: float) -> float:
    """Whether a word is there, [0, 1], by its log-odds above its usual ones: logistic."""
    return float(1 / (1 + np.exp(-(above - _ABOVE) / _BROAD)))


def familiarity(thing: np.ndarray) -> float:
    """How far a photo is of the recogniser's kind, [0, 1], by its P(some thing | place), float32 ``[h, w]``.

    It was trained on some things on a table. Where it sees things nearly everywhere, it sees what it does not
    know, and mistakes it for its nouns.
    """
    share = float((thing > _SOME_THING).mean())
    return float(np.clip((_STRANGE_SHARE - share) / _STRANGER, 0, 1))


def recognised_presence(peak: float) -> float:
    """Whether a noun is there, [0, 1], by the recogniser's P(noun | place) at the likeliest place."""
    return peak**2 / (peak**2 + _RECOGNISED**2)


def _averaged(logits: Tensor, around: int) -> Tensor:
    """Means over ``2 around + 1`` places in each direction, those beyond the border as the nearest within."""
    if not around:
        return logits
    wide = F.pad(logits[None], (around,) * 4, mode="replicate")
    return F.avg_pool2d(wide, 2 * around + 1, 1)[0]
