"""What a photo's other things close to a hole's filling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from realedit import RealEditPipeline
from realedit.pipeline import InvertedPhoto
from realedit.word_finder import WordFinder
from realedit.words import FUNCTION_WORDS

PROMPT = "a photo of a red mug, a blue book and a white bowl on a wooden table"


def _inverted(pipeline: RealEditPipeline, sample: Path, prompt: str) -> InvertedPhoto:
    return pipeline.invert(sample, prompt, steps=5)


def _finder(pipeline: RealEditPipeline, *, recognises: bool) -> WordFinder:
    recogniser = pipeline.finder.recogniser if recognises else None
    return WordFinder(pipeline.backbone, replace(pipeline.ref, source="folder"), recogniser)


@pytest.mark.parametrize("recognises", [True, False])
def test_only_words_for_things_close_places(
    pipeline: RealEditPipeline, sample: Path, recognises: bool
) -> None:
    finder = _finder(pipeline, recognises=recognises)
    inverted = _inverted(pipeline, sample, PROMPT)
    rgb = inverted.photo.rgb
    mug, book = (finder.find(rgb, inverted.inversion, word).hard for word in ("mug", "book"))
    closed = finder.others(rgb, inverted.inversion, mug, ["mug"])
    assert closed is not None
    assert (closed & book).sum() > 0.5 * book.sum()
    assert not (closed & mug).any()
    assert closed.sum() < 4 * book.sum()


def test_function_words_close_nothing(pipeline: RealEditPipeline, sample: Path) -> None:
    finder = _finder(pipeline, recognises=False)
    inverted = _inverted(pipeline, sample, "a mug on the")
    assert FUNCTION_WORDS >= {"a", "on", "the"}
    mug = finder.find(inverted.photo.rgb, inverted.inversion, "mug").hard
    closed = finder.others(inverted.photo.rgb, inverted.inversion, mug, ["mug"])
    assert closed is not None
    assert not closed.any()


@pytest.mark.parametrize("words", [["mug"], []])
def test_what_no_word_names_is_closed_where_it_is_recognised_as_some_thing(
    pipeline: RealEditPipeline, sample: Path, words: list[str]
) -> None:
    inverted = _inverted(pipeline, sample, PROMPT)
    rgb = inverted.photo.rgb
    mug, book, bowl = (
        pipeline.finder.find(rgb, inverted.inversion, word).hard for word in ("mug", "book", "bowl")
    )
    alone = _inverted(pipeline, sample, "a mug on the")
    closed = pipeline.finder.others(rgb, alone.inversion, mug, words)
    assert closed is not None
    for other in (book, bowl):
        assert (closed & other).sum() > 0.7 * other.sum()
    assert not (closed & mug).any()
    assert (closed & ~(book | bowl)).sum() < 0.2 * (book | bowl).sum()
    assert _finder(pipeline, recognises=False).others(rgb, alone.inversion, mug, []) is None
