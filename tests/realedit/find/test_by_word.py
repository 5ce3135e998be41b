"""What a photo's other things close to a hole's filling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from realedit import RealEditPipeline
from realedit.find.by_word import WordFinder
from realedit.pipeline import InvertedPhoto
from realedit.prompts import FUNCTION_WORDS

PROMPT = "a photo of a red mug, a blue book and a white bowl on a wooden table"


def _inverted(pipeline: RealEditPipeline, sample: Path, prompt: str) -> InvertedPhoto:
    return pipeline.invert(sample, prompt, steps=5)


def _finder(pipeline: RealEditPipeline, *, recognises: bool) -> WordFinder:
    recogniser = pipeline.engine.finder.attention.recogniser if recognises else None
    return WordFinder(pipeline.backbone, replace(pipeline.ref, source="folder"), recogniser)


@pytest.mark.parametrize("recognises", [True, False])
def test_only_words_for_things_close_places(
    pipeline: RealEditPipeline, sample: Path, recognises: bool
) -> None:
    finder = _finder(pipeline, recognises=recognises)
    inverted = _inverted(pipeline, sample, PROMPT)
    rgb = inverted.photo.rgb
    mug, book = (finder.find(rgb, inverted.inversion, word).hard for word in ("mug", "book"))
    forbidden = finder.others(rgb, inverted, mug, ["mug"])
    assert forbidden is not None
    assert (forbidden & book).sum() > 0.5 * book.sum()
    assert not (forbidden & mug).any()
    assert forbidden.sum() < 4 * book.sum()


def test_function_words_close_nothing(pipeline: RealEditPipeline, sample: Path) -> None:
    finder = _finder(pipeline, recognises=False)
    inverted = _inverted(pipeline, sample, "a mug on the")
    assert FUNCTION_WORDS >= {"a", "on", "the"}
    mug = finder.find(inverted.photo.rgb, inverted.inversion, "mug").hard
    forbidden = finder.others(inverted.photo.rgb, inverted, mug, ["mug"])
    assert forbidden is not None
    assert not forbidden.any()


@pytest.mark.parametrize("words", [["mug"], []])
def test_what_no_word_names_is_closed_where_it_is_recognised_as_some_thing(
    pipeline: RealEditPipeline, sample: Path, words: list[str]
) -> None:
    inverted = _inverted(pipeline, sample, PROMPT)
    rgb = inverted.photo.rgb
    finder = pipeline.engine.finder.attention
    mug, book, bowl = (finder.find(rgb, inverted.inversion, word).hard for word in ("mug", "book", "bowl"))
    alone = _inverted(pipeline, sample, "a mug on the")
    forbidden = pipeline.engine.finder.attention.others(rgb, alone, mug, words)
    assert forbidden is not None
    for other in (book, bowl):
        assert (forbidden & other).sum() > 0.7 * other.sum()
    assert not (forbidden & mug).any()
    assert (forbidden & ~(book | bowl)).sum() < 0.2 * (book | bowl).sum()
    assert _finder(pipeline, recognises=False).others(rgb, alone, mug, []) is None
