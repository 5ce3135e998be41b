"""Sentences about a scene, as people caption photos: not every object named, not every colour given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from examples.tabletop.vocabulary import SYNONYMS

OPENINGS = ("a photo of", "a picture of", "an image of", "a photograph of", "")
_OPENING_SHARES = (0.45, 0.1, 0.1, 0.1, 0.25)
NONE_NAMED = 0.05
"""Share of captions that name no object: what a model tells apart under them, it sees."""

_ALL_NAMED = 0.8  # of the rest; the others leave objects out
_ONE_NAMED = 0.7  # of those, as a bare "a photo of a mug" does: only they teach to tell a mug from a bowl
_COLOUR_GIVEN = 0.85
_SYNONYM = 0.4


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence, and where it speaks of which object.

    Attributes:
        text: The sentence.
        nouns: For each object named: its number in the instance mask (from 1) and its noun as written.
    """

    text: str
    nouns: tuple[tuple[int, str], ...]


def with_article(words: str) -> str:
    """``words`` after "a" or "an"; none before headphones and scissors."""
    if words.split()[-1] in {"headphones", "scissors", "bread", "ketchup", "sunglasses"}:
        return words
    return ("an " if words[0] in "aeiou" else "a ") + words


def write_caption(
    scene: Mapping[str, Any], rng: np.random.Generator, none_named: float = NONE_NAMED
) -> Caption:
    """A random true sentence about a scene with ``objects`` (``noun``, ``colour``) and ``surface``."""
    objects: Sequence[Mapping[str, Any]] = scene["objects"]
    if rng.random() < none_named:
        return Caption(_nameless(scene["surface"], rng), ())
    order = rng.permutation(len(objects))
    if rng.random() > _ALL_NAMED:
        order = order[: 1 if rng.random() < _ONE_NAMED else rng.integers(1, len(objects) + 1)]
    nouns, phrases = [], []
    for k in order:
        noun = _worded(objects[k]["noun"], rng)
        colour = objects[k]["colour"]
        nouns.append((int(k) + 1, noun))
        phrases.append(with_article(f"{colour} {noun}" if colour and rng.random() < _COLOUR_GIVEN else noun))
    sentence = f"{rng.choice(OPENINGS, p=_OPENING_SHARES)} {_listed(phrases)}{_place(scene['surface'], rng)}"
    return Caption(sentence.strip(), tuple(nouns))


def full_caption(scene: Mapping[str, Any]) -> str:
    """The plain sentence that names every object with its colour, and the surface."""
    phrases = [
        with_article(f"{thing['colour']} {thing['noun']}" if thing["colour"] else thing["noun"])
        for thing in scene["objects"]
    ]
    return f"a photo of {_listed(phrases)} on {with_article(scene['surface'])} table"


def _worded(noun: str, rng: np.random.Generator) -> str:
    others = SYNONYMS.get(noun, ())
    return str(rng.choice(others)) if others and rng.random() < _SYNONYM else noun


def _nameless(surface: str, rng: np.random.Generator) -> str:
    opening = str(rng.choice(OPENINGS[:-1]))
    if rng.random() < 0.5:
        return opening.removesuffix(" of")
    return f"{opening} {with_article(surface)} {rng.choice(['table', 'surface'])}"


def _listed(phrases: Sequence[str]) -> str:
    return " and ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)


def _place(surface: str, rng: np.random.Generator) -> str:
    places = (
        "",
        " on a table",
        " on the table",
        f" on {with_article(surface)} table",
        f" on {with_article(surface)} surface",
    )
    return str(rng.choice(places, p=(0.3, 0.15, 0.1, 0.3, 0.15)))
