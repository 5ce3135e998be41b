"""What people call the things that ImageNet's classes show: "dog" its 118 breeds, "mugs" a coffee mug.

The table is ``assets/imagenet/words.txt``, to be read and edited; ``examples/imagenet/words.py`` makes of it
the ``words.json`` that is read here. A word may also have classes that only *stand in* for it, since no class
shows it: a giraffe looks like an impala with a leopard's skin, a person wears jeans and a jersey. They point
well and tell worse whether the thing is there.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from realedit.errors import ModelUnavailableError
from realedit.models.imagenet import FOLDER
from realedit.prompts import one_at_a_time, tidied
from realedit.system.outside_json import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "words.json"
_LIST = re.compile(r"\s(?:and|or)\s")
_IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "mice": "mouse",
    "geese": "goose",
    "teeth": "tooth",
    "feet": "foot",
    "oxen": "ox",
    "gentlemen": "gentleman",
    "policemen": "policeman",
    "cacti": "cactus",
    "dice": "die",
}
_PLURAL_ENDINGS = (("ves", "f"), ("ves", "fe"), ("ies", "y"), ("es", ""), ("s", ""))
_CLOSE = 0.75
"""Likeness of two spellings, [0, 1] by difflib: at or above it one is offered for the other, below not. By
eye: "girafe" and "giraffe" are at 0.92, "spoon" and "poodle" at 0.55."""
_OFFERED = 3
"""Words offered at most for an unknown one."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word means to ImageNet.

    Args:
        word: as the table spells it first.
        classes: that show it, by number, ascending.
        stand_in: whether they only stand in for it.
        usual: log-odds that the word has at its likeliest place in a photograph of anything; see
            :mod:`realedit.find.names`.
    """

    word: str
    classes: tuple[int, ...]
    stand_in: bool
    usual: float


class Words:
    """A table of words.

    Args:
        meanings: of each word, by its table's spelling.
    """

    def __init__(self, meanings: dict[str, Meaning]) -> None:
        self._meanings = meanings

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.meaning(word) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._meanings)

    def __len__(self) -> int:
        return len(self._meanings)

    @cached_property
    def _spellings(self) -> dict[str, str]:
        return {spelling(word): word for word in self._meanings}

    def _spelt(self, word: str) -> str | None:
        """The table's own spelling of a word in the singular or plural; None of one that it does not hold."""
        return next(
            (self._spellings[s] for s in map(spelling, singulars(word)) if s in self._spellings), None
        )

    def meaning(self, words: str) -> Meaning | None:
        """What the longest known end of the words means: "big red fire trucks" is a fire truck.

        "x of y" is an x where x is known: a "can of spam" is a can.

        Args:
            words: a noun phrase; see :func:`normalised`.
        """
        spoken = words.lower().split()
        if "of" in spoken[1:] and self._spelt(words) is None:
            return self.meaning(" ".join(spoken[: spoken.index("of", 1)]))
        ends = (self._spelt(" ".join(spoken[start:])) for start in range(len(spoken)))
        found = next((end for end in ends if end is not None), None)
        return None if found is None else self._meanings[found]

    def normalised(self, words: str) -> str:
        """The words as the rest of realedit wants them: "The Mugs.", "(mug:1.3)" and "a mug" are "mug".

        :func:`realedit.prompts.tidied`, and the last word in the singular if the table knows that.

        Raises:
            UsageError: the words list several things, or say nothing.
        """
        bare = tidied(words)
        items = [item.strip() for item in _LIST.split(bare)]
        if len(items) > 1 and all(item in self for item in items):
            raise one_at_a_time(words, items)
        *before, last = bare.split()
        for start in range(len(before) + 1):
            for one in singulars(last):
                if spelling(" ".join([*before[start:], one])) in self._spellings:
                    return " ".join([*before, one])
        return bare

    def plural(self, words: str) -> bool:
        """Whether words ask for several things of one name: "mugs", "the people"; of no name it is not known.

        Raises:
            UsageError: as :meth:`normalised`.
        """
        return self.normalised(words).split()[-1].lower() != tidied(words).split()[-1].lower()

    def nearest_known(self, words: str) -> list[str]:
        """Up to three known words spelt like an unknown one, or its last word; the likest first."""
        last = words.lower().split()[-1:] or [""]
        asked = dict.fromkeys(map(spelling, (words.lower(), *last)))
        close: dict[str, float] = {}
        for each in asked:
            for found in difflib.get_close_matches(each, self._spellings, n=_OFFERED, cutoff=_CLOSE):
                likeness = difflib.SequenceMatcher(None, each, found).ratio()
                close[found] = max(close.get(found, 0), likeness)
        ranked = sorted(close, key=lambda found: (-close[found], found))
        return [self._spellings[found] for found in ranked[:_OFFERED]]

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Words:
        """The table in ``folder``.

        Raises:
            ModelUnavailableError: it cannot be read.
        """
        try:
            entries: Any = read_json(folder / FILE)
            meanings = {word: _meaning(word, entry) for entry in entries for word in entry["words"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelUnavailableError(
                f"the table of words in {folder} cannot be read ({type(error).__name__})",
                "install realedit again",
            ) from error
        return cls(meanings)


def _meaning(word: str, entry: dict[str, Any]) -> Meaning:
    classes = [number for first, last in entry["classes"] for number in range(first, last + 1)]
    return Meaning(word, tuple(classes), entry["stand_in"], entry["usual"])


def spelling(word: str) -> str:
    """A word without what people spell in several ways: case, hyphens, blanks, apostrophes, grey and gray."""
    return re.sub("[\\s\\-'\u2019.]", "", word.lower()).replace("grey", "gray")


def singulars(word: str) -> list[str]:
    """The word itself, and what it may be the plural of, by its last letters; not all of them are words."""
    *before, last = word.lower().split() or [""]
    ones = [last]
    if last in _IRREGULAR:
        ones.append(_IRREGULAR[last])
    ones += [
        last[: -len(ending)] + one
        for ending, one in _PLURAL_ENDINGS
        if last.endswith(ending) and not last.endswith("ss") and len(last) > len(ending) + 1
    ]
    return [" ".join([*before, one]) for one in ones]
