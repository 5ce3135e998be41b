"""Finds noun phrases in English captions without a parser: the words between the small ones.

**Convention:** a phrase is a ``range`` of positions in a caption's words; punctuation marks are words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

DETERMINERS = frozenset(
    "a an the some any this these those his her its their my your our another one two three four five six "
    "several many".split()
)
_LINKS = frozenset(
    "about above across against along among and around as at away before behind below beneath beside between "
    "but by down during far for from front has have he in inside instead into is are it near next of off on "
    "onto or out outside over she sits stands lies that they through to toward towards under up upon was "
    "were which while who with within without wears holds".split()
)
_HAVING = frozenset("carrying containing featuring having holding including wearing".split())
"""Verbs that only say that something is there."""
_NOUNS = frozenset(
    "building ceiling clothing drawing earring evening king lightning morning painting railing ring spring "
    "string swing thing wedding wing".split()
)
"""Words in -ing that name things."""
SEVERAL = frozenset({"and", "or", ","})
_WORD = re.compile(r"\w[\w'\u2019-]*|[^\w\s]")


def words_of(caption: str) -> tuple[str, ...]:
    """Splits a caption into words and punctuation marks."""
    return tuple(_WORD.findall(caption))


def positions(caption: str) -> list[tuple[int, int]]:
    """Returns where each of :func:`words_of` stands, as (start, stop) in characters."""
    return [match.span() for match in _WORD.finditer(caption)]


def is_content(word: str) -> bool:
    """Tells whether a word names or describes something."""
    return word[:1].isalnum() and word.lower() not in DETERMINERS | _LINKS


def is_doing(word: str) -> bool:
    """Tells whether a word looks like a participle, "sitting"."""
    return word.lower().endswith("ing") and len(word) > 4 and word.lower() not in _NOUNS


def phrase_after(words: Sequence[str], start: int) -> range:
    """Returns the words that describe and name a thing from a position on; empty where there are none."""
    stop = start
    while stop < len(words) and is_content(words[stop]) and not (stop > start and is_doing(words[stop])):
        stop += 1
    return range(start, stop)


def phrase_before(words: Sequence[str], stop: int) -> range:
    """Returns the words that describe and name a thing up to a position, after any verb: "man riding"."""
    start = stop
    while start > 0 and is_content(words[start - 1]):
        if is_doing(words[start - 1]) and start > 1 and is_content(words[start - 2]):
            break
        start -= 1
    return range(start, stop)


def find(words: Sequence[str], phrase: Sequence[str], near: int = 0) -> range | None:
    """Finds a phrase among words, at the place nearest to a position; None where it is not there."""
    low, wanted = [word.lower() for word in words], [word.lower() for word in phrase]
    size = len(wanted)
    starts = [at for at in range(len(low) - size + 1) if size and low[at : at + size] == wanted]
    return range(best := min(starts, key=lambda at: abs(at - near)), best + size) if starts else None


def thing(words: Sequence[str], within: range) -> range:
    """Drops what joins a phrase to its sentence: "and a dog" to "a dog", "wearing a hat" to "a hat"."""
    start, stop = within.start, within.stop
    while start < stop and not _begins(words, start, stop):
        start += 1
    while start < stop and not is_content(words[stop - 1]):
        stop -= 1
    return range(start, stop)


def named(words: Sequence[str], within: range) -> range:
    """Returns the first thing in a phrase, without determiners: "and a dog in a hat" to "dog"."""
    found = thing(words, within)
    start = found.start
    while start < found.stop and not is_content(words[start]):
        start += 1
    phrase = phrase_after(words, start)
    return range(start, min(phrase.stop, found.stop))


def name_in(caption: str) -> str:
    """Returns the first thing that words name, "dog" in "and a dog in a hat"; the words if none."""
    words = words_of(caption)
    return text(words, named(words, range(len(words)))) or caption


def thing_in(caption: str) -> str:
    """Drops what joins words to a sentence, "and a dog" to "a dog"; the words if nothing is left."""
    words = words_of(caption)
    return text(words, thing(words, range(len(words)))) or caption


def text(words: Sequence[str], phrase: range) -> str:
    """Returns a phrase as text."""
    return " ".join(words[phrase.start : phrase.stop])


def _begins(words: Sequence[str], at: int, stop: int) -> bool:
    """Tells whether a thing's phrase can begin here."""
    word = words[at].lower()
    if word in DETERMINERS:
        return True
    if not is_content(word) or word in _HAVING:
        return False
    return not (is_doing(word) and at + 1 < stop and not is_content(words[at + 1]))
