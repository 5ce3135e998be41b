"""Prompts as sentences: what their words stand for, an object's words put in, taken out, or replaced."""

from __future__ import annotations

import re

_ARTICLES = "a an the some".split()
_PLACES = "on in at with by near next beside behind under above".split()
_ARTICLE = rf"(?:\b(?:{'|'.join(_ARTICLES)})\s+)"
_PLACED = rf"(?:{'|'.join(_PLACES)}|in front)"
PLAIN = "a photo"
"""The prompt of a photo of which nothing is said."""
FUNCTION_WORDS = frozenset(
    _ARTICLES + _PLACES + "and or of from to into onto over is are its their this that there".split()
)
"""Words that stand for nothing in a picture. A model attends to something at them nevertheless: at "on" to
contact shadows, for example."""
_ACROSS = {"left": (-1, 0), "leftmost": (-1, 0), "right": (1, 0), "rightmost": (1, 0)}
_UP = dict.fromkeys(("top", "upper", "back"), (0, -1))
_DOWN = dict.fromkeys(("bottom", "lower", "front"), (0, 1))
DIRECTIONS = {**_ACROSS, **_UP, **_DOWN}
"""Words that say which of several objects is meant by its place, and the direction (x, y) that they mean."""
SIZES = {"biggest": 1, "largest": 1, "smallest": -1}
"""Words that say it by its size; 1 for the largest."""
_MIDDLE = ("middle", "center", "centre")


def holds_words(prompt: str, words: str) -> bool:
    """Whether the words are in the prompt, as whole words in their order."""
    return re.search(rf"\b{re.escape(words.lower())}\b", prompt.lower()) is not None


def with_words(prompt: str, words: str) -> str:
    """The prompt with an object's words in it: as it is if they are there already, else joined at its end."""
    if holds_words(prompt, words):
        return prompt
    named = with_article(words)
    return f"a photo of {named}" if prompt.strip() in ("", PLAIN) else f"{prompt} and {named}"


def with_article(words: str) -> str:
    """The words after "a" or "an", unless they bring an article of their own."""
    if re.match(_ARTICLE, words, re.IGNORECASE):
        return words
    return ("an " if words[:1].lower() in tuple("aeiou") else "a ") + words


def without_words(prompt: str, gone: list[str]) -> str:
    """The prompt without the phrases that end in the words: "a red mug and" goes with "mug".

    A phrase begins at its article, and takes the conjunction or comma that joins it along.
    """
    for words in gone:
        phrase = _phrase(words)
        joined, bare = rf"(?:,(?:\s*and\b)?|\band\b)\s*{phrase}", rf"\b{re.escape(words)}\b"
        for pattern in (
            rf",\s*{phrase}(?=\s+and\b)",
            rf"{phrase}\s*(?:,|\band\b)\s*",
            rf"\s*{joined}",
            phrase,
            rf",\s*{bare}(?=\s+and\b)",
            rf"{bare}\s*(?:,|\band\b)\s*",
            rf"\s*(?:,|\band\b)\s*{bare}",
            bare,
        ):
            shorter, found = re.subn(pattern, " ", prompt, count=1, flags=re.IGNORECASE)
            if found:
                prompt = shorter
                break
    prompt = " ".join(prompt.split())
    loose = rf"\b(?:of|with|and)\s+(?={_PLACED}\b)"
    prompt = re.sub(loose, "", re.sub(r"\s*\b(?:of|with|and)$", "", prompt))
    return prompt or PLAIN


def replace_words(prompt: str, words: str, new: str) -> str:
    """The prompt with the phrase that ends in the words replaced by another one, article and all."""
    for pattern in (_phrase(words), rf"\b{re.escape(words)}\b"):
        replaced, found = re.subn(pattern, lambda _: with_article(new), prompt, count=1, flags=re.IGNORECASE)
        if found:
            return replaced
    return with_words(prompt, new)


def _phrase(words: str) -> str:
    """A pattern of an article, up to three words that describe, and the words."""
    describing = r"(?:(?!(?:and|of|on|with|a|an|the)\b)[\w-]+\s+){0,3}"
    return rf"{_ARTICLE}{describing}{re.escape(words)}\b"


def split(words: str) -> tuple[str | None, str]:
    """The word that says which one, if there is one, and the rest: "the left red mug" -> left, "red mug"."""
    bare = re.sub(r"^\s*(?:the|an?)\s+(?=\S)", "", words, flags=re.IGNORECASE).strip()
    names = "|".join((*DIRECTIONS, *SIZES, *_MIDDLE))
    found = re.fullmatch(rf"({names})\s+(.+)", bare, re.IGNORECASE)
    return (found[1].lower(), found[2]) if found else (None, bare)
