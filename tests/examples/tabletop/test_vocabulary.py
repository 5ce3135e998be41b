from __future__ import annotations

import pytest

from examples.tabletop.vocabulary import COLOURS, COMMON, METALS, NOUNS, SURFACES, SYNONYMS


def test_no_word_has_two_meanings() -> None:
    others = [word for words in SYNONYMS.values() for word in words]
    every = [*NOUNS, *others, *COLOURS, *SURFACES]
    assert len(set(every)) == len(every)


def test_synonyms_common_words_and_metals_are_of_known_words() -> None:
    assert set(SYNONYMS) <= set(NOUNS)
    assert set(NOUNS) > COMMON
    assert set(COLOURS) > METALS


def test_words_are_lower_case_letters() -> None:
    for word in (*NOUNS, *SYNONYMS, *COLOURS, *SURFACES):
        assert word.replace(" ", "").isalpha()
        assert word == word.lower() == " ".join(word.split())


@pytest.mark.parametrize("word", COLOURS)
def test_a_shade_is_nearer_to_its_own_word_than_to_any_other(word: str) -> None:
    def distance(shade: tuple[float, float, float], other: str) -> float:
        return min(sum((a - b) ** 2 for a, b in zip(shade, one, strict=True)) for one in COLOURS[other])

    for k, shade in enumerate(COLOURS[word]):
        assert all(0 <= value <= 1 for value in shade)
        own = [s for i, s in enumerate(COLOURS[word]) if i != k] or [shade]
        nearest = min(sum((a - b) ** 2 for a, b in zip(shade, one, strict=True)) for one in own)
        assert nearest < min(distance(shade, other) for other in COLOURS if other != word)
