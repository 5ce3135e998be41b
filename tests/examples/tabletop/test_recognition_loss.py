from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import CLIPTokenizer

from examples.tabletop.model import TabletopModel
from examples.tabletop.recognition_loss import Things, draw_words, recognition_loss
from examples.tabletop.vocabulary import NOUNS, SYNONYMS

TOP = torch.zeros(1, 1, 32, 32, dtype=torch.float64)
TOP[..., :8, :] = 1  # the first two rows of a map of 8 x 8


def reading(shares: Tensor) -> Tensor:
    """[1, 64, words] with the same shares everywhere."""
    return shares.double().expand(1, 64, -1).clone()


def things(*nouns: int, samples: tuple[int, ...] = (0,), masks: Tensor = TOP) -> Things:
    return Things(torch.tensor(samples), torch.tensor(nouns), masks)


def loss_of(readings: list[Tensor], things: Things, clarity: tuple[float, ...] = (1.0, 1.0)) -> Tensor:
    return recognition_loss(readings, things, torch.tensor(clarity))


def test_a_thing_that_is_read_as_itself_costs_nothing_and_a_guess_the_vocabularys_log() -> None:
    sure = reading(torch.tensor([0.0, 1.0, 0.0]))
    assert loss_of([sure], things(1)).item() == pytest.approx(0)
    assert loss_of([reading(torch.full((3,), 1 / 3))], things(1)).item() == pytest.approx(math.log(3))
    assert loss_of([sure], things(2)).item() == pytest.approx(-math.log(1e-6))


def test_only_the_things_own_places_count() -> None:
    map_ = reading(torch.tensor([0.25, 0.75]))
    map_[0, 16:] = torch.tensor([1e-3, 1 - 1e-3], dtype=torch.float64)
    assert loss_of([map_], things(0)).item() == pytest.approx(math.log(4))
    assert loss_of([map_], things(0, masks=1 - TOP)).item() == pytest.approx(math.log(1000))


def test_things_and_layers_count_alike_and_what_is_too_small_for_a_layer_not_at_all() -> None:
    speck = torch.zeros_like(TOP)
    speck[..., :3, :3] = 1  # 9 of a cell's 16 pixels, but less than half of one on a map of 4 x 4
    fine = torch.softmax(torch.randn(2, 64, 5, dtype=torch.float64), -1)
    coarse = torch.softmax(torch.randn(2, 16, 5, dtype=torch.float64), -1)
    both = things(3, 4, samples=(1, 0), masks=torch.cat([TOP, speck]))
    first = things(3, samples=(1,))
    second = things(4, samples=(0,), masks=speck)
    fine_mean = (loss_of([fine], first) + loss_of([fine], second)) / 2
    expected = (fine_mean + loss_of([coarse], first)) / 2
    torch.testing.assert_close(loss_of([fine, coarse], both), expected)
    assert loss_of([coarse], second).item() == 0


def test_a_thing_counts_by_how_clearly_its_picture_is_seen() -> None:
    maps = torch.softmax(torch.randn(2, 64, 5, dtype=torch.float64), -1)
    first = loss_of([maps], things(3, samples=(0,)))
    second = loss_of([maps], things(4, samples=(1,)))
    both = things(3, 4, samples=(0, 1), masks=torch.cat([TOP, TOP]))
    torch.testing.assert_close(loss_of([maps], both, (0.25, 0.75)), 0.25 * first + 0.75 * second)


def test_the_gradient_is_the_losss() -> None:
    logits = torch.randn(1, 16, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: loss_of([x.softmax(-1)], things(2)), logits)


def test_the_words_are_every_noun_or_its_synonym(tokenizer: CLIPTokenizer) -> None:
    rng = np.random.default_rng(0)
    seen: dict[str, set[str]] = {noun: set() for noun in NOUNS}
    for _ in range(12):
        words = draw_words(tokenizer, rng)
        assert words.ids.shape == words.weights.shape == (len(NOUNS), tokenizer.model_max_length)
        torch.testing.assert_close(words.weights.sum(1), torch.ones(len(NOUNS)))
        for noun, ids, weights in zip(NOUNS, words.ids, words.weights, strict=True):
            seen[noun].add(str(tokenizer.decode(ids[weights > 0])).strip())
    for noun in NOUNS:
        assert seen[noun] == {noun, *SYNONYMS.get(noun, ())}


def test_the_words_embeddings_are_those_of_their_prompts(
    model: TabletopModel, tokenizer: CLIPTokenizer
) -> None:
    words = draw_words(tokenizer, np.random.default_rng(1))
    with torch.no_grad():
        found = words.embedded(model)
        k = NOUNS.index("moka pot")
        prompt, _ = model.encode(words.ids[k : k + 1])
    places = torch.nonzero(words.weights[k])[:, 0]
    assert len(places) == 2
    torch.testing.assert_close(found[k], prompt[0, places].mean(0), rtol=1e-4, atol=1e-5)
