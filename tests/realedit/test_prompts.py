from __future__ import annotations

from time import process_time

import pytest

from realedit.errors import UsageError
from realedit.prompts import holds_words, replace_words, tidied, with_article, with_words, without_words


@pytest.mark.parametrize(
    ("prompt", "words", "there"),
    [
        ("a red mug on a table", "mug", True),
        ("a red mug on a table", "Red Mug", True),
        ("A MUG", "mug", True),
        ("mugs on a table", "mug", False),
        ("a mug, a bowl", "bowl", True),
        ("a mug that is red", "red mug", False),
        ("", "mug", False),
        ("a mug (new)", "(new", False),
    ],
)
def test_words_are_held_whole_and_in_their_order(prompt: str, words: str, there: bool) -> None:
    assert holds_words(prompt, words) is there


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("mug", "a mug"),
        ("orange can", "an orange can"),
        ("the mug", "the mug"),
        ("An old book", "An old book"),
        ("some books", "some books"),
        ("theatre box", "a theatre box"),
    ],
)
def test_an_article_is_put_where_there_is_none(words: str, named: str) -> None:
    assert with_article(words) == named
    assert with_article(named) == named


@pytest.mark.parametrize(
    ("prompt", "words", "expected"),
    [
        ("", "mug", "a photo of a mug"),
        ("  ", "orange can", "a photo of an orange can"),
        ("a photo", "mug", "a photo of a mug"),
        ("a bowl on a table", "mug", "a bowl on a table and a mug"),
        ("a bowl on a table", "the mug", "a bowl on a table and the mug"),
        ("A Mug on a table", "mug", "A Mug on a table"),
        ("mugs on a table", "mug", "mugs on a table and a mug"),
    ],
)
def test_missing_words_are_put_in_once(prompt: str, words: str, expected: str) -> None:
    assert with_words(prompt, words) == expected
    assert with_words(expected, words) == expected


@pytest.mark.parametrize(
    ("prompt", "gone", "expected"),
    [
        # alone, at the beginning, in the middle, at the end
        ("a mug", "mug", "a photo"),
        ("mug", "mug", "a photo"),
        ("a photo of a mug", "mug", "a photo"),
        ("a photo of mug on a table", "mug", "a photo on a table"),
        ("a photo of a red mug on a table", "mug", "a photo on a table"),
        ("a photo of a red mug and a bowl on a table", "mug", "a photo of a bowl on a table"),
        ("a photo of a mug and a small white bowl on a table", "bowl", "a photo of a mug on a table"),
        ("a bowl and the mug on a table", "mug", "a bowl on a table"),
        ("A BOWL AND THE MUG", "mug", "A BOWL"),
        ("a bowl and mug", "mug", "a bowl"),
        # lists
        ("a mug, a bowl and a book", "mug", "a bowl and a book"),
        ("a mug, a bowl and a book", "bowl", "a mug and a book"),
        ("a mug, a bowl and a book", "book", "a mug, a bowl"),
        ("a mug, a bowl, and a book", "bowl", "a mug, and a book"),
        ("a photo of a mug, a bowl on a table", "bowl", "a photo of a mug on a table"),
        # what joins it to what is left
        ("a mug with a can", "can", "a mug"),
        ("a mug and a can on a table", "red can", "a mug and a can on a table"),
        # other words than the whole ones stay
        ("mugs on a table", "mug", "mugs on a table"),
        ("a mug on a mug-shaped table", "can", "a mug on a mug-shaped table"),
        # words of several
        ("a photo of a blue mug and a red mug", "red mug", "a photo of a blue mug"),
        ("a photo of an old tin can (dented) on a table", "tin can", "a photo of (dented) on a table"),
    ],
)
def test_a_phrase_goes_with_its_article_and_what_joins_it(prompt: str, gone: str, expected: str) -> None:
    assert without_words(prompt, [gone]) == expected
    assert without_words(expected, [gone]) == expected


