"""Where words are in photographs, and whether they are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from examples.imagenet.evaluate import area_under, average_precision, settled
from realedit.errors import ModelUnavailableError, ObjectNotFoundError, UsageError
from realedit.find.names import (
    SIZES,
    NameFinder,
    Seen,
    _averaged,  # pyright: ignore[reportPrivateUsage]
    both_ways,
    familiarity,
    heat_of,
    presence_of,
    recognised_presence,
)
from realedit.models.choice import resolve_model
from realedit.models.words import Meaning


@pytest.fixture(scope="module")
def finder() -> NameFinder:
    return NameFinder.load(Path(resolve_model("tabletop").location))


@pytest.fixture(scope="module")
def cat(finder: NameFinder) -> Seen:
    return finder.look(skimage.data.chelsea())


@pytest.fixture(scope="module")
def coffee(finder: NameFinder) -> Seen:
    return finder.look(skimage.data.coffee())


def place(heat: np.ndarray) -> tuple[float, float]:
    """The highest place, (x, y) in [0, 1]."""
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    return (x + 0.5) / heat.shape[1], (y + 0.5) / heat.shape[0]


@pytest.mark.parametrize("word", ["cat", "Kitty", "the cats"])
def test_the_cat_is_found_at_the_cat(finder: NameFinder, cat: Seen, word: str) -> None:
    named = finder.find(cat, word)
    assert named.present
    assert named.presence > 0.9
    assert named.heat.dtype == np.float32
    assert (named.heat.min(), named.heat.max()) == (0, 1)
    assert named.others.max() == 0
    x, y = place(named.heat)
    assert 0.2 < x < 0.85
    assert y > 0.1


@pytest.mark.parametrize("word", ["boat", "car", "umbrella", "pizza", "train", "violin", "zebra"])
def test_what_is_not_in_the_cats_picture_is_not_found(finder: NameFinder, cat: Seen, word: str) -> None:
    assert not finder.find(cat, word).present


def test_the_cup_is_found_at_the_cup(finder: NameFinder, coffee: Seen) -> None:
    named = finder.find(coffee, "cup of coffee")
    assert named.present
    x, y = place(named.heat)
    assert 0.25 < x < 0.75
    assert 0.1 < y < 0.8


@pytest.mark.parametrize("word", ["boat", "dog", "person", "bicycle", "train"])
def test_what_is_not_beside_the_cup_is_not_found(finder: NameFinder, coffee: Seen, word: str) -> None:
    assert not finder.find(coffee, word).present


@pytest.mark.slow
def test_two_cats_are_told_apart_by_their_place(finder: NameFinder) -> None:
    one = skimage.data.chelsea()
    grey = np.full((300, 200, 3), 128, np.uint8)
    seen = finder.look(np.concatenate([one, grey, one[:, ::-1]], 1))
    left, right = finder.find(seen, "left cat"), finder.find(seen, "the right cats")
    assert place(left.heat)[0] < 0.4
    assert place(right.heat)[0] > 0.6
    assert left.heat.max() == right.heat.max() == 1
    assert place(left.others)[0] > 0.5
    assert place(right.others)[0] < 0.5


def test_a_photo_and_its_mirror_image_have_mirrored_heats(finder: NameFinder) -> None:
    # sides that are multiples of 32 at every size, so that nothing is resampled askew
    # and without the recogniser, which looks one way round only
    finder = NameFinder(finder.features, finder.layers, finder.words)
    photo = np.ascontiguousarray(skimage.data.chelsea()[:256, :256])
    heat = finder.find(finder.look(photo), "cat").heat
    mirrored = finder.find(finder.look(np.ascontiguousarray(photo[:, ::-1])), "cat").heat
    np.testing.assert_allclose(mirrored[:, ::-1], heat, atol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(40, 30), (64, 400)])
def test_small_and_long_photos_are_looked_at(finder: NameFinder, size: tuple[int, int]) -> None:
    named = finder.find(finder.look(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)), "dog")
    assert np.isfinite(named.heat).all()
    assert 0 <= named.presence <= 1


def test_unknown_words_get_one_helpful_line(finder: NameFinder, cat: Seen) -> None:
    with pytest.raises(ObjectNotFoundError) as raised:
        finder.find(cat, "girafe")
    line = str(raised.value)
    assert "\n" not in line
    for part in ("'girafe'", "did you mean 'giraffe'", "--point, --box or --mask", "--detector"):
        assert part in line
    with pytest.raises(UsageError, match="names 2 things"):
        finder.find(cat, "cat, dog")


def test_a_model_without_a_recogniser_has_no_features_for_names(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="no recogniser"):
        NameFinder.load(tmp_path)


def test_the_recogniser_has_a_say_where_it_knows_the_word(finder: NameFinder, coffee: Seen) -> None:
    alone = NameFinder(finder.features, finder.layers, finder.words)
    assert finder.recogniser is not None
    assert coffee.nouns is not None
    noun = finder.recogniser.noun("spoon")
    assert noun is not None
    said = coffee.recognised(noun)
    assert said.shape == coffee.places
    assert said.max() <= np.log(1.003)
    # what it says of the spoon moves the heat, of what it does not know it says nothing
    assert np.abs(finder.find(coffee, "spoon").heat - alone.find(coffee, "spoon").heat).max() > 0.01
    np.testing.assert_array_equal(finder.find(coffee, "zebra").heat, alone.find(coffee, "zebra").heat)
    without = Seen(coffee.logits, coffee.outlines, coffee.size)
    assert (without.recognised(noun) == 0).all()


# Closed forms.


def seen_of(logits: torch.Tensor, outlines: torch.Tensor) -> Seen:
    return Seen((logits,) * len(SIZES), outlines, (64, 96))


def test_a_picture_of_one_colour_is_evidence_of_nothing_anywhere() -> None:
    logits = torch.randn(1000, 1, 1, generator=torch.Generator().manual_seed(0)).expand(-1, 4, 6)
    seen = seen_of(logits, torch.ones(112, 4, 6))
    evidence = seen.carried(seen.evidence(Meaning("a", (3, 4), False, 0.0)))
    assert np.ptp(evidence) < 1e-5
    assert (heat_of(np.full((4, 6), 0.7, np.float32)) == 0).all()


def test_log_odds_of_a_uniform_classifier() -> None:
    seen = seen_of(torch.zeros(1000, 2, 3), torch.ones(112, 4, 6))
    # 10 of 1000 classes: 1 to 99
    assert seen.log_odds(Meaning("a", tuple(range(10)), False, 0.0)) == pytest.approx(-np.log(99), abs=1e-4)


def test_evidence_is_a_weighted_mean_of_what_is_alike() -> None:
    generator = torch.Generator().manual_seed(1)
    seen = seen_of(torch.zeros(1000, 2, 3), torch.randn(112, 4, 6, generator=generator))
    evidence = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    carried = seen.carried(evidence)
    assert evidence.min() <= carried.min()
    assert carried.max() <= evidence.max()
    np.testing.assert_allclose(seen.carried(np.ones((4, 6), np.float32)), 1, atol=1e-5)


def test_evidence_stays_on_its_side_of_an_edge() -> None:
    halves = torch.ones(112, 4, 6)
    halves[:, :, 3:] = -1
    evidence = np.zeros((4, 6), np.float32)
    evidence[1, 1] = 1
    carried = seen_of(torch.zeros(1000, 2, 3), halves).carried(evidence)
    assert carried[:, :3].min() > 0
    assert carried[:, 3:].max() == 0


def test_heat_is_nothing_at_its_floor_and_one_at_its_top() -> None:
    heat = heat_of(np.arange(101, dtype=np.float32).reshape(1, 101))
    assert (heat[0, :31] == 0).all()
    assert heat[0, 65] == pytest.approx(0.5**1.5)
    assert heat[0, 100] == 1


def test_presence_turns_at_its_threshold() -> None:
    assert presence_of(2.0) == pytest.approx(0.5)
    assert presence_of(5.0) + presence_of(-1.0) == pytest.approx(1)
    assert presence_of(-50) < presence_of(0) < presence_of(50) <= 1


def test_a_photo_full_of_things_is_none_of_the_recognisers_kind() -> None:
    def of(share: float) -> float:
        return familiarity((np.arange(1000) < 1000 * share).astype(np.float32).reshape(20, 50))

    assert (of(0.1), of(0.5)) == (1, 0)
    assert of(0.28) == pytest.approx(0.5)


def test_the_recogniser_is_as_likely_right_as_wrong_at_its_threshold() -> None:
    assert recognised_presence(0.05) == pytest.approx(0.5)
    assert recognised_presence(0.0) == 0 < recognised_presence(0.02) < 0.2


def test_both_ways_and_neighbours_are_means() -> None:
    pair = torch.arange(12.0).reshape(2, 1, 2, 3)
    assert both_ways(pair)[0, 0].tolist() == [(0 + 8) / 2, (1 + 7) / 2, (2 + 6) / 2]
    one = torch.zeros(1, 5, 5)
    one[0, 2, 2] = 9
    assert _averaged(one, 0) is one
    assert _averaged(one, 1)[0, 1:4, 1:4].flatten().tolist() == pytest.approx([1] * 9)
    torch.testing.assert_close(_averaged(torch.ones(1, 1, 1), 2), torch.ones(1, 1, 1))


# What measures it.


def test_the_area_under_the_curve() -> None:
    assert area_under(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1
    assert area_under(np.array([1.0]), np.array([0.0, 1.0, 2.0, 3.0])) == (1 + 0.5) / 4


def test_average_precision_of_a_ranking() -> None:
    heat = np.array([[4, 3, 2, 1]], np.float32)
    assert average_precision(heat, np.array([[True, True, False, False]])) == 1
    assert average_precision(heat, np.array([[False, True, False, True]])) == (1 / 2 + 2 / 4) / 2


def test_a_heat_on_a_disc_settles_to_it() -> None:
    y, x = np.mgrid[:120, :160]
    disc = np.hypot(y - 60, x - 70) < 30
    rgb = np.where(disc[..., None], (200, 40, 30), (30, 90, 160)).astype(np.uint8)
    rgb = rgb + np.random.default_rng(0).integers(0, 12, rgb.shape, np.uint8)
    heat = np.exp(-(np.hypot(y - 60, x - 70) ** 2) / 2 / 25**2).astype(np.float32)
    mask = settled(rgb, heat)
    assert (mask & disc).sum() / (mask | disc).sum() > 0.95
