from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import CLIPTokenizer

from examples.tabletop.batches import TEXT_DROPPED, Batch, draw_batch, noun_places
from examples.tabletop.captions import NONE_NAMED
from examples.tabletop.latents import Shard
from examples.tabletop.vocabulary import NOUNS, SYNONYMS

THINGS = ["mug", "wine glass", "pot", "moka pot", "teddy bear", "scissors", "glass", "dog", "hot dog"]


def marked_shard(count: int, first: int) -> Shard:
    """Scenes that know their number: latents are it, with a sign for the mirror; object k lies in row k."""
    latents = np.zeros((2, count, 4, 4, 4), np.float16)
    instances = np.zeros((count, 12, 12), np.uint8)
    scenes: list[dict[str, Any]] = []
    for k in range(count):
        number = first + k + 1
        latents[0, k], latents[1, k] = number, -number
        objects = 1 + number % 3
        for row in range(objects):
            instances[k, row, : number % 6 + 1] = row + 1
        nouns = [THINGS[(number + row) % len(THINGS)] for row in range(objects)]
        scenes.append({"objects": [{"noun": noun, "colour": "red"} for noun in nouns], "surface": "plain"})
    return Shard(latents, instances, tuple(scenes))


SHARDS = [marked_shard(2, 0), marked_shard(6, 2)]
SCENES = [scene for shard in SHARDS for scene in shard.scenes]
INSTANCES = [mask for shard in SHARDS for mask in shard.instances]


@pytest.fixture(scope="module")
def batch(tokenizer: CLIPTokenizer) -> Batch:
    return draw_batch(SHARDS, tokenizer, 1200, np.random.default_rng(0))


