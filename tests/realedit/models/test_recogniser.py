"""What stands where: the recogniser's words, its file, and what it makes of a photo."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from realedit import RealEditPipeline
from realedit.errors import ModelUnavailableError, ObjectNotFoundError
from realedit.models.choice import resolve_model
from realedit.models.folder import RECOGNISER
from realedit.models.recogniser import Recognised, Recogniser


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    found = Recogniser.load(Path(resolve_model("tabletop").location))
    assert found is not None
    return found


def named(recogniser: Recogniser, words: str) -> str | None:
    number = recogniser.noun(words)
    return None if number is None else recogniser.nouns[number]


@pytest.mark.parametrize(
    ("words", "noun"),
    [
        ("mug", "mug"),
        ("the red Cup", "mug"),
        ("big coffee cup", "mug"),
        ("moka pot", "moka pot"),
        ("blue pot", "pot"),
        ("wine glass", "wine glass"),
        ("zebra", None),
        ("mug tree", None),
        ("", None),
    ],
)
def test_words_are_read_from_their_end(recogniser: Recogniser, words: str, noun: str | None) -> None:
    assert named(recogniser, words) == noun


def test_convolutions_are_padded_as_the_weights_were_trained(recogniser: Recogniser) -> None:
    x = torch.randn(1, 32, 12, 12)
    first: Any = recogniser.features.blocks[0]
    plain = first.filter  # 3 x 3, stride 1
    torch.testing.assert_close(plain(x), F.conv2d(x, plain.weight, plain.bias, padding="same", groups=32))
    strided = recogniser.features.stem
    x = torch.randn(1, 3, 12, 12)
    # TensorFlow's "SAME" of an even side pads below and to the right alone
    expected = F.conv2d(F.pad(x, (0, 1, 0, 1)), strided.weight, strided.bias, stride=2)
    torch.testing.assert_close(strided(x), expected)


def test_every_place_has_a_distribution(recogniser: Recogniser, sample: Path) -> None:
    rgb = np.array(Image.open(sample).convert("RGB"))
    seen = recogniser.probabilities(rgb, (100, 150))
    assert seen.shape == (6, 10, len(recogniser.nouns) + 1)
    assert seen.sum(-1) == pytest.approx(np.ones((6, 10)), abs=1e-5)
    assert seen.min() >= 0


def test_nouns_are_recognised_from_afar_and_outlines_from_near(recogniser: Recogniser, sample: Path) -> None:
    photo = np.array(Image.open(sample).convert("RGB"))
    wide, close = recogniser.probabilities(photo, (128, 192)), recogniser.probabilities(photo, (256, 384))
    seen = recogniser.recognise(photo, (128, 192))
    assert seen.nouns.shape == (16, 24, len(recogniser.nouns))
    mug = recogniser.nouns.index("mug")
    assert seen.nouns[..., mug] == pytest.approx(cv2.resize(wide[..., mug], (24, 16)), abs=1e-6)
    nothing = (cv2.resize(wide[..., -1], (24, 16)) + close[..., -1]) / 2
    assert seen.thing == pytest.approx(1 - nothing, abs=1e-6)


def test_a_mug_a_bowl_and_a_book_are_seen_where_they_are(recogniser: Recogniser, sample: Path) -> None:
    rgb = np.array(Image.open(sample).convert("RGB"))
    seen = cv2.GaussianBlur(recogniser.probabilities(rgb, (208, 320)), (0, 0), 1)
    places = {"mug": (0.32, 0.57), "bowl": (0.82, 0.5), "book": (0.16, 0.39)}
    for noun in places:
        likely = seen[..., recogniser.nouns.index(noun)]
        there = {other: likely[int(13 * y), int(20 * x)] for other, (x, y) in places.items()}
        assert there.pop(noun) > 3 * max(there.values()), noun


def test_a_word_alone_tells_a_mug_from_a_bowl(pipeline: RealEditPipeline, sample: Path) -> None:
    assert pipeline.locate(sample, "mug").centroid == pytest.approx((0.32, 0.57), abs=0.03)
    assert pipeline.locate(sample, "bowl").centroid == pytest.approx((0.815, 0.49), abs=0.03)


def test_what_nothing_looks_like_is_not_found(pipeline: RealEditPipeline, sample: Path) -> None:
    with pytest.raises(ObjectNotFoundError) as caught:
        pipeline.locate(sample, "sunglasses")
    assert str(caught.value) == (
        "no 'sunglasses' found in the photo: nothing in it looks like one; "
        "use another word, or show the object with --point, --box or --mask"
    )
    assert caught.value.detail.startswith("presence 0.")


def test_what_is_saved_is_read_again_and_what_is_broken_is_told(
    recogniser: Recogniser, tmp_path: Path
) -> None:
    assert Recogniser.load(tmp_path) is None
    recogniser.save(tmp_path / RECOGNISER)
    again = Recogniser.load(tmp_path)
    assert again is not None
    assert (again.nouns, again.synonyms) == (recogniser.nouns, recogniser.synonyms)
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert np.array_equal(again.probabilities(picture, (64, 64)), recogniser.probabilities(picture, (64, 64)))

    weights = tmp_path / RECOGNISER / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelUnavailableError, match="recogniser"):
        Recogniser.load(tmp_path)
    shutil.rmtree(tmp_path / RECOGNISER)
    (tmp_path / RECOGNISER).mkdir()
    with pytest.raises(ModelUnavailableError, match="recogniser"):
        Recogniser.load(tmp_path)


def test_of_several_objects_of_a_noun_the_less_likely_one_stays_to_be_chosen(
    pipeline: RealEditPipeline,
) -> None:
    finder, mug = pipeline.engine.finder.attention, pipeline.engine.finder.attention.recogniser
    assert mug is not None
    heat = np.zeros((16, 16), np.float32)
    heat[7:9, 3:5] = heat[7:9, 11:13] = 1
    seen = two_mugs(mug, 0.8, 0.5)
    likeliest = finder._weighed(heat, "mug", seen, every=False)
    both = finder._weighed(heat, "mug", seen, every=True)
    assert (likeliest[16, 8], likeliest[16, 24]) == pytest.approx((1, 0), abs=0.05)
    assert (both[16, 8], both[16, 24]) == pytest.approx((1, 1), abs=0.1)


def test_what_the_attention_missed_is_found_by_its_look(pipeline: RealEditPipeline) -> None:
    finder, mug = pipeline.engine.finder.attention, pipeline.engine.finder.attention.recogniser
    assert mug is not None
    heat = np.zeros((16, 16), np.float32)
    heat[7:9, 11:13] = 1
    seen = two_mugs(mug, 0.6, 0.06)
    weighed = finder._weighed(heat, "mug", seen, every=False)
    assert weighed[13:19, 5:11].min() > 0.8
    assert weighed[:, 16:].max() < 0.1


def test_one_connected_thing_is_taken_whole_without_what_looks_unlike_it(
    pipeline: RealEditPipeline,
) -> None:
    finder, mug = pipeline.engine.finder.attention, pipeline.engine.finder.attention.recogniser
    assert mug is not None
    heat = np.zeros((16, 16), np.float32)
    heat[2:4, 5:11] = 1
    seen = Recognised(np.full((32, 32, len(mug.nouns)), 1e-4, np.float32), np.zeros((32, 32), np.float32))
    likely = seen.nouns[..., mug.nouns.index("mug")]
    likely[3:9, 8:24], likely[9:24, 8:24] = 0.8, 0.3  # one thing, less alike below
    seen.thing[3:24, 8:30] = 1  # and another beside it
    weighed = finder._weighed(heat, "mug", seen, every=False)
    assert weighed[18:22, 10:22].min() > 0.15
    assert weighed[:, 27:].max() < 0.05


def two_mugs(recogniser: Recogniser, left: float, right: float) -> Recognised:
    seen = Recognised(
        np.full((32, 32, len(recogniser.nouns)), 1e-4, np.float32), np.zeros((32, 32), np.float32)
    )
    for columns, likely in ((slice(4, 12), left), (slice(20, 28), right)):
        seen.nouns[12:20, columns, recogniser.nouns.index("mug")] = likely
        seen.thing[12:20, columns] = 1
    return seen