def test_several_phrases_go_in_turn() -> None:
    prompt = "a photo of a mug, a bowl and a book on a table"
    assert without_words(prompt, ["mug", "book"]) == "a photo of a bowl on a table"
    assert without_words(prompt, ["bowl", "book", "mug"]) == "a photo on a table"
    assert without_words(prompt, []) == prompt


def test_of_two_alike_one_goes_at_a_time() -> None:
    once = without_words("a red mug and a blue mug", ["mug"])
    assert once == "a blue mug"
    assert without_words(once, ["mug"]) == "a photo"


@pytest.mark.parametrize(
    ("prompt", "gone", "expected"),
    [
        ("a mug, a bowl, and a book", "book", "a mug, a bowl"),
        ("a bowl, mug", "mug", "a bowl"),
        ("mug and bowl", "mug", "bowl"),
        ("mug, bowl and book", "bowl", "mug and book"),
        ("a photo of a mug in a kitchen", "mug", "a photo in a kitchen"),
        ("a photo of a mug with a can on a table", "mug", "a photo with a can on a table"),
    ],
)
def test_nothing_hangs_loose_where_a_phrase_was(prompt: str, gone: str, expected: str) -> None:
    assert without_words(prompt, [gone]) == expected


@pytest.mark.parametrize(
    ("prompt", "words", "new", "expected"),
    [
        ("a red mug on a table", "mug", "a blue mug", "a blue mug on a table"),
        ("a photo of the big red mug", "mug", "orange can", "a photo of an orange can"),
        ("a bowl and a mug", "bowl", "a book", "a book and a mug"),
        ("mug on a table", "mug", "bowl", "a bowl on a table"),
        ("A MUG AND A BOWL", "mug", "a can", "a can AND A BOWL"),
        ("a photo of a red mug and a blue mug", "blue mug", "a can", "a photo of a red mug and a can"),
        ("mugs on a table", "mug", "bowl", "mugs on a table and a bowl"),
        ("", "mug", "bowl", "a photo of a bowl"),
        ("a table", "mug", "the bowl", "a table and the bowl"),
    ],
)
def test_a_phrase_is_replaced_article_and_all(prompt: str, words: str, new: str, expected: str) -> None:
    assert replace_words(prompt, words, new) == expected


def test_replacing_again_by_the_same_changes_nothing() -> None:
    once = replace_words("a photo of a red mug and a bowl on a table", "mug", "a blue mug")
    assert replace_words(once, "mug", "a blue mug") == once


@pytest.mark.parametrize("new", [r"a mug with a \d on it", r"a \1 mug", r"a C:\new mug", r"a \g<0> mug"])
def test_a_new_phrase_is_taken_as_it_is_written(new: str) -> None:
    assert replace_words("a mug on a table", "mug", new) == f"{new} on a table"


@pytest.mark.parametrize(
    "said", ["mug", "Mug", "the mug", "a mug.", "(mug:1.3)", "((mug))", " my  mug! ", "“mug”", "the MUG"]
)
def test_an_objects_words_are_tidied(said: str) -> None:
    assert tidied(said) == "mug"


def test_what_says_which_one_and_of_what_look_is_kept() -> None:
    assert tidied("the left red mug") == "left red mug"


@pytest.mark.parametrize("said", ["mug, bowl", "a mug; the bowl", "mug/bowl", "mug | bowl", "mug & bowl"])
def test_a_list_of_objects_is_refused_with_how_to_give_two_edits(said: str) -> None:
    with pytest.raises(UsageError, match="names 2 things") as raised:
        tidied(said)
    assert "--remove mug --remove" in str(raised.value.hint)


def test_words_without_end_are_refused_at_once() -> None:
    began = process_time()
    for words in ("m" * 201, ":" + "1" * 200_000, "((" * 100_000, "the " * 100_000):
        with pytest.raises(UsageError, match=r"a name of .* letters"):
            tidied(words)
    assert process_time() - began < 0.5
    assert tidied("m" * 200) == "m" * 200
