"""What the prompt's other words close to a hole's filling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realedit import RealEditPipeline
from realedit.pipeline import InvertedPhoto
from realedit.word_finder import WordFinder
from realedit.words import FUNCTION_WORDS

PROMPT = "a photo of a red mug, a blue book and a white bowl on a wooden table"


def _inverted(pipeline: RealEditPipeline, sample: Path, prompt: str) -> InvertedPhoto:
    return pipeline.invert(sample, prompt, steps=5)


@pytest.mark.parametrize("recognises", [True, False])
def test_only_words_for_things_close_places(
    pipeline: RealEditPipeline, sample: Path, recognises: bool
) -> None:
    inverted = _inverted(pipeline, sample, PROMPT)
    recogniser = pipeline.finder.recogniser if recognises else None
    finder = WordFinder(pipeline.backbone, replace(pipeline.ref, source="folder"), recogniser)
    rgb = inverted.photo.rgb
    mug, book = (finder.find(rgb, inverted.inversion, word).hard for word in ("mug", "book"))
    closed = finder.others(rgb, inverted.inversion, mug, ["mug"])
    assert closed is not None
    assert (closed & book).sum() > 0.5 * book.sum()
    assert not (closed & mug).any()
    assert closed.sum() < 4 * book.sum()
    alone = _inverted(pipeline, sample, "a mug on the")
    assert FUNCTION_WORDS >= {"a", "on", "the"}
    none = finder.others(rgb, alone.inversion, mug, ["mug"])
    assert none is not None
    assert not np.any(none)
