"""Edits prompts as sentences: puts an object's words in, takes them out, replaces them."""

from __future__ import annotations

import re

from realedit.errors import UsageError

_ARTICLES = "a an the some".split()
_PLACES = "on in at with by near next beside behind under above".split()
_ARTICLE = rf"(?:\b(?:{'|'.join(_ARTICLES)})\s+)"
_PLACED = rf"(?:{'|'.join(_PLACES)}|in front)"
PLAIN = "a photo"
CAPTION = "a photo of {thing}"
"""The prompt of a photo without a description."""
FUNCTION_WORDS = frozenset(
    _ARTICLES + _PLACES + "and or of from to into onto over is are its their this that there".split()
)
"""Words that name nothing in a picture. A model attends to something for them nevertheless, as to contact
shadows for "on"."""
_ACROSS = {"left": (-1, 0), "leftmost": (-1, 0), "right": (1, 0), "rightmost": (1, 0)}
_UP = dict.fromkeys(("top", "upper", "back"), (0, -1))
_DOWN = dict.fromkeys(("bottom", "lower", "front"), (0, 1))
DIRECTIONS = {**_ACROSS, **_UP, **_DOWN}
"""Words that choose one of several objects by its place, and the direction (x, y) of each."""
SIZES = {"biggest": 1, "largest": 1, "smallest": -1}
"""Words that choose one of several objects by its size: 1 for the largest, -1 for the smallest."""
_MIDDLE = ("middle", "center", "centre")
_LEADING = re.compile(r"^(?:the|an?|some|my|your|his|her|our|their|this|that|these|those)\s+(?=\S)")
_WEIGHT = re.compile(r":\s*[-+]?\d*\.?\d+\s*(?=[)\]}]|$)")
"""The number of "(mug:1.3)", as prompts of other programs weigh words."""
_BRACKETS = re.compile("[()\\[\\]{}\"\u201c\u201d\u2018<>*_]|(?<!\\w)'|'(?!\\w)")
"""And quotation marks, but for apostrophes."""
_MOST_LETTERS = 200
"""Letters of an object's words: more are refused, fewer are looked for. Set by eye."""
_BETWEEN = re.compile(r"[,;/|+&\n]")
"""Signs between the items of a list."""


def tidied(words: str) -> str:
    """Strips an object's words to what says what is meant: "The Mug.", "(mug:1.3)" and "a mug" are "mug".

    Lower case, single blanks, without articles, punctuation, brackets and weights.

    Raises:
        UsageError: the words are a list, say nothing, or are no name any more.
    """
    if len(words) > _MOST_LETTERS:
        raise UsageError(
            f"a name of {len(words):,} letters: {' '.join(words[:20].split())!r}...",
            "say what is meant in a few words, as in 'left mug'",
        )
    bare = _WEIGHT.sub("", words.strip().lower())
    bare = _BRACKETS.sub(" ", bare.replace("\u2019", "'")).strip(" \t\n.,;:!?")
    while (shorter := _LEADING.sub("", bare)) != bare:
        bare = shorter
    items = [item.strip() for item in _BETWEEN.split(bare) if item.strip()]
    if len(items) > 1:
        raise one_at_a_time(words, items)
    bare = " ".join(bare.split())
    if not bare:
        raise UsageError(f"{words!r} names nothing", "say what is meant, as in 'mug' or 'left mug'")
    return bare


def one_at_a_time(words: str, items: list[str]) -> UsageError:
    """The error of words that list several things."""
    return UsageError(
        f"{words.strip()!r} names {len(items)} things, and one can be meant",
        f"name one, {items[0]!r} say, and give the others edits of their own: --remove {items[0]} "
        f"--remove {items[1]}",
    )


def holds_words(prompt: str, words: str) -> bool:
    """Tells whether the prompt holds the words, as whole words in their order."""
    return re.search(rf"\b{re.escape(words.lower())}\b", prompt.lower()) is not None


def with_words(prompt: str, words: str, caption: str = CAPTION) -> str:
    """Adds an object's words at the prompt's end, unless the prompt holds them already.

    Args:
        prompt: what the photo shows; nothing, or that it is a photo, where nobody says.
        words: the object's.
        caption: what a photo of ``{thing}`` shows where nobody says.
    """
    if holds_words(prompt, words):
        return prompt
    named = with_article(words)
    return caption.format(thing=named) if prompt.strip() in ("", PLAIN) else f"{prompt} and {named}"


def with_article(words: str) -> str:
    """Puts "a" or "an" before the words, unless they begin with an article."""
    if re.match(_ARTICLE, words, re.IGNORECASE):
        return words
    return ("an " if words[:1].lower() in tuple("aeiou") else "a ") + words


def without_words(prompt: str, gone: list[str]) -> str:
    """Takes the phrases that end in the words out of the prompt: for "mug" also "a red mug and".

    A phrase begins at its article; the conjunction or comma that joins it goes too.
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
    """Replaces the phrase that ends in the words by another one, article and all."""
    for pattern in (_phrase(words), rf"\b{re.escape(words)}\b"):
        replaced, found = re.subn(pattern, lambda _: with_article(new), prompt, count=1, flags=re.IGNORECASE)
        if found:
            return replaced
    return with_words(prompt, new)


def _phrase(words: str) -> str:
    """Returns a pattern of an article, up to three words that describe, and the words."""
    describing = r"(?:(?!(?:and|of|on|with|a|an|the)\b)[\w-]+\s+){0,3}"
    return rf"{_ARTICLE}{describing}{re.escape(words)}\b"


def content_words(prompt: str) -> list[str]:
    """Returns the words of a prompt that may name things, each once."""
    spoken = dict.fromkeys(word.strip(".,;:!?") for word in prompt.lower().split())
    return [word for word in spoken if word not in FUNCTION_WORDS]


def split(words: str) -> tuple[str | None, str]:
    """Splits off the word that says which object is meant: "the left red mug" -> "left", "red mug".

    Returns:
        That word, or None without one, and the rest without its article.
    """
    bare = re.sub(r"^\s*(?:the|an?)\s+(?=\S)", "", words, flags=re.IGNORECASE).strip()
    names = "|".join((*DIRECTIONS, *SIZES, *_MIDDLE))
    found = re.fullmatch(rf"({names})\s+(.+)", bare, re.IGNORECASE)
    return (found[1].lower(), found[2]) if found else (None, bare)
