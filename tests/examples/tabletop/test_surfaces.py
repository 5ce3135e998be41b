from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from examples.tabletop.surfaces import KINDS, TABLE_KINDS, WALL_KINDS, Surface, make_surface
from examples.tabletop.vocabulary import SURFACES


@cache
def drawn(kind: str) -> Surface:
    return make_surface(kind, np.random.default_rng(1))


@pytest.mark.parametrize("kind", KINDS)
def test_a_surface_is_a_texture_with_a_word_that_repeats_without_a_seam(kind: str) -> None:
    surface = drawn(kind)
    texture = surface.texture
    assert (texture.dtype, texture.shape) == (np.uint8, (512, 512, 3))
    assert surface.word in SURFACES
    assert 0.1 <= surface.metres <= 2.5
    assert 0 <= surface.gloss <= 1
    assert texture.std() > 0.3
    assert 5 < texture.mean() < 250
    for axis in (0, 1):
        lines = np.moveaxis(texture.astype(float), axis, 0)
        steps = np.abs(lines - np.roll(lines, 1, 0)).mean((1, 2))
        assert steps[0] <= steps[1:].max() + 0.5  # the first is across the seam


@pytest.mark.parametrize("kind", KINDS[::3])
def test_a_surface_follows_the_source_of_chance(kind: str) -> None:
    one, same, other = (drawn(kind), *(make_surface(kind, np.random.default_rng(seed)) for seed in (1, 2)))
    assert np.array_equal(one.texture, same.texture)
    assert (one.metres, one.gloss, one.word) == (same.metres, same.gloss, same.word)
    assert not np.array_equal(one.texture, other.texture)
    assert one.word == other.word


def test_a_texture_is_evenly_lit() -> None:
    """No quarter is much brighter than another, or a floor of repeats would be chequered."""
    for kind in ("oak", "white marble", "concrete", "linen", "plaster", "leather"):
        blocks = make_surface(kind, np.random.default_rng(4)).texture.reshape(2, 256, 2, 256, 3)
        quarters = blocks.mean((1, 3, 4))
        assert np.ptp(quarters) < 25, kind


def test_tables_and_walls_are_of_known_kinds() -> None:
    assert len(set(KINDS)) == len(KINDS)
    assert set(WALL_KINDS) <= set(KINDS)
    assert set(TABLE_KINDS) <= set(KINDS)
    assert set(WALL_KINDS) | set(TABLE_KINDS) == set(KINDS)
    assert not {"brick", "wallpaper stripes"} & set(TABLE_KINDS)


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(KeyError, match="lava"):
        make_surface("lava", np.random.default_rng(0))


def test_every_word_has_tables_to_learn_it_from() -> None:
    assert {drawn(kind).word for kind in TABLE_KINDS} == set(SURFACES)
