"""Finding without the model: what is found is what the pipeline finds, and the model stays unloaded."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from realedit import RealEditPipeline
from realedit.cli.finding import ObjectFinder
from realedit.cli.options import ModelOptions
from realedit.edits.prepared import Shown
from realedit.errors import ObjectNotFoundError, UnsureError
from realedit.photo import Photo
from realedit.photo.inputs import as_photo
from realedit.system.progress import silent


def _loads_nothing() -> NoReturn:
    raise AssertionError("the model was loaded")


@pytest.fixture
def photo(sample: Path) -> Photo:
    return as_photo(sample)


def test_what_is_shown_is_found_as_the_pipeline_finds_it(pipeline: RealEditPipeline, photo: Photo) -> None:
    finder = ObjectFinder(ModelOptions(), _loads_nothing)
    shown = Shown(points=((0.3, 0.5),), box=(0.15, 0.3, 0.5, 0.8))
    found = finder.find(photo, "mug", shown, progress=silent)
    other = pipeline.locate(photo, "mug", point=(0.3, 0.5), box=(0.15, 0.3, 0.5, 0.8))
    assert np.array_equal(found.mask, other.mask)
    assert (found.source, found.word, found.confidence) == (other.source, other.word, other.confidence)
    finder = ObjectFinder(ModelOptions(), _loads_nothing, found.confidence + 0.01)
    with pytest.raises(UnsureError):
        finder.find(photo, "mug", shown, progress=silent)


def test_a_word_that_names_alone_know_needs_no_model(photo: Photo) -> None:
    finder = ObjectFinder(ModelOptions(), _loads_nothing)
    with pytest.raises(ObjectNotFoundError, match="no 'zebra' found in the photo"):
        finder.find(photo, "zebra", Shown(), progress=silent)
    with pytest.raises(AssertionError, match="the model was loaded"):
        finder.find(photo, "mug", Shown(), progress=silent)


def test_names_first_finds_the_models_own_words_too(photo: Photo) -> None:
    finder = ObjectFinder(ModelOptions(), _loads_nothing, names_first=True)
    found = finder.find(photo, "mug", Shown(), progress=silent)
    assert found.source == "word"
    red = (photo.rgb[..., 0] > 120) & (photo.rgb[..., 1] < 80)
    assert found.hard[red].mean() > 0.8
