from __future__ import annotations

import math
from dataclasses import fields
from functools import cache
from typing import get_args

import numpy as np
import pytest

from examples.tabletop.asset import Asset, Finish, Part
from examples.tabletop.shapes import MAKERS, make
from examples.tabletop.vocabulary import COLOURS, NOUNS
from meshes import components, is_closed, merged, volume

SEEDS = range(5)
WAYS, LINES = 5, 30  # lines of sight an asset: directions, and how many along each


@cache
def drawn(noun: str) -> list[Asset]:
    return [make(noun, np.random.default_rng(seed)) for seed in SEEDS]


def same(a: Part, b: Part) -> bool:
    pairs = [(getattr(a, field.name), getattr(b, field.name)) for field in fields(Part)]
    return all(np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y for x, y in pairs)


def seen_from_behind(asset: Asset) -> tuple[int, int]:
    """Of lines of sight from above that meet an asset: how many first meet the back of a face, and all."""
    corners = np.concatenate([part.vertices[part.faces] for part in asset.parts])
    rng = np.random.default_rng(0)
    behind = every = 0
    for number in range(WAYS):
        around, height = rng.uniform(0, 2 * math.pi), math.pi / 2 * (number + 0.5) / WAYS
        side = np.array([-math.sin(around), math.cos(around), 0])
        back = np.array(
            [math.cos(around) * math.cos(height), math.sin(around) * math.cos(height), math.sin(height)]
        )
        # Seen from there: x to the right, y up, z towards the eye.
        seen = corners @ np.stack([side, np.cross(back, side), back], 1)
        low, high = seen[..., :2].min(1), seen[..., :2].max(1)
        for point in rng.uniform(low.min(0), high.max(0), (LINES, 2)):
            a, b, c = np.moveaxis(seen[((low <= point) & (point <= high)).all(1)], 1, 0)
            area = cross(b - a, c - a)
            away = point - a[:, :2]
            v, w = cross(away, c - a), cross(b - a, away)
            met = (v * area >= 0) & (w * area >= 0) & (np.abs(v + w) <= np.abs(area)) & (area != 0)
            if met.any():
                steps = np.stack([v, w], 1)[met] / area[met, None]
                depth = a[met, 2] + (steps * np.stack([(b - a)[met, 2], (c - a)[met, 2]], 1)).sum(1)
                every += 1
                behind += int(area[met][depth.argmax()] < 0)
    return behind, every


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def test_makers_are_of_known_nouns() -> None:
    assert set(MAKERS) <= set(NOUNS)
    with pytest.raises(KeyError, match="dragon"):
        make("dragon", np.random.default_rng(0))


@pytest.mark.parametrize("noun", MAKERS)
def test_an_asset_is_whole_and_stands_on_the_table(noun: str) -> None:
    assets = drawn(noun)
    assert len({asset.name for asset in assets}) == len(assets)
    for asset in assets:
        assert asset.noun == noun
        assert asset.colour is None or asset.colour in COLOURS
        low, high = asset.bounds
        assert low[2] == pytest.approx(0, abs=1e-9)
        assert low[:2] + high[:2] == pytest.approx([0, 0], abs=1e-9)
        assert 0.03 < (high - low).max() < 0.35
        assert (high - low).min() > 0.002
        for part in asset.parts:
            assert np.isfinite(part.vertices).all()
            assert part.vertices.shape == (len(part.vertices), 3)
            assert part.faces.dtype.kind == "i"
            assert set(np.unique(part.faces)) == set(range(len(part.vertices)))
            assert part.finish in get_args(Finish)
            assert all(0 <= value <= 1 for value in part.rgb)
            assert (part.uv is None) == (part.texture is None)
            if part.uv is not None and part.texture is not None:
                assert part.uv.shape == (len(part.vertices), 2)
                assert np.isfinite(part.uv).all()
                assert (part.texture.dtype, part.texture.shape[2:]) == (np.uint8, (3,))


@pytest.mark.parametrize("noun", MAKERS)
def test_closed_pieces_have_their_outside_outside(noun: str) -> None:
    wrong = [
        (asset.name, number, len(piece))
        for asset in drawn(noun)
        for number, part in enumerate(asset.parts)
        for piece in (part.faces[chosen] for chosen in components(part.vertices, part.faces))
        if is_closed(merged(part.vertices, piece)) and volume(part.vertices, piece) <= 0
    ]
    assert not wrong


@pytest.mark.parametrize("noun", MAKERS)
def test_what_is_seen_is_the_front_of_faces(noun: str) -> None:
    """A renderer leaves out backs of faces: where one would be met first there is a hole."""
    behind, every = np.sum([seen_from_behind(asset) for asset in drawn(noun)], axis=0)
    assert every > 0.1 * WAYS * LINES * len(SEEDS)
    assert behind <= 0.04 * every  # sheets such as leaves, and slits a millimetre wide at rims


@pytest.mark.parametrize("noun", MAKERS)
def test_an_asset_follows_the_source_of_chance(noun: str) -> None:
    first, other = drawn(noun)[:2]
    again = make(noun, np.random.default_rng(SEEDS[0]))
    assert (first.name, first.colour) == (again.name, again.colour)
    assert len(first.parts) == len(again.parts)
    assert all(same(a, b) for a, b in zip(first.parts, again.parts, strict=True))
    assert not np.allclose(first.bounds, other.bounds, atol=1e-6)


@pytest.mark.parametrize("noun", MAKERS)
def test_an_asset_has_a_colour_word_that_is_true(noun: str) -> None:
    """Either paint decides, or the word is given, or none is claimed."""
    for asset in drawn(noun):
        painted = any(part.paint for part in asset.parts)
        assert not (painted and asset.colour is not None)


def test_shapes_are_wide() -> None:
    """Height by width differs by a third and more within most nouns."""
    spreads = []
    for noun in MAKERS:
        sizes = np.array([np.ptp(asset.bounds, axis=0) for asset in drawn(noun)])
        shape = sizes[:, 2] / sizes[:, :2].max(1)
        spreads.append(shape.max() / shape.min())
    assert np.median(spreads) > 1.3


@pytest.mark.parametrize("noun", ["box", "can", "carton"])
def test_packages_printed_all_over_say_what_colour_they_are(noun: str) -> None:
    """The word of one is that of its paper: what of it no print covers shows a shade of the word."""
    things = [make(noun, np.random.default_rng(seed)) for seed in range(40)]
    wrapped = [thing for thing in things if not any(part.paint for part in thing.parts)]
    assert 4 <= len(wrapped) <= 32
    for thing in wrapped:
        assert thing.colour is not None
        assert any(part.rgb in COLOURS[thing.colour] for part in thing.parts)
        prints = [part.texture for part in thing.parts if part.texture is not None]
        assert prints
        assert min(image.std() for image in prints) > 3
