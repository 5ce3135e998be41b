"""What was seen in a photo is kept: nobody looks twice, and what is found is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from realedit.find.kept_looks import KeptLooks
from realedit.find.names import NameFinder, Seen
from realedit.inverted.cache import Cache
from realedit.models.choice import embedded_folder


@pytest.fixture(scope="module")
def finder() -> NameFinder:
    return NameFinder.load(embedded_folder())


@pytest.fixture(scope="module")
def cat(finder: NameFinder) -> Seen:
    return finder.look(skimage.data.chelsea())


def never(_: np.ndarray) -> Seen:
    raise AssertionError("looked again")


def test_another_command_finds_the_same_without_looking(
    finder: NameFinder, cat: Seen, tmp_path: Path
) -> None:
    photo = skimage.data.chelsea()
    KeptLooks(Cache(tmp_path)).seen(photo, lambda _: cat)
    again = KeptLooks(Cache(tmp_path)).seen(photo.copy(), never)
    assert again is not cat
    assert again.size == cat.size
    assert again.familiar == cat.familiar
    found, kept = finder.find(cat, "cat"), finder.find(again, "cat")
    assert np.array_equal(found.heat, kept.heat)
    assert found.presence == kept.presence


def test_a_second_word_finds_the_same_without_a_cache(cat: Seen) -> None:
    looks = KeptLooks()
    assert looks.seen(skimage.data.chelsea(), lambda _: cat) is cat
    assert looks.seen(skimage.data.chelsea(), never) is cat


def test_another_photo_is_looked_at(cat: Seen, tmp_path: Path) -> None:
    looks = KeptLooks(Cache(tmp_path))
    looks.seen(skimage.data.chelsea(), lambda _: cat)
    other = skimage.data.chelsea()
    other[0, 0, 0] ^= 1
    seen: list[np.ndarray] = []

    def look(rgb: np.ndarray) -> Seen:
        seen.append(rgb)
        return cat

    looks.seen(other, look)
    assert len(seen) == 1
    assert seen[0] is other


def test_a_damaged_entry_is_looked_at_again(cat: Seen, tmp_path: Path) -> None:
    photo = skimage.data.chelsea()
    KeptLooks(Cache(tmp_path)).seen(photo, lambda _: cat)
    (entry,) = tmp_path.glob("*.safetensors")
    content = bytearray(entry.read_bytes())
    content[-1] ^= 1
    entry.write_bytes(content)
    assert KeptLooks(Cache(tmp_path)).seen(photo, lambda _: cat) is cat


def test_what_is_read_is_the_same_to_the_bit(cat: Seen, tmp_path: Path) -> None:
    photo = skimage.data.chelsea()
    KeptLooks(Cache(tmp_path)).seen(photo, lambda _: cat)
    again = KeptLooks(Cache(tmp_path)).seen(photo, never)
    assert all(torch.equal(one, other) for one, other in zip(cat.logits, again.logits, strict=True))
    assert torch.equal(cat.outlines, again.outlines)
    assert cat.nouns is not None
    assert again.nouns is not None
    assert np.array_equal(cat.nouns, again.nouns)
