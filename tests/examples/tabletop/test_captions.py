from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from examples.tabletop.captions import OPENINGS, Caption, full_caption, with_article, write_caption
from examples.tabletop.vocabulary import COLOURS, NOUNS, SURFACES, SYNONYMS

BARE = {"headphones", "scissors", "sunglasses", "bread", "ketchup"}
SCENE: dict[str, Any] = {
    "objects": [
        {"noun": "mug", "colour": "orange"},
        {"noun": "wine glass", "colour": None},
        {"noun": "mug", "colour": "blue"},
        {"noun": "scissors", "colour": "silver"},
    ],
    "surface": "wooden",
}


def random_scene(rng: np.random.Generator) -> dict[str, Any]:
    colours = (*COLOURS, None)
    return {
        "objects": [
            {"noun": str(noun), "colour": colours[rng.integers(len(colours))]}
            for noun in rng.choice(NOUNS, rng.integers(1, 5))
        ],
        "surface": str(rng.choice(SURFACES)),
    }


def captions(count: int, seed: int = 0) -> list[tuple[dict[str, Any], Caption]]:
    rng = np.random.default_rng(seed)
    scenes = [random_scene(rng) for _ in range(count)]
    return [(scene, write_caption(scene, rng)) for scene in scenes]


def phrases(text: str) -> list[str]:
    """The objects of a sentence, by a grammar of its own: opening, list, place."""
    for opening in sorted(filter(None, OPENINGS), key=len, reverse=True):
        text = text.removeprefix(f"{opening} ")
    listed = re.sub(r" on (the|an?)( [a-z]+)? (table|surface)$", "", text)
    return re.split(r", | and ", listed)


def split_phrase(phrase: str, noun: str) -> str | None:
    """The colour of "a COLOUR NOUN"; fails on anything but an article, perhaps a colour, and the noun."""
    words = phrase.removesuffix(noun).split()
    assert phrase.endswith(noun)
    if noun.split()[-1] in BARE:
        assert "a" not in words
        assert "an" not in words
    else:
        article, *words = words
        assert article == ("an" if [*words, noun][0][0] in "aeiou" else "a")
    assert len(words) <= 1
    return words[0] if words else None


def test_a_caption_says_of_each_noun_it_reports_only_what_is_true() -> None:
    for scene, caption in captions(400):
        if not caption.nouns:
            continue
        spoken = phrases(caption.text)
        assert len(spoken) == len(caption.nouns)
        numbers = [number for number, _ in caption.nouns]
        assert len(set(numbers)) == len(numbers)
        for phrase, (number, noun) in zip(spoken, caption.nouns, strict=True):
            thing = scene["objects"][number - 1]
            assert noun in (thing["noun"], *SYNONYMS.get(thing["noun"], ()))
            assert split_phrase(phrase, noun) in (None, thing["colour"])


def test_a_caption_names_no_surface_but_the_scenes() -> None:
    found = 0
    for scene, caption in captions(300, 1):
        place = re.search(r" on an? ([a-z]+) (table|surface)$", caption.text)
        if place:
            found += 1
            assert place[1] == scene["surface"]
    assert found > 75


def test_a_twentieth_of_all_captions_names_nothing() -> None:
    nameless = [caption.text for _, caption in captions(4000, 4) if not caption.nouns]
    assert len(nameless) / 4000 == pytest.approx(0.05, abs=0.015)
    words = {word for text in nameless for word in text.split()}
    assert words <= {
        "a",
        "an",
        "photo",
        "picture",
        "image",
        "photograph",
        "of",
        "table",
        "surface",
        *SURFACES,
    }
    bare = [text for text in nameless if " of" not in text]
    assert len(bare) / len(nameless) == pytest.approx(0.5, abs=0.1)


def test_captions_leave_things_out_and_change_their_order() -> None:
    rng = np.random.default_rng(2)
    every = [write_caption(SCENE, rng) for _ in range(1000)]
    drawn = [caption for caption in every if caption.nouns]
    lengths = np.bincount([len(caption.nouns) for caption in drawn], minlength=5)
    # All four are named by 80 %; of the others 70 % name one, the rest as many as chance will have it.
    few = 0.2 * 0.3 / 4
    assert lengths[1:] / len(drawn) == pytest.approx([0.14 + few, few, few, 0.8 + few], abs=0.05)
    first = np.bincount([caption.nouns[0][0] for caption in drawn], minlength=5)
    assert first[1:] / len(drawn) == pytest.approx([0.25] * 4, abs=0.06)
    cups = [noun for caption in drawn for number, noun in caption.nouns if number in (1, 3)]
    assert cups.count("cup") / len(cups) == pytest.approx(0.4, abs=0.06)
    assert {noun for caption in drawn for number, noun in caption.nouns if number == 2} == {"wine glass"}
    orange = [
        phrase for caption in drawn for phrase in phrases(caption.text) if phrase.endswith(("mug", "cup"))
    ]
    given = [any(colour in phrase for colour in ("orange", "blue")) for phrase in orange]
    assert np.mean(given) == pytest.approx(0.85, abs=0.05)
    assert {next((o for o in OPENINGS if o and c.text.startswith(o)), "") for c in drawn} == set(OPENINGS)


def test_captions_follow_the_source_of_chance() -> None:
    assert captions(20, 3) == captions(20, 3)
    assert captions(20, 3) != captions(20, 4)


def test_a_caption_without_an_opening_begins_with_its_object() -> None:
    for _, caption in captions(200, 5):
        assert caption.text == caption.text.strip()
        assert "  " not in caption.text


def test_the_full_caption_names_everything() -> None:
    assert full_caption(SCENE) == (
        "a photo of an orange mug, a wine glass, a blue mug and silver scissors on a wooden table"
    )
    alone = {"objects": [{"noun": "apple", "colour": None}], "surface": "striped"}
    assert full_caption(alone) == "a photo of an apple on a striped table"


@pytest.mark.parametrize(
    ("words", "spoken"),
    [
        ("apple", "an apple"),
        ("egg", "an egg"),
        ("orange mug", "an orange mug"),
        ("green apple", "a green apple"),
        ("wine glass", "a wine glass"),
        ("scissors", "scissors"),
        ("orange scissors", "orange scissors"),
        ("sunglasses", "sunglasses"),
        ("brown bread", "brown bread"),
        ("paper cup", "a paper cup"),
    ],
)
def test_articles(words: str, spoken: str) -> None:
    assert with_article(words) == spoken


def test_every_noun_in_the_plural_or_without_number_goes_without_an_article() -> None:
    bare = {noun for noun in NOUNS if with_article(noun) == noun}
    assert bare == BARE
    assert {noun for noun in NOUNS if noun.endswith("s") and not noun.endswith("ss")} <= bare
