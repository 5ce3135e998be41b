from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import CLIPTokenizer

from examples.tabletop.captions import OPENINGS, full_caption, with_article, write_caption
from examples.tabletop.model import TOKENS
from examples.tabletop.tokenizer import make_tokenizer, words
from examples.tabletop.vocabulary import COLOURS, NOUNS, SURFACES, SYNONYMS


def spelt(tokenizer: CLIPTokenizer, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False).input_ids


def test_each_word_is_one_token_of_its_own(tokenizer: CLIPTokenizer) -> None:
    ids = [spelt(tokenizer, word) for word in words()]
    assert {len(found) for found in ids} == {1}
    assert len({found[0] for found in ids}) == len(ids)
    ends: list[Any] = [tokenizer.bos_token_id, tokenizer.eos_token_id]
    assert not {found[0] for found in ids} & set(ends)


def test_captions_hold_only_words_of_the_vocabulary() -> None:
    known, rng = set(words()), np.random.default_rng(0)
    objects = [{"noun": noun, "colour": colour} for noun, colour in zip(NOUNS, [*COLOURS] * 9, strict=False)]
    for k in range(300):
        scene = {"objects": objects[k % len(objects) :][:4], "surface": SURFACES[k % len(SURFACES)]}
        for text in (full_caption(scene), write_caption(scene, rng).text):
            assert set(text.replace(",", " ,").split()) <= known


def test_a_word_it_was_not_taught_falls_apart(tokenizer: CLIPTokenizer) -> None:
    for word in ("zebra", "umbrella", "skateboard", "mugs", "xylophone"):
        assert word not in words()
        ids = spelt(tokenizer, word)
        assert len(ids) > 1
        assert tokenizer.unk_token_id not in ids
        assert str(tokenizer.decode(ids)).strip() == word


def test_a_word_means_the_same_anywhere_in_a_sentence(tokenizer: CLIPTokenizer) -> None:
    (mug,) = spelt(tokenizer, "mug")
    assert spelt(tokenizer, "a Red MUG, a wine glass") == [
        *spelt(tokenizer, "a"),
        *spelt(tokenizer, "red"),
        mug,
        *spelt(tokenizer, ","),
        *spelt(tokenizer, "a"),
        *spelt(tokenizer, "wine"),
        *spelt(tokenizer, "glass"),
    ]


def test_a_sentence_comes_back_as_it_was(tokenizer: CLIPTokenizer) -> None:
    text = "a photo of an orange mug , a wine glass and a teddy bear on a checkered table"
    assert str(tokenizer.decode(spelt(tokenizer, text))).strip() == text


def test_a_prompt_has_its_ends_and_its_length(tokenizer: CLIPTokenizer) -> None:
    ids = tokenizer("a mug", padding="max_length", truncation=True).input_ids
    assert tokenizer.model_max_length == len(ids) == TOKENS
    assert ids[:4] == [tokenizer.bos_token_id, *spelt(tokenizer, "a mug"), tokenizer.eos_token_id]
    padding: Any = tokenizer.pad_token_id
    assert set(ids[4:]) == {padding}
    long = tokenizer("a mug " * 100, padding="max_length", truncation=True).input_ids
    assert (len(long), long[-1]) == (TOKENS, tokenizer.eos_token_id)


def test_the_longest_caption_fits(tokenizer: CLIPTokenizer) -> None:
    def longest(choices: list[str]) -> str:
        return max(choices, key=lambda words: len(spelt(tokenizer, words)))

    nouns = [*NOUNS, *(word for others in SYNONYMS.values() for word in others)]
    noun, colour, surface = (longest(choices) for choices in (nouns, [*COLOURS], [*SURFACES]))
    thing = with_article(f"{colour} {noun}")
    text = f"{longest([*OPENINGS])} {thing}, {thing}, {thing} and {thing} on {with_article(surface)} surface"
    assert len(tokenizer(text).input_ids) <= TOKENS


def test_the_files_load_again_and_agree(tmp_path: Path) -> None:
    made = make_tokenizer(tmp_path / "made", 20)
    made.save_pretrained(tmp_path / "saved")
    text = "a photo of a red mug, a zebra and a jug on a wooden table"
    expected = made(text, padding="max_length", truncation=True).input_ids
    assert len(expected) == 20
    for folder in ("saved", "made"):
        again = CLIPTokenizer.from_pretrained(tmp_path / folder, model_max_length=20)
        assert again(text, padding="max_length", truncation=True).input_ids == expected
        assert len(again) == len(made)
    assert CLIPTokenizer.from_pretrained(tmp_path / "saved").model_max_length == 20


def test_the_same_words_give_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_tokenizer(tmp_path / name)
    for file in ("vocab.json", "merges.txt"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize("length", [48, 77])
def test_the_length_is_what_was_asked(tmp_path: Path, length: int) -> None:
    assert make_tokenizer(tmp_path, length).model_max_length == length
