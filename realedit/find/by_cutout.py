"""Cuts out what a hint means by the cut-out network, and says where it is unsure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from realedit.cutout.cutout import DOUBTFUL, Answer, CutOut, Rough
from realedit.cutout.cuts_out import CutsOut
from realedit.cutout.hints import Hint
from realedit.cutout.network import ANSWERS
from realedit.errors import ObjectNotFoundError, Sentence, UsageError
from realedit.find import by_name, colours
from realedit.find.by_name import Sought
from realedit.find.kept_looks import KeptLooks
from realedit.find.names import PRESENT, NameFinder
from realedit.find.which_cutout import CutOutChoice, choose_cutout, load_cutout
from realedit.location import Box, Location, Point
from realedit.models.choice import embedded_folder
from realedit.models.words import Words

if TYPE_CHECKING:
    import torch

_HALF = 0.5
"""Alpha in [0, 1]: above it a pixel is the object's, below it is not. Set by definition."""
_EMPTY_SHARE = 1e-4
"""Share of the photo that a cut-out covers: below it nothing was found, at or above it something was. Not
measured."""
_HEAT_SIDE_PIXELS = 1024
"""Longest side of the heat of what is shown by a box or points, in pixels: a longer one takes more memory, a
shorter one tells the region more roughly. Nothing is cut out by it. Not measured."""
_LEAST_BOX_CONFIDENCE = 0.4
"""Confidence in [0, 1] of what is cut out of a box: below it the box itself is taken, at or above it the
cut-out. Set on an even picture, where it is 0.36; no box of 50 photographs of COCOEE is below."""
_MOST_POINT_SHARE = 0.5
"""Share of the photo that a doubtful answer to a point covers: above it the point is on a surface and is
refused, below it the answer is taken with a warning. Set on an even background, where it is 0.8."""


