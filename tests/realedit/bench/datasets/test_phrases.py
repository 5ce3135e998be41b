"""Noun phrases of captions."""

from __future__ import annotations

import pytest

from realedit.bench.datasets import phrases

RIDER = phrases.words_of("a young man riding two white horses, near the old barn")


def test_words_keep_their_hyphens_and_lose_their_punctuation() -> None:
    caption = "a cat's well-known mug, on it."
    assert phrases.words_of(caption) == ("a", "cat's", "well-known", "mug", ",", "on", "it", ".")
    spans = phrases.positions(caption)
    assert tuple(caption[start:stop] for start, stop in spans) == phrases.words_of(caption)


def test_a_phrase_ends_at_small_words_verbs_and_punctuation() -> None:
    assert phrases.text(RIDER, phrases.phrase_after(RIDER, 1)) == "young man"
    assert phrases.text(RIDER, phrases.phrase_before(RIDER, 7)) == "white horses"
    assert phrases.text(RIDER, phrases.phrase_before(RIDER, 3)) == "young man"
    assert not phrases.phrase_after(RIDER, 0)
    assert not phrases.phrase_before(RIDER, 8)
    smiling = phrases.words_of("a smiling woman sitting")
    assert phrases.text(smiling, phrases.phrase_before(smiling, 3)) == "smiling woman"
    assert phrases.text(smiling, phrases.phrase_after(smiling, 1)) == "smiling woman"


def test_words_are_found_where_they_are_nearest() -> None:
    words = phrases.words_of("A cat and a black cat")
    assert phrases.find(words, ["cat"]) == range(1, 2)
    assert phrases.find(words, ["Cat"], near=5) == range(5, 6)
    assert phrases.find(words, ["black", "cat"]) == range(4, 6)
    assert phrases.find(words, ["dog"]) is None
    assert phrases.find(words, []) is None


@pytest.mark.parametrize(
    ("phrase", "thing", "name"),
    [
        ("and a butterfly", "a butterfly", "butterfly"),
        ("with a red hat and", "a red hat", "red hat"),
        ("wearing sunglasses", "sunglasses", "sunglasses"),
        ("sitting on the beach", "the beach", "beach"),
        ("flying birds", "flying birds", "flying birds"),
        ("a cat with a bow", "a cat with a bow", "cat"),
        ("two dogs", "two dogs", "dogs"),
        ("painting", "painting", "painting"),
        ("on the", "", "on the"),
    ],
)
def test_a_thing_is_what_is_left_of_a_phrase_without_its_links(phrase: str, thing: str, name: str) -> None:
    words = phrases.words_of(phrase)
    assert phrases.text(words, phrases.thing(words, range(len(words)))) == thing
    assert phrases.name_in(phrase) == name
