"""ImageNet's classes place by place, and the words for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.models._meta import _IMAGENET_CATEGORIES as CATEGORIES

from examples.imagenet.words import TEXT, entries, ranges
from realedit.errors import ModelUnavailableError, UsageError
from realedit.models.choice import resolve_model
from realedit.models.efficientnet_lite import CHANNELS, FINE, Features
from realedit.models.imagenet import CLASSES, FOLDER, Imagenet, pixels_of, stages
from realedit.models.recogniser import Recogniser
from realedit.models.words import Words, singulars, spelling


@pytest.fixture(scope="module")
def layers() -> Imagenet:
    return Imagenet.load()


@pytest.fixture(scope="module")
def features() -> Features:
    recogniser = Recogniser.load(Path(resolve_model("tabletop").location))
    assert recogniser is not None
    return recogniser.features


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.load()


@torch.no_grad()
def test_the_mean_over_places_is_what_the_package_says_of_the_picture(
    layers: Imagenet, features: Features
) -> None:
    pytest.importorskip("efficientnet_lite_pytorch", reason="the whole network comes with realedit[tabletop]")
    from examples.imagenet.export import last_layers, original

    network: Any = original()
    pixels = torch.randint(0, 256, (2, 3, 96, 160), generator=torch.Generator().manual_seed(0)).float()
    expected = network((pixels - 127) / 128)
    told = layers(stages(features, pixels)[1]).mean((2, 3))
    # both halves are kept in float16
    torch.testing.assert_close(told, expected, atol=0.05, rtol=0)
    assert (told.argmax(1) == expected.argmax(1)).all()
    # the layers alone, before rounding, are the package's to the last digits
    known = network.extract_features((pixels - 127) / 128)
    if known.shape[1] == CHANNELS - FINE:
        known = network._swish(network._bn1(network._conv_head(known)))
    given: list[torch.Tensor] = []
    hook = network._conv_head.register_forward_pre_hook(lambda _, x: given.append(x[0]))
    network((pixels - 127) / 128)
    hook.remove()
    exact = last_layers(network)
    torch.testing.assert_close(exact(given[0]).mean((2, 3)), expected, atol=1e-4, rtol=1e-4)
    kept = {name: value.half().float() for name, value in exact.state_dict().items()}
    for name, value in layers.state_dict().items():
        assert torch.equal(value, kept[name]), name


@torch.no_grad()
def test_places_that_look_the_same_say_the_same(layers: Imagenet) -> None:
    coarse = torch.randn(1, CHANNELS - FINE, 1, 1).expand(-1, -1, 4, 6)
    logits = layers(coarse)
    assert logits.shape == (1, CLASSES, 4, 6)
    torch.testing.assert_close(logits, logits[..., :1, :1].expand_as(logits))


@torch.no_grad()
def test_the_stages_are_the_features_at_their_own_places(features: Features) -> None:
    pixels = torch.rand(1, 3, 64, 96) * 255
    fine, coarse = stages(features, pixels)
    assert fine.shape == (1, FINE, 4, 6)
    assert coarse.shape == (1, CHANNELS - FINE, 2, 3)
    both = torch.cat([fine, torch.nn.functional.interpolate(coarse, (4, 6), mode="bilinear")], 1)
    torch.testing.assert_close(features(pixels), both)


@pytest.mark.parametrize(
    ("size", "short", "seen"),
    [
        ((480, 640), 384, (384, 512)),
        ((640, 480), 256, (352, 256)),
        ((20, 30), 64, (64, 96)),
        ((100, 2000), 64, (64, 256)),
    ],
)
def test_a_photo_is_seen_at_multiples_of_32(size: tuple[int, int], short: int, seen: tuple[int, int]) -> None:
    pixels = pixels_of(np.full((*size, 3), 200, np.uint8), short)
    assert pixels.shape == (1, 3, *seen)
    assert (pixels == 200).all()


def test_a_broken_file_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"classifier in .* cannot be read \(FileNotFoundError\)"):
        Imagenet.load(tmp_path)
    with pytest.raises(ModelUnavailableError, match="table of words"):
        Words.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelUnavailableError):
        Imagenet.load(tmp_path)


def test_layers_survive_their_file(layers: Imagenet, tmp_path: Path) -> None:
    layers.save(tmp_path)
    again = Imagenet.load(tmp_path).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in layers.state_dict().items())


# The table.


def test_the_table_is_what_is_made_of_its_text(words: Words) -> None:
    table = list(entries((FOLDER / TEXT).read_text(encoding="utf-8")))
    assert [word for spoken, _, _ in table for word in spoken] == list(words)
    for spoken, classes, stand_in in table:
        for word in spoken:
            meaning = words.meaning(word)
            assert meaning is not None
            assert (meaning.word, list(meaning.classes), meaning.stand_in) == (word, classes, stand_in)


def test_every_class_is_one_of_imagenets_and_has_a_word(words: Words) -> None:
    meanings = [words.meaning(word) for word in words]
    numbers = {number for meaning in meanings if meaning for number in meaning.classes}
    assert numbers <= set(range(CLASSES))
    assert all(meaning is not None and meaning.classes for meaning in meanings)
    # a thing that no word leads to could not be asked for
    assert len(numbers) > 0.97 * CLASSES


def test_every_word_is_lower_case_singular_and_spelt_one_way(words: Words) -> None:
    spellings = [spelling(word) for word in words]
    assert len(spellings) == len(set(spellings)) >= 400
    assert all(word == " ".join(word.lower().split()) for word in words)
    known = set(words)
    # words of their own beside what they would be the plural of
    own = {"glasses"}
    plural = {
        word for word in known for one in singulars(word)[1:] if one in known and one.split()[-1] != "gas"
    }
    assert plural <= own, plural


@pytest.mark.parametrize(
    ("word", "shown", "not_shown"),
    [
        ("dog", ["pug", "golden retriever"], ["tabby", "timber wolf"]),
        ("plane", ["airliner"], ["plane"]),  # the carpenter's
        ("crane bird", ["crane bird"], ["crane"]),
        ("kite", [], ["kite"]),  # the bird of prey
        ("cup", ["coffee mug", "cup"], ["beer glass"]),
        ("animal", ["tabby", "ant", "zebra"], ["daisy", "airliner"]),
        ("television", ["television"], ["toaster"]),
        ("mouse", ["mouse"], ["hamster"]),
    ],
)
def test_words_mean_what_photographers_mean(
    words: Words, word: str, shown: list[str], not_shown: list[str]
) -> None:
    meaning = words.meaning(word)
    assert meaning is not None
    names = {CATEGORIES[number] for number in meaning.classes}
    assert names >= set(shown)
    assert not names & set(not_shown)


def test_what_no_class_shows_is_marked(words: Words) -> None:
    for word in ("person", "giraffe", "fire hydrant", "skateboard", "scissors"):
        meaning = words.meaning(word)
        assert meaning is not None
        assert meaning.stand_in
    dog = words.meaning("dog")
    assert dog is not None
    assert not dog.stand_in


def test_what_the_recogniser_knows_is_known_here(words: Words) -> None:
    recogniser = Recogniser.load(Path(resolve_model("tabletop").location))
    assert recogniser is not None
    assert [noun for noun in recogniser.nouns if noun not in words] == []


def test_runs_of_numbers() -> None:
    assert ranges([1, 2, 3, 7, 9, 10]) == [[1, 3], [7, 7], [9, 10]]


@pytest.mark.parametrize("line", ["dog: pug", "dog = pugg", "dog = pug..pugg"])
def test_a_wrong_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"neither|called"):
        list(entries(line))


# What people write.


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("mug", "mug"),
        ("mugs", "mug"),
        ("the mug", "mug"),
        ("Mug", "mug"),
        ("mug.", "mug"),
        ("(mug:1.3)", "mug"),
        ("((mug))", "mug"),
        (" a  red Mug ", "red mug"),
        ("'mug'", "mug"),
        ("“mug”", "mug"),
        ("my mug!", "mug"),
        ("left mugs", "left mug"),
        ("wine glasses", "wine glass"),
        ("glasses", "glasses"),
        ("buses", "bus"),
        ("two mice", "two mouse"),
        ("people", "person"),
        ("knives", "knife"),
        ("strawberries", "strawberry"),
        ("teddy bears", "teddy bear"),
        ("scissors", "scissors"),
        ("jeans", "jeans"),
        ("bus", "bus"),
        ("hot dogs", "hot dog"),
        ("T-Shirts", "t-shirt"),
        ("black and white dog", "black and white dog"),
        ("thingumajigs", "thingumajigs"),  # the plural of what?
    ],
)
def test_what_is_said_is_brought_to_a_word(words: Words, said: str, meant: str) -> None:
    assert words.normalised(said) == meant


@pytest.mark.parametrize(
    ("said", "several"),
    [
        ("mugs", True),
        ("the People.", True),
        ("left teddy bears", True),
        ("The Mug", False),
        ("scissors", False),
        ("glass", False),
        ("thingumajigs", False),
    ],
)
def test_plurals_ask_for_several(words: Words, said: str, several: bool) -> None:
    assert words.plural(said) is several


@pytest.mark.parametrize(
    "said", ["mug, bowl", "mug and bowl", "a mug; the bowl", "mug/bowl", "mug | bowl", "mug & bowl"]
)
def test_a_list_is_refused_with_a_hint(words: Words, said: str) -> None:
    with pytest.raises(UsageError, match="names 2 things") as raised:
        words.normalised(said)
    assert "'mug'" in str(raised.value.hint)


@pytest.mark.parametrize("said", ["", "  ", "...", "(:1.3)"])
def test_nothing_is_refused(words: Words, said: str) -> None:
    with pytest.raises(UsageError, match="names nothing"):
        words.normalised(said)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("big red fire trucks", "fire truck"),
        ("red car", "car"),
        ("teddybear", "teddy bear"),
        ("grey wolf", "grey wolf"),
        ("gray wolf", "grey wolf"),
        ("hotdog", "hot dog"),
        ("cup of coffee", "cup"),
        ("car zorblax", None),
        ("", None),
    ],
)
def test_the_longest_known_end_is_meant(words: Words, said: str, meant: str | None) -> None:
    meaning = words.meaning(said)
    assert (None if meaning is None else meaning.word) == meant
    assert (said in words) == (meant is not None)


def test_near_words_are_offered(words: Words) -> None:
    assert words.nearest_known("girafe")[0] == "giraffe"
    assert words.nearest_known("my elefant")[0] == "elephant"
    assert words.nearest_known("qqqqq") == []
