from __future__ import annotations

import numpy as np
import pytest

from guidance import Transform
from realedit.compose.anchor import build_anchor
from realedit.compose.piece import Piece
from realedit.compose.reflection import find_reflection, no_reflection
from realedit.find.by_hand import from_mask

SIDE = 256
SHARE = 0.3
COLOUR = np.array([210.0, 60.0, 40.0])
TOP, FOOT, LEFT, RIGHT = 60, 120, 100, 140


def _table(texture: str) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(float)
    base = np.full((SIDE, SIDE, 3), (110.0, 100.0, 90.0))
    if texture == "ramp":
        base *= (0.85 + 0.3 * columns / SIDE)[..., None]
    if texture == "grain":
        base += 5 * np.sin(2 * np.pi * rows / 7)[..., None]
    return base + np.random.default_rng(0).normal(0, 2, base.shape)


def _box() -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return (rows >= TOP) & (rows < FOOT) & (columns >= LEFT) & (columns < RIGHT)


def _slanted() -> np.ndarray:
    """A box seen across its edge: its foot lies lower and lower to the right."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    down = (columns - LEFT) // 2
    return (rows >= TOP + down) & (rows < FOOT + down) & (columns >= LEFT) & (columns < RIGHT)


def _ball() -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return (columns - 119.5) ** 2 + (rows - 89.5) ** 2 < 30**2


def _scene(texture: str, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photo of a thing whose lower half is pale, its reflection's place, and the light it adds there."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    foot = np.full(SIDE, FOOT)
    if mask[FOOT:].any():  # slanted
        foot[LEFT:RIGHT] += np.arange(RIGHT - LEFT) // 2
    look = np.where((rows < foot - (FOOT - TOP) // 2)[..., None], COLOUR, 230.0)
    source = np.clip(2 * foot - 1 - rows, 0, SIDE - 1)
    place = mask[source, columns] & (rows >= foot)
    light = SHARE * look[source, columns] * place[..., None]
    rgb = np.where(mask[..., None], look, _table(texture) + light)
    return rgb.clip(0, 255).round().astype(np.uint8), place, light


@pytest.mark.parametrize("texture", ["flat", "ramp", "grain"])
@pytest.mark.parametrize("mask", [_box(), _slanted(), _ball()], ids=["upright", "slanted", "round"])
def test_it_lies_upside_down_below_the_foot(texture: str, mask: np.ndarray) -> None:
    rgb, place, _ = _scene(texture, mask)
    found = find_reflection(rgb, mask)
    assert (found.mask & place).sum() / (found.mask | place).sum() > 0.8
    assert not (found.mask & mask).any()


@pytest.mark.parametrize("texture", ["flat", "ramp", "grain"])
def test_its_light_is_what_was_added(texture: str) -> None:
    rgb, place, light = _scene(texture, _box())
    found = find_reflection(rgb, _box())
    error = np.abs(found.light - light)[place].mean()
    assert error < 0.2 * light[place].mean()


def test_a_round_thing_and_an_upright_one_are_mirrored_at_their_own_feet() -> None:
    """A ball's sides hang over the table: mirrored column by column its reflection would touch them."""
    rgb, place, _ = _scene("flat", _ball())
    above = ~place & (np.mgrid[:SIDE, :SIDE][0] < FOOT)
    assert (find_reflection(rgb, _ball()).mask & above).sum() < 0.1 * place.sum()


def test_on_another_object_none_is_looked_for() -> None:
    rgb, place, _ = _scene("flat", _box())
    forbidden = place & (np.mgrid[:SIDE, :SIDE][0] > 150)
    assert not (find_reflection(rgb, _box(), forbidden).mask & forbidden).any()


@pytest.mark.parametrize("rows", [slice(0, 0), slice(200, 256)], ids=["nothing", "at the border"])
def test_where_there_is_no_room_there_is_none(rows: slice) -> None:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[rows, 80:120] = True
    found = find_reflection(_table("flat").clip(0, 255).astype(np.uint8), mask)
    assert not found.mask.any()
    assert not found.light.any()


def test_taking_it_away_gives_back_what_it_was_cast_on() -> None:
    rgb, place, light = _scene("flat", _box())
    found = find_reflection(rgb, _box())
    bare = found.taken_from(rgb)
    assert bare.dtype == np.uint8
    assert np.abs(bare.astype(float) - (rgb - light))[place].mean() < 0.25 * light[place].mean()
    assert np.abs(found.cast(bare) - rgb).max() <= 1
    assert np.array_equal(no_reflection(rgb).cast(rgb), rgb)


@pytest.mark.parametrize("texture", ["flat", "ramp"])
def test_it_goes_where_the_object_goes(texture: str) -> None:
    rgb, place, light = _scene(texture, _box())
    location = from_mask(rgb, _box().astype(np.float32))
    piece = Piece(location, Transform(0.25, centre=location.centroid))
    anchor = build_anchor(rgb, [piece], reflection=True)
    shift = SIDE // 4
    truth = _table(texture) + np.roll(light, shift, axis=1)
    there = np.roll(place, shift, axis=1)
    assert np.abs(anchor.picture - truth)[there].mean() < 0.25 * light[place].mean()
    assert np.abs(anchor.picture - truth)[place].mean() < 0.15 * light[place].mean()
    assert np.array_equal(anchor.picture[~anchor.changed], rgb[~anchor.changed].astype(np.float32))
    assert (anchor.shadow_before & place).sum() > 0.9 * place.sum()
    assert (anchor.shadow_after & there).sum() > 0.9 * place.sum()


def test_unless_it_is_asked_for_it_stays() -> None:
    rgb, place, _ = _scene("flat", _box())
    location = from_mask(rgb, _box().astype(np.float32))
    anchor = build_anchor(rgb, [Piece(location, None)], shadow=False)
    far = place & (np.mgrid[:SIDE, :SIDE][0] > FOOT + 16)
    assert np.array_equal(anchor.picture[far], rgb[far].astype(np.float32))
