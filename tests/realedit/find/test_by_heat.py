from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit import RealEditPipeline
from realedit.errors import ObjectNotFoundError, UsageError
from realedit.find.by_heat import closed_up, with_missed_parts
from realedit.pipeline import InvertedPhoto

PHOTOS = Path(__file__).parents[3] / "examples" / "photos"


def _disc(x: float, y: float, r: float, h: int = 160, w: int = 240) -> np.ndarray:
    rows, columns = np.mgrid[:h, :w] + 0.5
    return np.hypot(columns - x, rows - y) < r


def _scene() -> tuple[np.ndarray, np.ndarray]:
    disc = _disc(90, 80, 20)
    rgb = np.where(disc[..., None], (210, 40, 30), (120, 140, 130)).astype(float)
    return (rgb + np.random.default_rng(0).normal(0, 3, rgb.shape)).clip(0, 255).astype(np.uint8), disc


def test_holes_that_are_attended_to_are_closed_and_what_a_handle_frames_is_not() -> None:
    shade, framed, bay = _disc(70, 80, 8), _disc(120, 80, 8), _disc(90, 0, 30)
    whole = _disc(95, 80, 60)
    mask = whole & ~shade & ~framed & ~bay
    heat = np.where(framed, 0.4, 1.0).astype(np.float32)
    assert np.array_equal(closed_up(mask, heat), whole & ~framed & ~bay)


def test_nothing_is_completed_to_nothing() -> None:
    rgb, disc = _scene()
    nothing = np.zeros_like(disc)
    assert not with_missed_parts(rgb, nothing, nothing.astype(np.float32), nothing).any()


def _colourful(photo: str) -> np.ndarray:
    """The named object's own colour, bool [H, W]."""
    r, g, b = np.moveaxis(np.array(Image.open(PHOTOS / photo).convert("RGB")).astype(int), -1, 0)
    return {
        "mug.jpg": (r > 1.8 * g) & (r > 1.8 * b) & (r > 90),
        "bowl.jpg": (np.minimum(r, g) > 1.6 * b) & (r > 100),
        "bottle.jpg": (g > 1.15 * r) & (g > 1.1 * b),
    }[photo]


@pytest.fixture(scope="module")
def inverted_mug(pipeline: RealEditPipeline) -> InvertedPhoto:
    return pipeline.invert(PHOTOS / "mug.jpg", "a photo of a red mug on a wooden table")


@pytest.mark.parametrize(
    ("photo", "prompt"),
    [
        ("mug.jpg", "a photo of a red mug on a wooden table"),
        ("bowl.jpg", "a yellow bowl on a stone table"),
        ("bottle.jpg", "a green bottle on a wooden table"),
    ],
)
def test_a_word_finds_its_object(pipeline: RealEditPipeline, photo: str, prompt: str) -> None:
    word = photo.removesuffix(".jpg")
    found = pipeline.locate(PHOTOS / photo, word, prompt=prompt)
    colour = _colourful(photo)
    h, w = colour.shape
    x, y = found.centroid
    assert found.hard[int(y * h), int(x * w)]
    assert (found.hard & colour).sum() > 0.8 * colour.sum()
    assert (found.hard & colour).sum() > 0.4 * found.hard.sum()
    assert (found.word, found.source) == (word, "word")
    assert found.confidence > 0.6
    assert found.warning is None


def test_what_is_not_there_is_not_found(pipeline: RealEditPipeline, inverted_mug: InvertedPhoto) -> None:
    with pytest.raises(ObjectNotFoundError) as caught:
        pipeline.locate(inverted_mug, "quaxle")
    assert caught.value.exit_code == 4
    assert str(caught.value).startswith("no model here knows the word 'quaxle'; show the object with --point")
    assert "--detector google/owlv2-base-patch16-ensemble (620 MB; get it with: hf download" in str(
        caught.value
    )
    assert caught.value.detail.startswith("tabletop read ")
    assert ": attention 0." in caught.value.detail


@pytest.mark.parametrize("said", ["mugs", "the Mug.", "(mug:1.3)"])
def test_a_word_is_found_in_any_form(
    pipeline: RealEditPipeline, inverted_mug: InvertedPhoto, said: str
) -> None:
    meant, found = pipeline.locate(inverted_mug, "mug"), pipeline.locate(inverted_mug, said)
    assert (found.mask == meant.mask).all()
    assert found.word == "mug"


def test_a_list_of_words_is_refused(pipeline: RealEditPipeline, inverted_mug: InvertedPhoto) -> None:
    with pytest.raises(UsageError, match="'mug, bowl' names 2 things"):
        pipeline.locate(inverted_mug, "mug, bowl")


def test_a_name_that_is_known_and_not_there_is_not_found(
    pipeline: RealEditPipeline, inverted_mug: InvertedPhoto
) -> None:
    with pytest.raises(
        ObjectNotFoundError, match=r"^no 'zebra' found in the photo: nothing in it looks"
    ) as caught:
        pipeline.locate(inverted_mug, "zebra")
    assert caught.value.detail.startswith("presence 0.")


@pytest.mark.parametrize(
    "prompt",
    [
        None,
        "a mug on a table",
        "a photo of a red mug on a wooden table",
        "a photo of a red mug",
        "a red mug and a blue book on a wooden table",
        "a photo of a red mug, a blue book and a white bowl on a wooden table",
        "a photo of a red mug in front of a blue book",
    ],
)
def test_a_mug_is_found_with_its_inside_and_nothing_of_the_book(
    pipeline: RealEditPipeline, prompt: str | None
) -> None:
    found = pipeline.locate(PHOTOS / "mug.jpg", "mug", prompt=prompt)
    h, w = found.mask.shape
    inside = found.hard[round(0.44 * h) : round(0.47 * h), round(0.29 * w) : round(0.32 * w)]
    assert inside.mean() > 0.9
    x0, y0, x1, y1 = found.box
    assert x0 > 0.23  # of the book behind it
    assert y0 > 0.41
    assert x1 < 0.42
    assert y1 < 0.73
