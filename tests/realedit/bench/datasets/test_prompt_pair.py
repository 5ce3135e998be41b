"""In what two prompts differ."""

from __future__ import annotations

import pytest

from realedit.bench.datasets.phrases import text
from realedit.bench.datasets.prompt_pair import PromptPair, plain


def changes(original: str, editing: str) -> list[tuple[str, str]]:
    pair = PromptPair.of(original, editing)
    return [(text(pair.before, change.old), text(pair.after, change.new)) for change in pair.changes]


@pytest.mark.parametrize(
    ("original", "editing", "found"),
    [
        ("a cat on a mat", "a dog on a mat", [("cat", "dog")]),
        ("a [cat] on a mat", "a [dog] on a mat", [("cat", "dog")]),
        # in one prompt alone, as most of PIE-Bench has it
        ("a mountain bicycle", "a [rusty] mountain bicycle", [("", "rusty")]),
        ("an orange cat", "a [black] cat", [("orange", "black")]),
        ("a cat [and a dog] on a mat", "a cat on a mat", [("and a dog", "")]),
        # several
        ("a [cat] on a [chair]", "a [dog] on a [sofa]", [("cat", "dog"), ("chair", "sofa")]),
        # one pair of brackets is one change
        ("a [cat with a bow]", "a [dog with a hat]", [("cat with a bow", "dog with a hat")]),
        # what the brackets leave out is grammar
        ("one cat sits on a mat", "[two] cats sit on a mat", [("one cat sits", "two cats sit")]),
        ("a cat is on a mat at noon", "a [dog] is on the mat at night", [("cat", "dog")]),
        # brackets that say nothing
        ("a [cat] on a mat", "a [cat] on a rug", [("mat", "rug")]),
        ("a [] cat on a mat", "a [] dog on a mat", [("cat", "dog")]),
        ("a cat on [a mat", "a dog] on a mat", [("cat", "dog")]),
        ("a [cat]s nest", "a [dog]s nest", [("cats", "dogs")]),
        # nothing
        ("a cat on a mat", "the cat on a mat.", []),
        ("a [cat]", "a cat", []),
        ("", "", []),
        ("", "a cat", [("", "a cat")]),
    ],
)
def test_changes(original: str, editing: str, found: list[tuple[str, str]]) -> None:
    assert changes(original, editing) == found


def test_a_word_that_stays_is_known_by_its_place() -> None:
    pair = PromptPair.of("a cat on a mat", "a [black] cat on a mat")
    assert [pair.after[pair.kept[at]] for at in range(5)] == list(pair.before)
    assert pair.kept[1] == 2


def test_a_prompt_without_brackets() -> None:
    assert plain("a [rusty] bicycle [") == "a rusty bicycle "
