"""Words found by attention of all layers, on the embedded model and on a random one of SDXL's shape."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realedit import RealEditPipeline
from realedit.engine import Engine
from realedit.errors import ObjectNotFoundError
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model
from realedit.models.profile import general, named
from realedit.photo import load_photo
from small_sdxl import small_sdxl

PROMPT = "a photo of a red mug, a blue book and a white bowl on a wooden table"


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.fixture(scope="module")
def engine(pipeline: RealEditPipeline) -> Engine:
    """The embedded model with general defaults of finding."""
    profile = replace(pipeline.engine.profile, find="goca", found=general().found)
    return Engine(pipeline.backbone, pipeline.ref, profile=profile)


def test_it_finds_things_without_inverting_the_photo_in_one_evaluation(
    engine: Engine, pipeline: RealEditPipeline, sample: Path
) -> None:
    photo = load_photo(sample)
    before = engine.backbone.evaluations
    inverted = engine.inverted_for(photo, PROMPT, ["mug"], {})
    everywhere = engine.finder.everywhere
    assert everywhere is not None
    for word in ("mug", "book", "bowl"):
        found = everywhere.find(photo.rgb, inverted, word)
        assert _iou(found.hard, pipeline.locate(photo, word).hard) > 0.8
        assert 0.3 < found.score < 1
    everywhere.find(photo.rgb.copy(), inverted, "mug")  # the same photo, read again
    assert engine.backbone.evaluations == before + 1
    assert not inverted.is_made


def test_the_prompts_other_things_are_closed_and_the_object_is_not(engine: Engine, sample: Path) -> None:
    photo = load_photo(sample)
    inverted = engine.inverted_for(photo, PROMPT, ["mug"], {})
    everywhere = engine.finder.everywhere
    assert everywhere is not None
    mug, book = (everywhere.find(photo.rgb, inverted, word).hard for word in ("mug", "book"))
    closed = engine.finder.others(photo.rgb, inverted, mug, ["mug"])
    assert closed is not None
    assert (closed & book).sum() > 0.5 * book.sum()
    assert not (closed & mug).any()
    assert engine.finder.others(photo.rgb, inverted, mug, []) is None


def test_a_word_that_stands_out_nowhere_is_refused(engine: Engine, sample: Path) -> None:
    photo = load_photo(sample)
    inverted = engine.inverted_for(photo, f"{PROMPT} and a lamp", ["lamp"], {})
    everywhere = engine.finder.everywhere
    assert everywhere is not None
    with pytest.raises(ObjectNotFoundError, match="no 'lamp' found") as caught:
        everywhere.find(photo.rgb, inverted, "lamp")
    assert "needs 0.5" in (caught.value.detail or "")


def test_a_random_model_finds_nothing_by_itself_and_names_help_it(sample: Path) -> None:
    engine = Engine(
        Backbone(small_sdxl()), replace(resolve_model("tabletop"), source="hub"), profile=named("sdxl")
    )
    photo = load_photo(sample)
    inverted = engine.inverted_for(photo, PROMPT, ["mug"], {})
    assert engine.finder.everywhere is not None
    with pytest.raises(ObjectNotFoundError):
        engine.finder.everywhere.find(photo.rgb, inverted, "mug")
    assert engine.find(photo, inverted, "mug").hard.any()
