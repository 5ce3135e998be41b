"""From a word to an object: where the model attends to it in an inverted photo.

Where the model has a recogniser that knows the word's noun, its P(noun | place) weighs the attention, and
what it takes for some thing helps the outline: the more, the less is attended to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from realedit.errors import ObjectNotFoundError
from realedit.find.attention import heat as heat_of
from realedit.find.attention import mean_attention
from realedit.find.by_heat import from_heat
from realedit.find.neighbours import neighbours
from realedit.find.which_one import chosen
from realedit.inverted.inversion import Inversion
from realedit.location import Location
from realedit.models.backbone import Backbone
from realedit.models.choice import ModelRef
from realedit.models.recogniser import Recognised, Recogniser
from realedit.pixels.masks import grow
from realedit.prompts import FUNCTION_WORDS, split

FOUND, FOUND_SPELT, FOUND_ELSEWHERE = 0.2, 0.4, 0.03
"""Least peak of a word's mean attention that counts as having found it: a word that the embedded model's
vocabulary holds, a word that its tokenizer has to spell out, and any word in a model whose attention was not
trained on masks: one without a recogniser. On the embedded model 48 scanned objects that are there, named
alone, reach 0.33 to 0.99 (nine in ten over 0.48); nine words spelt out, of things that are not, 0.14 to
0.36."""

LIKELY = 0.006
"""Least peak of P(noun | place) that counts as having found what the recogniser knows. Of 501 objects in
held-out rendered scenes all reach it; of nouns that are not there 58 % stay below."""
_DOUBT = 0.002
"""Added to P(noun | place): what it denies everywhere is where the attention is."""
_PLAIN = 0.3
"""Share of P's peak from which on a place is as likely as any: it tells things apart, not their outlines."""
_PEAK = 0.5
"""Share of the likeliest place's score from which on another is as likely."""
_NEAR = 9
"""Places about the likeliest one that may be the object's."""
_OF_IT = 0.1
"""Share of P's peak from which on a place of the same thing is the object's, however far."""
_OUTLINE = 0.3
"""Weight of what is some thing beside what is attended to, where the attention is full."""


