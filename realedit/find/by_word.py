r"""Finds a word's object where the model attends to the word in an inverted photo.

Where the model has a recogniser that knows the word's noun, its probabilities weigh the attention:

.. math::
    h(p) \propto \big(a(p) + w\, t(p)\big)\, \min\Big(1, \frac{P(p)}{0.3 \max P}\Big)^2\, n(p)

with the attention a, :math:`P(p) = P(noun \mid p)`, t(p) = P(some thing | p), n(p) = 1 near the likeliest
place (everywhere, if several objects of the noun are asked for) and 0 elsewhere, and a weight w that rises
from 0.3 to 1 the less the attention saw of the object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from realedit.errors import ObjectNotFoundError
from realedit.find.attention import heat as heat_of
from realedit.find.attention import mean_attention
from realedit.find.by_heat import from_heat
from realedit.find.neighbours import neighbours
from realedit.find.which_one import chosen
from realedit.inverted.inversion import Inversion
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.location import Location
from realedit.models.backbone import Backbone
from realedit.models.choice import ModelRef
from realedit.models.profile import Profile, general
from realedit.models.recogniser import Recognised, Recogniser
from realedit.pixels.masks import grow
from realedit.prompts import PLAIN, content_words, split

LEAST_LIKELIHOOD = 0.006
"""Peak of P(noun | place) of a noun that the recogniser knows: below it the noun is not in the photo, at or
above it is. Set on held-out rendered scenes: all of 501 objects that are there reach it, 58 % of nouns that
are not stay below."""
_DOUBT = 0.002
"""Added to P(noun | place), so that where the recogniser sees the noun nowhere, attention alone decides: a
higher one trusts the attention more, a lower one the recogniser. Not measured."""
_MOST_OF_PEAK = 0.3
"""P(noun | place) is capped at this share of its peak: above it all places are alike, below it they weigh by
its square. Objects are told apart by it, their outlines not. Not measured."""
_PEAK_SHARE = 0.5
"""A place's score as a share of the best one's: above it the place is a peak of the object too, below it is
not. Not measured."""
_NEAR_PLACES = 9
"""Side of a square about each peak, in the recogniser's places: what lies in it may be the object's, what
lies farther only as part of one thing with a peak. Not measured."""
_SAME_THING_SHARE = 0.1
"""P(noun | place) as a share of its peak: a place of the same thing above it is the object's, however far
from the peak; below it is not. Not measured."""
_WHOLE_THING = 0.5
"""P(some thing | place): neighbouring places above it are one thing, those below part things. Not
measured."""
_OUTLINE_WEIGHT = 0.3
"""Weight of P(some thing | place) beside the attention where the attention is full: a higher one outlines the
object more by what is some thing, a lower one by attention; it rises to 1 where attention missed the object.
Not measured."""
_OTHER_HEAT = 0.35
"""Heat in [0, 1] of the prompt's other things: nothing is copied from where it is above, below it may be. Not
measured."""
_OTHER_MARGIN_SIDES = 1 / 64
"""Distance to another thing, in longer sides: nothing is copied from nearer, and what is nearer to the object
itself is not closed. Not measured."""
_THERE_HEAT = 0.4
"""Heat in [0, 1]: above it a place is a word's, below it is not; it tells things from surfaces. Not
measured."""
_MOST_THING_SHARE = 0.15
"""Share of the photo that a word's places cover: below it the word names a thing, at or above it a surface.
Not measured."""
_MOST_SHARED = 0.25
"""Share of the smaller of two words' places that both have: above it the other word says something of the
object, its colour say; at or below it names another thing. Not measured."""
_NOUN_BLUR, _THING_BLUR, _EDGE_BLUR = 1.5, 0.7, 1.4
"""Standard deviations in the recogniser's places of the Gaussians over P(noun | place), over P(some thing |
place) and over the edge of what is near: wider ones join neighbours, narrower ones keep outlines. Not
measured."""
_ANOTHER_WORD = "use another word, or show the object with --point, --box or --mask"


@dataclass(frozen=True)
class WordFinder:
    """Finds words in inverted photos.

    Args:
        backbone: the model.
        ref: which model it is.
        recogniser: the model's, or None.
        profile: the model's.
    """

    backbone: Backbone
    ref: ModelRef
    recogniser: Recogniser | None = None
    profile: Profile = field(default_factory=general)
    _last: list[tuple[np.ndarray, tuple[int, int], Recognised]] = field(
        default_factory=list[tuple[np.ndarray, tuple[int, int], Recognised]], init=False, repr=False
    )

    def find(self, rgb: np.ndarray, inversion: Inversion, word: str) -> Location:
        """Finds the object that ``word`` names in the photo ``rgb``, uint8 ``[H, W, 3]``.

        "left mug" names the left one of several; see :mod:`realedit.find.which_one`.

        Raises:
            ObjectNotFoundError: the model does not see it.
        """
        which, noun = split(word)
        seen = self._seen(rgb, inversion.size)
        likely = self._likely(seen, noun)
        if likely is not None and likely.max() < LEAST_LIKELIHOOD:
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
        return from_heat(rgb, heat, word, score, others=others)

    def others(
        self, rgb: np.ndarray, inverted: InvertedPhoto, own: np.ndarray, words: Sequence[str]
    ) -> np.ndarray | None:
        """Finds the photo's other things; None where nothing tells them from the object itself.

        The inversion is asked for only if its prompt names something else.

        Args:
            rgb: the photo, uint8 ``[H, W, 3]``.
            inverted: the photo with its inversion.
            own: the edited objects, bool ``[H, W]``; never part of the answer.
            words: the edited objects'.

        Returns:
            bool ``[H, W]``: nothing may be copied from there into a hole.
        """
        seen = self._seen(rgb, inverted.size)
        named = None
        if words:
            nouns = [split(word)[1] for word in words]
            named = np.zeros(own.shape, bool)
            if _names_more(inverted.prompt, nouns):
                named = self._named_others(inverted.inversion, own, nouns, seen)
        if seen is None:
            return named
        unnamed = neighbours(rgb, seen.thing, own)
        return unnamed if named is None else named | unnamed

    def _named_others(
        self, inversion: Inversion, own: np.ndarray, nouns: Sequence[str], seen: Recognised | None
    ) -> np.ndarray:
        """Finds the places of the prompt's other words, bool ``[H, W]``."""
        h, w = own.shape
        margin = max(h, w) * _OTHER_MARGIN_SIDES
        forbidden = np.zeros((h, w), bool)
        for noun in dict.fromkeys(nouns):
            for other, (heat, peak) in self._heats(inversion, noun, seen).items():
                if other not in nouns and peak >= self._sure_peak:
                    there = cv2.resize(heat, (w, h), interpolation=cv2.INTER_CUBIC) > _OTHER_HEAT
                    forbidden |= grow(there, margin)
        return forbidden & ~grow(own, margin)

    def knows(self, words: str) -> bool:
        """Whether the recogniser knows the noun that words end in."""
        return self.recogniser is not None and self.recogniser.noun(split(words)[1]) is not None

    def foreign(self, noun: str) -> bool:
        """Whether it is a word that the model has not learnt, as far as can be told."""
        return self.trained and self._spelt_out(noun)

    @property
    def wants_enlarged(self) -> bool:
        """Whether attention to an enlarged photo is worth its time: only trained attention is so fine."""
        return self.trained

    @property
    def _sure_peak(self) -> float:
        """Peak of attention at or above which another thing counts as seen."""
        return self._least_spelt

    @property
    def trained(self) -> bool:
        """Whether the attention was trained on masks, as far as can be told."""
        return self.recogniser is not None or self.ref.source == "embedded"

    def _least_peak(self, word: str) -> float:
        return self._least_spelt if self._spelt_out(word) else self.profile.found

    @property
    def _least_spelt(self) -> float:
        """Peak at or above which a word that is read in pieces is found."""
        spelt = self.profile.found_spelt
        return self.profile.found if spelt is None else spelt

    def _spelt_out(self, word: str) -> bool:
        """Whether the tokenizer reads a word in pieces, as words that are not in its vocabulary."""
        return len(self.backbone.seen_words(word)) > len(word.split())

    def _seen(self, rgb: np.ndarray, size: tuple[int, int]) -> Recognised | None:
        """Returns what the recogniser sees in the photo at the model's working size.

        It is kept until another photo is looked at: an edit asks for its object, then for others.
        """
        if self.recogniser is None:
            return None
        if not self._last or self._last[0][0] is not rgb or self._last[0][1] != size:
            self._last[:] = [(rgb, size, self.recogniser.recognise(rgb, size))]
        return self._last[0][2]

    def _likely(self, seen: Recognised | None, words: str) -> np.ndarray | None:
        """Returns P(noun | place) of the noun that ``words`` end in, ``[h, w]``; None of an unknown noun."""
        noun = None if self.recogniser is None else self.recogniser.noun(words)
        if seen is None or noun is None:
            return None
        return cv2.GaussianBlur(seen.nouns[..., noun], (0, 0), _NOUN_BLUR)

    def _heats(
        self, inversion: Inversion, word: str, seen: Recognised | None, *, every: bool = False
    ) -> dict[str, tuple[np.ndarray, float]]:
        """Returns heat and peak of the object's words and of the prompt's other words that name things.

        With ``every``, the heat shows each object of the word's noun, not the likeliest alone.

        Raises:
            ObjectNotFoundError: the prompt, as the model reads it, does not hold the words.
        """
        prompt = inversion.prompt
        tokens = self.backbone.tokens(prompt, word)
        if not tokens:
            raise self._not_found(word, 0.0)
        maps = mean_attention(inversion)
        plain, peak = heat_of(maps, tokens)
        heats = {word: (self._weighed(plain, word, seen, every=every), peak)}
        own = plain > _THERE_HEAT
        taken = set(tokens)
        for other in content_words(prompt):
            positions = self.backbone.tokens(prompt, other)
            if positions and not taken & set(positions):
                heat, peak = heat_of(maps, positions)
                there = heat > _THERE_HEAT
                thing = there.mean() < _MOST_THING_SHARE  # and not a surface
                # the object's own colour, say
                attribute = (there & own).sum() > _MOST_SHARED * min(there.sum(), own.sum())
                if thing and not attribute:
                    heats[other] = (self._weighed(heat, other, seen, every=True), peak)
        return heats

    def _weighed(self, heat: np.ndarray, words: str, seen: Recognised | None, *, every: bool) -> np.ndarray:
        """Weighs a word's heat by what the recogniser sees; the equation above."""
        likely = self._likely(seen, words)
        if likely is None or seen is None:
            return heat
        likely = likely + _DOUBT
        h, w = likely.shape
        heat = cv2.resize(heat, (w, h), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        thing = cv2.GaussianBlur(seen.thing, (0, 0), _THING_BLUR)
        about = np.ones_like(heat) if every else _about((heat + thing) * likely**2, thing, likely)
        missed = 1 - float((heat * about).max())
        outline = heat + (_OUTLINE_WEIGHT + (1 - _OUTLINE_WEIGHT) * missed) * thing
        weighed = outline * np.minimum(1, likely / (_MOST_OF_PEAK * likely.max())) ** 2 * about
        return weighed / max(float(weighed.max()), 1e-9)

    def _unlike(self, word: str, likely: float) -> ObjectNotFoundError:
        """Returns the error of a noun that the recogniser sees nowhere."""
        return ObjectNotFoundError(
            f"no {word!r} found in the photo: nothing in it looks like one",
            _ANOTHER_WORD,
            detail=f"likelihood {likely:.3f}, needs {LEAST_LIKELIHOOD}",
        )

    def _not_found(self, word: str, score: float) -> ObjectNotFoundError:
        """Returns the error of words that are not attended to."""
        pieces = self.backbone.seen_words(word)
        read = " + ".join(f"'{piece}'" for piece in pieces)
        reason = f": it is not a word that {self.ref.name} has learnt" if self.foreign(word) else ""
        return ObjectNotFoundError(
            f"no {word!r} found in the photo{reason}",
            f"describe the photo with --prompt, {_ANOTHER_WORD}",
            detail=f"{self.ref.name} read {read}: attention {score:.3f}, needs {self._least_peak(word)}",
        )


def _names_more(prompt: str, nouns: Sequence[str]) -> bool:
    """Whether a prompt may name something besides some nouns; that of an unnamed photo names nothing."""
    own = {word for text in (PLAIN, *nouns) for word in text.lower().split()}
    return not own.issuperset(content_words(prompt))


def _about(which: np.ndarray, thing: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """Marks what is near the peaks of ``which`` or one thing with them: ``[h, w]`` in [0, 1], soft-edged."""
    peaks: np.ndarray = which > _PEAK_SHARE * which.max()
    near = cv2.dilate(peaks.astype(np.uint8), np.ones((_NEAR_PLACES, _NEAR_PLACES))) > 0
    whole: np.ndarray = (thing > _WHOLE_THING) & (likely > _SAME_THING_SHARE * likely.max())
    _, parts = cv2.connectedComponents(whole.astype(np.uint8))
    near |= whole & np.isin(parts, parts[peaks & whole])
    return cv2.GaussianBlur(near.astype(np.float32), (0, 0), _EDGE_BLUR)