class Cutter:
    """Finds objects in photographs: by a point, a box, or a word that ImageNet's classes cover.

    Its networks ship with the package and are the same for every model, except for a SAM in the cut-out
    network's place. They are loaded when they are first needed.

    Args:
        choice: what cuts out; by default as :func:`realedit.find.which_cutout.choose_cutout` says.
        device: of a SAM; ours runs on the CPU.
        looks: keeps what the names' networks saw in photos; by default in memory alone.
    """

    def __init__(
        self,
        choice: CutOutChoice | None = None,
        device: str | torch.device = "cpu",
        looks: KeptLooks | None = None,
    ) -> None:
        self._choice = choice
        self._device = device
        self._looks = looks or KeptLooks()

    @cached_property
    def choice(self) -> CutOutChoice:
        """What cuts out."""
        return self._choice or choose_cutout()

    @cached_property
    def cutout(self) -> CutsOut:
        """The cut-out network, or the SAM in its place."""
        return load_cutout(self.choice, self._device)

    @cached_property
    def _own(self) -> CutOut:
        """The cut-out network, which finds what a word may mean; a SAM may cut out what it then means."""
        return self.cutout if isinstance(self.cutout, CutOut) else CutOut.load()

    @cached_property
    def words(self) -> Words:
        """The table of words that what finds them knows."""
        return Words.load()

    @cached_property
    def names(self) -> NameFinder:
        """What finds words."""
        return NameFinder.load(embedded_folder())

    def by_box(self, rgb: np.ndarray, box: Box, word: str | None = None) -> Location:
        """Cuts out the object in a box (x0, y0, x1, y1) in [0, 1]; the box itself if nothing is found there.

        Raises:
            UsageError: the box is empty, or reaches out of the photo.
        """
        heat = _inside(_heat_size(rgb), box)
        found = self._located(rgb, Hint(box=box), heat=heat, source="box", word=word)
        if found is not None and found.score >= _LEAST_BOX_CONFIDENCE:
            return found
        inside = _inside(rgb.shape[:2], box)
        doubt = "nothing stands out in the box: all of it is taken"
        return Location(word, inside, inside, 0.0, "box", doubt, confidence=0.0)

    def by_point(self, rgb: np.ndarray, point: Point, word: str | None = None) -> Location:
        """Cuts out the object under a point (x, y) in [0, 1); see :meth:`by_points`."""
        return self.by_points(rgb, (point,), word=word)

    def by_points(
        self,
        rgb: np.ndarray,
        points: Sequence[Point],
        *,
        beside: Sequence[Point] = (),
        box: Box | None = None,
        word: str | None = None,
    ) -> Location:
        """Cuts out the object that points, and a box, show together.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            points: (x, y) in [0, 1), each on the object.
            beside: (x, y) in [0, 1), each not on it.
            box: (x0, y0, x1, y1) in [0, 1], about the object.
            word: the object's words.

        Raises:
            UsageError: a point or the box is not in the photo.
            ObjectNotFoundError: nothing there stands out from its surroundings.
        """
        h, w = _heat_size(rgb)
        near = np.zeros((h, w), np.float32) if box is None else _inside((h, w), box)
        for x, y in (*points, *beside):
            if not (0 <= x < 1 and 0 <= y < 1):
                raise UsageError(f"a point is x,y with both in [0, 1), got {(x, y)}")
        for x, y in points:
            near[int(y * h), int(x * w)] = 1
        source = "point" if box is None else "box"
        hint = Hint(tuple(points), tuple(beside), box)
        found = self._located(rgb, hint, heat=near, source=source, word=word)
        doubtful = found is not None and found.score < DOUBTFUL
        surface = box is None and doubtful and found is not None and found.hard.mean() > _MOST_POINT_SHARE
        if found is None or surface:
            where = "in the box" if not points else f"at {points[0][0]:.2f},{points[0][1]:.2f}"
            told = Sentence(f"nothing {where} stands out from its surroundings", "nothing_there")
            raise ObjectNotFoundError(told, "draw a --box or give a --mask")
        return found

    def by_heat(self, rgb: np.ndarray, heat: np.ndarray, word: str, *, score: float) -> Location | None:
        """Cuts out what a word's heat shows; None if nothing.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            heat: float32 ``[h, w]`` in [0, 1], at any resolution.
            word: the object's words.
            score: how surely it is there, in [0, 1].
        """
        found = self._located(rgb, Hint(heat=heat), heat=heat, source="word", word=word)
        return found and replace(found, score=score)

    def knows(self, noun: str) -> bool:
        """Whether the table of names has a word, in any of its spellings."""
        return noun in self.words

    def by_name(
        self,
        rgb: np.ndarray,
        words: str,
        another_way: Callable[[], Location] | None = None,
        *,
        several: bool = False,
    ) -> Location:
        """Finds what words name, "the left orange", and cuts it out.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            words: the object's.
            another_way: finds them too, or raises ObjectNotFoundError; it is asked where names are not sure
                enough in a photo of the recogniser's kind, and what it finds is taken if that is another
                thing, and likelier.
            several: whether all things of the name are meant; else one is, in one piece.

        Raises:
            UsageError: the words list several things, or say nothing.
            ObjectNotFoundError: nothing in the photo looks like it, or no model knows the word.
        """
        named = self.names.find(self._looks.seen(rgb, self.names.look), words)
        another_way = another_way if named.recognised is not None else None
        wanted = named.heat.max() > 0 and (named.present or another_way is not None)
        every = self._own.rough(rgb, by_name.hints(named.heat, named.others)) if wanted else []
        answers = tuple(rough for answers in every for rough in answers)
        sought = Sought(named, answers, _coloured(rgb, words, named.word, answers))
        found = self._named(rgb, sought, words, several=several)
        if another_way is not None and (found is None or found.confidence < by_name.ENOUGH):
            with suppress(ObjectNotFoundError):
                other = another_way()
                other = replace(other, confidence=sought.confidence(other.hard))
                found = other if found is None else by_name.likelier(found, other)
        if found is None:
            raise ObjectNotFoundError(
                f"no {named.word!r} found in the photo: nothing in it looks like one",
                "use another word, or show the object with --point, --box or --mask",
                detail=f"presence {named.presence:.3f}, at least {PRESENT} is needed",
            )
        return by_name.told(found, named.word)

    def _named(self, rgb: np.ndarray, sought: Sought, words: str, *, several: bool) -> Location | None:
        """Returns the likeliest of what words may mean, cut out; None if they are not in the photo."""
        if sought.chosen is None:
            return None
        sure = sought.confidence(sought.chosen.mask)
        alpha = self._settled(rgb, sought.chosen).alpha
        if not several:
            alpha = by_name.one_piece(alpha, sought.named.heat)
        if (alpha > _HALF).mean() < _EMPTY_SHARE:
            return None
        return Location(words, alpha, sought.named.heat, sure, "word", confidence=sure)

    def _settled(self, rgb: np.ndarray, rough: Rough) -> Answer:
        """Returns what cuts out makes of a rough answer of ours."""
        if self.cutout is self._own:
            return self._own.settled(rgb, rough)
        return self.cutout.answers(rgb, Hint(mask=rough.share), most=1)[0]

    def _located(
        self, rgb: np.ndarray, hint: Hint, *, heat: np.ndarray, source: str, word: str | None
    ) -> Location | None:
        """Returns the surest answer to a hint, with a warning where it is in doubt; None if it is empty."""
        # a point may mean a part, the thing or a group of them; boxes and heat say which
        answer = self.cutout.answers(rgb, hint, most=ANSWERS if hint.positive else 1)[0]
        if (answer.alpha > 0.5).mean() < _EMPTY_SHARE:
            return None
        warning = None
        if answer.confidence < DOUBTFUL:
            what = f"'{word}'" if word else "the object"
            warning = Sentence(
                f"the outline of {what} may be wrong (confidence {answer.confidence:.2f}): look at the "
                "result, or show the object with --mask",
                "doubtful_outline",
            )
        return Location(
            word, answer.alpha, heat, answer.confidence, source, warning, confidence=answer.confidence
        )


def _coloured(rgb: np.ndarray, words: str, noun: str, answers: Sequence[Rough]) -> np.ndarray | None:
    """Returns how much each of the answers' places has of the colour that words name, if they name one."""
    colour = colours.named(words, noun)
    return colours.share(rgb, colour, *answers[0].mask.shape) if answers and colour else None


def _heat_size(rgb: np.ndarray) -> tuple[int, int]:
    """Returns the size of the heat of what is shown: the photo's, or a large one's scaled down."""
    h, w = rgb.shape[:2]
    ratio = min(1.0, _HEAT_SIDE_PIXELS / max(h, w))
    return max(2, round(h * ratio)), max(2, round(w * ratio))


def _inside(size: tuple[int, int], box: Box) -> np.ndarray:
    """Returns a box as a mask, float32 ``[H, W]``, at least two pixels high and wide.

    Raises:
        UsageError: it is empty, or reaches out of the photo.
    """
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise UsageError(f"a box is x0,y0,x1,y1 with 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1, got {box}")
    h, w = size
    inside = np.zeros((h, w), np.float32)
    top, left = round(y0 * h), round(x0 * w)
    inside[top : max(round(y1 * h), top + 2), left : max(round(x1 * w), left + 2)] = 1
    return inside