@dataclass(frozen=True)
class WordFinder:
    """Finds words in inverted photos.

    Args:
        backbone: the model.
        ref: which model it is.
        recogniser: the model's, or None.
    """

    backbone: Backbone
    ref: ModelRef
    recogniser: Recogniser | None = None

    def find(self, rgb: np.ndarray, inversion: Inversion, word: str) -> Location:
        """The object that ``word`` names in the photo ``rgb``, uint8 ``[H, W, 3]``.

        "left mug" names the left one of several; see :mod:`realedit.find.which_one`.

        Raises:
            ObjectNotFoundError: the model does not see it.
        """
        which, noun = split(word)
        seen = self._seen(rgb, inversion)
        likely = self._likely(seen, noun)
        if likely is not None and likely.max() < LIKELY:
            raise self._unlike(noun, float(likely.max()))
        heats = self._heats(inversion, noun, seen, every=which is not None)
        heat, score = heats.pop(noun)
        if likely is not None:
            score = max(score, float(likely.max()))
        elif score < self._least_peak(noun):
            raise self._not_found(noun, score)
        others = [other for other, peak in heats.values() if peak >= self._sure_peak]
        if which is not None:
            heat, namesakes = chosen(heat, which)
            others.append(namesakes)
            heat = heat / max(float(heat.max()), 1e-9)
        return from_heat(rgb, heat, word, score, others)

    def others(
        self, rgb: np.ndarray, inversion: Inversion, own: np.ndarray, words: Sequence[str]
    ) -> np.ndarray | None:
        """Where the photo's other things lie; None where nothing tells them from the object itself.

        Args:
            rgb: the photo, uint8 ``[H, W, 3]``.
            inversion: of it.
            own: the edited objects, bool ``[H, W]``; never part of the answer.
            words: theirs.

        Returns:
            bool ``[H, W]``: nothing is copied from there into a hole.
        """
        seen = self._seen(rgb, inversion)
        named = self._named_others(inversion, own, words, seen) if words else None
        if seen is None:
            return named
        unnamed = neighbours(rgb, seen.thing, own)
        return unnamed if named is None else named | unnamed

    def _named_others(
        self, inversion: Inversion, own: np.ndarray, words: Sequence[str], seen: Recognised | None
    ) -> np.ndarray:
        """Where the prompt's other words are, bool ``[H, W]``."""
        h, w = own.shape
        forbidden = np.zeros((h, w), bool)
        nouns = [split(word)[1] for word in words]
        for noun in dict.fromkeys(nouns):
            for other, (heat, peak) in self._heats(inversion, noun, seen).items():
                if other not in nouns and peak >= self._sure_peak:
                    there = cv2.resize(heat, (w, h), interpolation=cv2.INTER_CUBIC) > 0.35
                    forbidden |= grow(there, max(h, w) / 64)
        return forbidden & ~grow(own, max(h, w) / 64)

    @property
    def wants_enlarged(self) -> bool:
        """Whether a closer look is worth its time: whether the attention is good enough to be refined."""
        return self._trained

    @property
    def _sure_peak(self) -> float:
        """From which on another thing counts as seen."""
        return FOUND_SPELT if self._trained else FOUND_ELSEWHERE

    @property
    def _trained(self) -> bool:
        """Whether the attention was trained on masks, as far as can be told."""
        return self.recogniser is not None or self.ref.source == "embedded"

    def _least_peak(self, word: str) -> float:
        if not self._trained:
            return FOUND_ELSEWHERE
        spelt_out = len(self.backbone.seen_words(word)) > len(word.split())
        return FOUND_SPELT if spelt_out else FOUND

    def _seen(self, rgb: np.ndarray, inversion: Inversion) -> Recognised | None:
        """What the recogniser makes of the photo at the model's working size."""
        return None if self.recogniser is None else self.recogniser.look(rgb, inversion.size)

    def _likely(self, seen: Recognised | None, words: str) -> np.ndarray | None:
        """P(noun | place) of the noun that ``words`` end in, ``[h, w]``; None where that is not known."""
        noun = None if self.recogniser is None else self.recogniser.noun(words)
        if seen is None or noun is None:
            return None
        return cv2.GaussianBlur(seen.nouns[..., noun], (0, 0), 1.5)

    def _heats(
        self, inversion: Inversion, word: str, seen: Recognised | None, *, every: bool = False
    ) -> dict[str, tuple[np.ndarray, float]]:
        """Heat and peak of the object's words, and of the prompt's other words that name compact things.

        With ``every``, of each object of the word's noun, not of the likeliest alone.
        """
        prompt = inversion.prompt
        tokens = self.backbone.tokens(prompt, word)
        if not tokens:
            raise self._not_found(word, 0.0)
        maps = mean_attention(inversion)
        plain, peak = heat_of(maps, tokens)
        heats = {word: (self._weighed(plain, word, seen, every=every), peak)}
        own = plain > 0.4
        taken = set(tokens)
        for other in dict.fromkeys(word.strip(".,;:!?") for word in prompt.lower().split()):
            positions = [] if other in FUNCTION_WORDS else self.backbone.tokens(prompt, other)
            if positions and not taken & set(positions):
                heat, peak = heat_of(maps, positions)
                there = heat > 0.4
                thing = there.mean() < 0.15  # and not a surface
                # the object's own colour, say
                attribute = (there & own).sum() > 0.25 * min(there.sum(), own.sum())
                if thing and not attribute:
                    heats[other] = (self._weighed(heat, other, seen, every=True), peak)
        return heats

    def _weighed(self, heat: np.ndarray, words: str, seen: Recognised | None, *, every: bool) -> np.ndarray:
        """A heat where the recogniser has said which of several objects the words mean."""
        likely = self._likely(seen, words)
        if likely is None or seen is None:
            return heat
        likely = likely + _DOUBT
        h, w = likely.shape
        heat = cv2.resize(heat, (w, h), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        thing = cv2.GaussianBlur(seen.thing, (0, 0), 0.7)
        about = np.ones_like(heat) if every else _about((heat + thing) * likely**2, thing, likely)
        missed = 1 - float((heat * about).max())
        outline = heat + (_OUTLINE + (1 - _OUTLINE) * missed) * thing
        weighed = outline * np.minimum(1, likely / (_PLAIN * likely.max())) ** 2 * about
        return weighed / max(float(weighed.max()), 1e-9)

    def _unlike(self, word: str, likely: float) -> ObjectNotFoundError:
        return ObjectNotFoundError(
            f"no {word!r} found in the photo: nothing in it looks like one "
            f"(likelihood {likely:.3f}, needs {LIKELY})",
            "use another word, or show the object with --point, --box or --mask",
        )

    def _not_found(self, word: str, score: float) -> ObjectNotFoundError:
        pieces = self.backbone.seen_words(word)
        read = " + ".join(f"'{piece}'" for piece in pieces)
        return ObjectNotFoundError(
            f"no {word!r} found in the photo: {self.ref.name} read {read} "
            f"(attention {score:.3f}, needs {self._least_peak(word)})",
            "describe the photo with --prompt, use another word, "
            "or show the object with --point, --box or --mask",
        )


def _about(which: np.ndarray, thing: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """What is near the peaks of ``which`` or of one thing with them, [0, 1], soft at its edge."""
    peaks = which > _PEAK * which.max()
    near = cv2.dilate(peaks.astype(np.uint8), np.ones((_NEAR, _NEAR))) > 0
    whole = (thing > 0.5) & (likely > _OF_IT * likely.max())
    _, parts = cv2.connectedComponents(whole.astype(np.uint8))
    near |= whole & np.isin(parts, parts[peaks & whole])
    return cv2.GaussianBlur(near.astype(np.float32), (0, 0), 1.4)