def drawn(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Which scene each sample is, from 0, and whether it is mirrored."""
    value = batch.latents[:, 0, 0, 0].numpy()
    return np.abs(value).astype(int) - 1, value < 0


def test_scenes_of_one_object_are_drawn_half_as_often_and_half_of_all_mirrored(batch: Batch) -> None:
    scenes, mirrored = drawn(batch)
    expected = np.array([0.5 if len(scene["objects"]) == 1 else 1 for scene in SCENES])
    assert set(expected) == {0.5, 1}
    assert np.bincount(scenes, minlength=8) / 1200 == pytest.approx(expected / expected.sum(), abs=0.035)
    assert mirrored.mean() == pytest.approx(0.5, abs=0.05)
    assert batch.latents.dtype == torch.float32


def test_a_tenth_goes_without_text_and_without_nouns(batch: Batch) -> None:
    assert batch.named.float().mean().item() == pytest.approx(1 - TEXT_DROPPED, abs=0.03)
    assert batch.named[batch.nouns.samples].all()


def test_a_nouns_mask_is_the_object_it_names_mirrored_with_the_picture(
    batch: Batch, tokenizer: CLIPTokenizer
) -> None:
    scenes, mirrored = drawn(batch)
    nouns = batch.nouns
    assert len(nouns.samples) > 800
    for sample, weights, mask in zip(nouns.samples.tolist(), nouns.tokens, nouns.masks, strict=True):
        places = torch.nonzero(weights)[:, 0]
        assert weights[places].tolist() == pytest.approx([1 / len(places)] * len(places))
        words = str(tokenizer.decode(batch.ids[sample, places])).strip()
        truth = INSTANCES[scenes[sample]]
        truth = truth[:, ::-1] if mirrored[sample] else truth
        (number,) = set(truth[mask[0].bool().numpy()].tolist())
        assert torch.equal(mask[0].bool(), torch.from_numpy(truth == number))
        thing = SCENES[scenes[sample]]["objects"][number - 1]["noun"]
        assert words in (thing, *SYNONYMS.get(thing, ()))


def test_each_object_named_has_one_mask(batch: Batch) -> None:
    scenes, _ = drawn(batch)
    counts = torch.bincount(batch.nouns.samples, minlength=1200).numpy()
    most = np.array([len(scene["objects"]) for scene in SCENES])[scenes]
    named = batch.named.numpy() & (counts > 0)
    assert named.mean() == pytest.approx((1 - TEXT_DROPPED) * (1 - NONE_NAMED), abs=0.04)
    assert (counts <= most).all()
    # All of one, two or three, by scenes drawn 1 : 3 : 3.
    expected = (1 + 3 * (0.8 + 0.2 * 0.3 / 2) + 3 * (0.8 + 0.2 * 0.3 / 3)) / 7
    assert (counts[named] == most[named]).mean() == pytest.approx(expected, abs=0.05)


def test_what_is_to_be_recognised_is_what_the_caption_does_not_tell(batch: Batch) -> None:
    scenes, mirrored = drawn(batch)
    told: dict[int, set[bytes]] = {}
    for sample, mask in zip(batch.nouns.samples.tolist(), batch.nouns.masks, strict=True):
        told.setdefault(sample, set()).add(mask.numpy().tobytes())
    untold: dict[int, set[bytes]] = {}
    things = batch.things
    for sample, noun, mask in zip(things.samples.tolist(), things.nouns.tolist(), things.masks, strict=True):
        truth = INSTANCES[scenes[sample]]
        truth = truth[:, ::-1] if mirrored[sample] else truth
        (number,) = set(truth[mask[0].bool().numpy()].tolist())
        assert torch.equal(mask[0].bool(), torch.from_numpy(truth == number))
        assert NOUNS[noun] == SCENES[scenes[sample]]["objects"][number - 1]["noun"]
        untold.setdefault(sample, set()).add(mask.numpy().tobytes())
    for sample, scene in enumerate(scenes):
        ours, theirs = told.get(sample, set()), untold.get(sample, set())
        assert not ours & theirs
        assert len(ours) + len(theirs) == len(SCENES[scene]["objects"])  # no noun is there twice


def test_where_nothing_fits_into_a_window_that_is_said(tokenizer: CLIPTokenizer) -> None:
    shard = marked_shard(1, 0)
    shard.instances[:] = 1
    with pytest.raises(ValueError, match="without --windows"):
        draw_batch([shard], tokenizer, 1, np.random.default_rng(0), windows=True)


def test_batches_follow_the_source_of_chance(tokenizer: CLIPTokenizer) -> None:
    one, same, other = (draw_batch(SHARDS, tokenizer, 8, np.random.default_rng(k)) for k in (1, 1, 2))
    assert torch.equal(one.latents, same.latents)
    assert torch.equal(one.ids, same.ids)
    assert torch.equal(one.nouns.masks, same.nouns.masks)
    assert not torch.equal(one.ids, other.ids)


def test_a_batch_without_text_has_no_nouns(tokenizer: CLIPTokenizer) -> None:
    for seed in range(200):
        batch = draw_batch(SHARDS, tokenizer, 1, np.random.default_rng(seed))
        if not batch.named.any():
            break
    assert not batch.named.any()
    assert len(batch.things.samples) > 0
    assert batch.nouns.masks.shape == (0, 1, 12, 12)
    assert batch.nouns.tokens.shape == (0, batch.ids.shape[1])
    assert batch.nouns.samples.dtype == torch.long


def places(tokenizer: CLIPTokenizer, text: str, nouns: list[tuple[int, str]]) -> list[tuple[int, list[str]]]:
    ids = tokenizer(text, padding="max_length", truncation=True).input_ids
    return [
        (number, [str(tokenizer.decode([ids[place]])).strip() for place in range_])
        for number, range_ in noun_places(ids, nouns, tokenizer)
    ]


def test_places_are_those_of_the_words(tokenizer: CLIPTokenizer) -> None:
    text = "a photo of a moka pot, a pot and a teddy bear on a table"
    assert places(tokenizer, text, [(2, "moka pot"), (1, "pot"), (3, "teddy bear")]) == [
        (2, ["moka", "pot"]),
        (1, ["pot"]),
        (3, ["teddy", "bear"]),
    ]


def test_of_two_equal_nouns_each_finds_its_own(tokenizer: CLIPTokenizer) -> None:
    ids = tokenizer("a red mug and a blue mug").input_ids
    first, second = (range_ for _, range_ in noun_places(ids, [(5, "mug"), (4, "mug")], tokenizer))
    assert (list(first), list(second)) == ([3], [7])


def test_a_noun_that_was_cut_off_is_left_out(tokenizer: CLIPTokenizer) -> None:
    text = "a mug and " * 30 + "a wine glass"
    assert places(tokenizer, text, [(1, "mug"), (2, "wine glass")]) == [(1, ["mug"])]


def test_the_letters_of_a_noun_without_a_token_are_all_its_places(tokenizer: CLIPTokenizer) -> None:
    ((number, letters),) = places(tokenizer, "a zebra on a table", [(1, "zebra")])
    assert number == 1
    assert "".join(letters) == "zebra"
    assert len(letters) > 1
