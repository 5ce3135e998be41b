"""Which noise levels of a photo are inverted and observed: those that an edit reads, or all."""

from __future__ import annotations

import math
from dataclasses import dataclass

from realedit.models.profile import Profile
from realedit.settings import LARGEST_STRENGTH, FullSettings

FIRST_WORD_SHARE, LAST_WORD_SHARE = 0.1, 0.5
"""Words are looked for at the noise levels between these shares of the schedule; attention below and above
them is ignored. Not measured."""


def word_levels(steps: int) -> range:
    """Returns the noise levels, of so many, whose attention shows where words are."""
    first = max(1, round(FIRST_WORD_SHARE * steps))
    return range(first, max(2, round(LAST_WORD_SHARE * steps)) + 1)


@dataclass(frozen=True)
class Levels:
    """The noise levels of an inversion.

    Args:
        top: the noisiest level that the photo is inverted to.
        attention: levels whose attention is kept.
        features: levels whose activations are kept.
        memory: levels whose self-attention keys and values are kept.
        upward: whether the levels are observed on the way up; see :class:`realedit.models.profile.Profile`.
    """

    top: int
    attention: frozenset[int]
    features: frozenset[int]
    memory: frozenset[int]
    upward: bool = False

    @property
    def observed(self) -> list[int]:
        """The levels of which anything is kept, ascending."""
        return sorted(self.attention | self.features | self.memory)

    def covers(self, other: Levels) -> bool:
        """Whether all that another one has is here too."""
        return (
            self.top >= other.top
            and self.attention >= other.attention
            and self.features >= other.features
            and self.memory >= other.memory
        )


@dataclass(frozen=True)
class Reads:
    """What an edit reads of an inversion, whatever its number of levels.

    Args:
        starts: shares of the noise levels that the edit's regions start at; none for an edit in pixels alone.
        guided: share of the steps from each start that are guided.
        shared: whether keys and values are read.
        shared_from: share of the steps before they are.
        words: whether words are looked for in its attention.
        upward: see :class:`Levels`.
    """

    starts: tuple[float, ...]
    guided: float = 0.0
    shared: bool = True
    shared_from: float = 0.0
    words: bool = True
    upward: bool = False

    @classmethod
    def of(cls, settings: FullSettings, profile: Profile, *, paints: bool, hole: bool, words: bool) -> Reads:
        """Returns what an edit reads.

        Args:
            settings: the knobs.
            profile: the model's.
            paints: whether it paints by text.
            hole: whether an object leaves a hole.
            words: whether words are looked for.
        """
        starts = [settings.strength] if settings.resamples else []
        starts += [settings.hole_strength] if settings.resamples and hole else []
        starts += [settings.repaint] if paints else []
        return cls(
            tuple(sorted({share for share in starts if share > 0})),
            settings.window if settings.self_guidance > 0 else 0.0,
            settings.attention,
            profile.shared_from,
            words and profile.find == "attention",
            profile.observe == "upward",
        )

    def levels(self, steps: int) -> Levels:
        """Returns the levels, of so many, that the edit reads."""
        tops = [max(1, round(share * steps)) for share in self.starts]
        guided = {
            level for top in tops for level in range(top - max(1, math.ceil(self.guided * top)), top + 1)
        }
        features = frozenset(level for level in guided if level > 0 and self.guided > 0)
        top = max(tops, default=0)
        # the epsilon for shares that are a whole number of steps
        shared = range(1, math.floor(top * (1 - self.shared_from) + 1e-9) + 1) if self.shared else ()
        words = frozenset(word_levels(steps)) if self.words else frozenset[int]()
        return Levels(
            max(top, max(words, default=0)), features | words, features, frozenset(shared), self.upward
        )


def all_levels(steps: int, profile: Profile) -> Levels:
    """Returns all levels; up to what an edit may start at, activations, keys and values are kept too."""
    most = round(max(LARGEST_STRENGTH, profile.hole_strength or 0.0) * steps)
    kept = frozenset(range(1, most + 1))
    return Levels(steps, frozenset(range(1, steps + 1)), kept, kept)


def glanced(steps: int) -> Levels:
    """Returns the levels at which a photo is looked at where only words are looked for."""
    words = frozenset(word_levels(steps))
    return Levels(steps, words, frozenset(), frozenset())
