"""An anchor of several pieces: swapped, removed, laid over each other, brought from another picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from guidance import Transform
from realedit.compose.anchor import Anchor, build_anchor
from realedit.compose.piece import Cast, Piece, carried
from realedit.compose.reflection import Reflection
from realedit.compose.shadow import Shadow
from realedit.find.by_hand import from_mask
from realedit.location import Location
from realedit.pixels.foreground import foreground

RED, BLUE = (210, 40, 30), (30, 50, 215)
GREY = 130
H, W = 160, 240


def _disc(x: float, y: float, r: float) -> np.ndarray:
    rows, columns = np.mgrid[:H, :W] + 0.5
    return np.hypot(columns - x, rows - y) < r


def _scene(*discs: tuple[tuple[int, int, int], float, float, float]) -> tuple[np.ndarray, list[Location]]:
    """Discs (colour, x, y, radius) on grained grey, and where each of them is."""
    rgb = GREY + np.random.default_rng(0).normal(0, 3, (H, W, 3))
    for colour, x, y, r in discs:
        rgb[_disc(x, y, r)] = colour
    rgb = rgb.clip(0, 255).round().astype(np.uint8)
    return rgb, [from_mask(rgb, _disc(x, y, r).astype(np.float32)) for _, x, y, r in discs]


def _is(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where a picture shows a colour, or nearly it."""
    return np.abs(picture.astype(float) - colour).max(-1) < 60


def _centroid(weight: np.ndarray) -> tuple[float, float]:
    """(x, y) in pixels."""
    rows, columns = np.mgrid[:H, :W] + 0.5
    return (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()


def _to(location: Location, **to: Any) -> Piece:
    return Piece(location, Transform(**to, centre=location.centroid))


def _swapped() -> tuple[np.ndarray, list[Location], Anchor]:
    rgb, (red, blue) = _scene((RED, 60, 60, 16), (BLUE, 170, 100, 22))
    dx, dy = 110 / W, 40 / H
    pieces = [_to(red, dx=dx, dy=dy), _to(blue, dx=-dx, dy=-dy)]
    return rgb, [red, blue], build_anchor(rgb, pieces, shadow=False)


def test_two_objects_change_places() -> None:
    rgb, (red, blue), anchor = _swapped()
    # 110 and 40 are whole pixels: each arrives with its own pixels, at the other's place
    for colour, weight, where in ((RED, anchor.mattes[0], (170, 100)), (BLUE, anchor.mattes[1], (60, 60))):
        assert _centroid(weight) == pytest.approx(where, abs=0.1)
        assert _centroid(_is(anchor.picture, colour)) == pytest.approx(where, abs=0.5)
    assert anchor.mattes[0].sum() == pytest.approx(red.mask.sum(), rel=0.01)
    assert anchor.mattes[1].sum() == pytest.approx(blue.mask.sum(), rel=0.01)
    assert _is(anchor.picture, RED).sum() == pytest.approx(_is(rgb, RED).sum(), rel=0.03)
    # the larger one's place is not filled up by the smaller one: what is left shows the surface
    left = (blue.mask > 0) & (anchor.mattes[0] == 0)
    assert left.sum() > 300
    assert np.abs(anchor.picture[left] - GREY).mean() < 6


def test_of_several_pieces_it_changes_what_they_cover_and_leave() -> None:
    rgb, (red, blue), anchor = _swapped()
    assert np.array_equal(anchor.picture[~anchor.changed], rgb[~anchor.changed].astype(np.float32))
    assert anchor.hole[(red.mask > 0) | (blue.mask > 0)].all()
    cover = 1 - (1 - anchor.mattes[0]) * (1 - anchor.mattes[1])
    assert np.allclose(anchor.matte, cover)
    assert np.array_equal(anchor.changed, anchor.hole | (cover > 0))
    assert not anchor.shadow_before.any()
    assert not anchor.shadow_after.any()


def test_the_hole_is_that_of_every_piece_together() -> None:
    rgb, (red, blue), both = _swapped()
    holes = [build_anchor(rgb, [_to(one, dx=0.01)], shadow=False).hole for one in (red, blue)]
    assert np.array_equal(both.hole, holes[0] | holes[1])
    assert not (holes[0] & holes[1]).any()


def test_of_a_removed_object_nothing_is_left() -> None:
    rgb, (red, blue) = _scene((RED, 90, 80, 20), (BLUE, 170, 80, 15))
    anchor = build_anchor(rgb, [Piece(red, None)], shadow=False)
    assert _is(rgb, RED).sum() > 1000
    assert _is(anchor.picture, RED).sum() == 0
    redness = anchor.picture[..., 0] - anchor.picture[..., 1:].mean(-1)
    assert redness.max() < 30
    assert np.abs(anchor.picture[red.mask > 0] - GREY).mean() < 6
    assert (anchor.matte == 0).all()
    assert (anchor.mattes[0] == 0).all()
    assert np.array_equal(anchor.changed, anchor.hole)
    # the other one is as it was
    assert np.array_equal(anchor.picture[blue.mask > 0], rgb[blue.mask > 0])


def test_one_goes_and_the_other_takes_its_place() -> None:
    rgb, (red, blue) = _scene((RED, 60, 80, 18), (BLUE, 160, 80, 18))
    anchor = build_anchor(rgb, [Piece(red, None), _to(blue, dx=-100 / W)], shadow=False)
    assert _is(anchor.picture, RED).sum() == 0
    assert _centroid(_is(anchor.picture, BLUE)) == pytest.approx((60, 80), abs=0.5)
    assert (anchor.mattes[0] == 0).all()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("front", ["red", "blue"])
def test_what_stands_lower_is_in_front(order: tuple[int, int], front: str) -> None:
    low = {"red": 0.06, "blue": 0.0} if front == "red" else {"red": 0.0, "blue": 0.06}
    rgb, found = _scene((RED, 50, 70, 20), (BLUE, 190, 70, 20))
    # both come to the middle of the frame
    pieces = [_to(found[0], dx=70 / W, dy=low["red"]), _to(found[1], dx=-70 / W, dy=low["blue"])]
    anchor = build_anchor(rgb, [pieces[k] for k in order], shadow=False)
    both = (anchor.mattes[0] > 0.99) & (anchor.mattes[1] > 0.99)
    assert both.sum() > 500
    assert _is(anchor.picture, RED if front == "red" else BLUE)[both].all()


def test_the_foot_counts_and_not_the_middle() -> None:
    """A tall object whose middle is higher stands lower."""
    rgb, (small, _) = _scene((RED, 50, 90, 12), (BLUE, 190, 70, 12))
    tall = np.zeros((H, W), np.float32)
    tall[30:130, 180:200] = 1
    rgb[tall > 0] = BLUE
    pieces = [_to(small, dx=70 / W), _to(from_mask(rgb, tall), dx=-70 / W)]
    anchor = build_anchor(rgb, pieces, shadow=False)
    both = (anchor.mattes[0] > 0.99) & (anchor.mattes[1] > 0.99)
    assert both.sum() > 100
    assert _is(anchor.picture, BLUE)[both].all()
    # made larger about its middle, the small one stands lower
    pieces[0] = _to(small, dx=70 / W, scale=3.6)
    anchor = build_anchor(rgb, pieces, shadow=False)
    both = (anchor.mattes[0] > 0.99) & (anchor.mattes[1] > 0.99)
    assert _is(anchor.picture, RED)[both].all()


def test_a_piece_of_another_picture_is_laid_down_and_nothing_is_taken_up() -> None:
    rgb, (red,) = _scene((RED, 60, 60, 16))
    source, (blue,) = _scene((BLUE, 150, 90, 20))
    source[:, :100] = (0, 255, 0)
    anchor = build_anchor(rgb, [Piece(blue, Transform(), source)], shadow=False)
    assert not anchor.hole.any()
    assert np.array_equal(anchor.changed, blue.mask > 0)
    assert np.array_equal(anchor.picture[blue.mask == 1], source[blue.mask == 1])
    assert np.array_equal(anchor.picture[blue.mask == 0], rgb[blue.mask == 0])
    share = (blue.mask > 0) & (blue.mask < 1)
    weight = blue.mask[share][:, None]
    own = foreground(source, blue.mask)
    mixed = rgb[share] * (1 - weight) + own[share] * weight
    assert np.abs(anchor.picture[share] - mixed).max() < 1e-3
    assert _is(anchor.picture, RED).sum() == _is(rgb, RED).sum() > 0
    assert (red.mask[anchor.changed] == 0).all()


def test_a_pasted_piece_brings_its_shadow() -> None:
    rgb, _ = _scene()
    source, (blue,) = _scene((BLUE, 110, 70, 20))
    rows, columns = np.mgrid[:H, :W]
    shade = (((columns - 135) / 28) ** 2 + ((rows - 88) / 8) ** 2 < 1) & ~blue.hard
    source[shade] = (source[shade] * 0.55).astype(np.uint8)
    anchor = build_anchor(rgb, [Piece(blue, Transform(), source)])
    core = cv2.erode(shade.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert anchor.picture[core].mean() < 0.8 * GREY
    assert anchor.shadow_after[core].mean() > 0.5
    assert not anchor.shadow_before.any()
    assert not anchor.hole.any()


def test_a_dark_neighbour_is_no_shadow_of_a_swapped_one() -> None:
    """What belongs to one piece is not taken along with the other."""
    rgb, (red, dark) = _scene((RED, 100, 80, 18), ((40, 40, 40), 136, 88, 17))
    anchor = build_anchor(rgb, [_to(red, dy=0.25), _to(dark, dx=0.2)])
    assert not (anchor.shadow_before & cv2.erode(dark.mask, np.ones((5, 5))).astype(bool)).any()


_FOOT = 100
_MIRRORED = {"mirrored": True}
_UPSIDE_DOWN = {"mirrored": True, "angle": 180}


def _jug() -> Location:
    """A body that stands on x = 90 to 110, with a handle at its right; its centroid is (102.5, 84.5)."""
    mask = np.zeros((H, W), np.float32)
    mask[70:_FOOT, 90:110] = mask[76:88, 110:120] = 1
    return Location(None, mask, mask, 1.0, "mask")


def _cast(loss: np.ndarray, light: np.ndarray) -> Cast:
    shadow = Shadow(loss.max(-1) > 0, loss.astype(np.float32), loss.astype(np.float32))
    return Cast(shadow, Reflection(light.max(-1) > 0, light.astype(np.float32)))


@pytest.mark.parametrize(
    ("to", "shift"), [(_MIRRORED, (5, 0)), (_UPSIDE_DOWN, (0, -1)), (_MIRRORED | {"dx": 40 / W}, (45, 0))]
)
def test_a_mirrored_objects_shadow_is_shifted_with_its_foot(
    to: dict[str, Any], shift: tuple[int, int]
) -> None:
    """The lamp has not moved: a shadow that fell to the right still does."""
    location, loss = _jug(), np.zeros((H, W, 3))
    loss[94:102, 108:140] = np.linspace(0.6, 0.1, 32)[:, None]
    transform = Transform(centre=location.centroid, **to)
    cast = _cast(loss, np.zeros_like(loss)).moved(location, transform, (W, H))
    np.testing.assert_allclose(cast.shadow.loss, np.roll(loss, shift, (1, 0)), atol=1e-5)


@pytest.mark.parametrize("to", [_MIRRORED, _UPSIDE_DOWN])
def test_a_mirrored_objects_reflection_is_the_mirrored_objects(to: dict[str, Any]) -> None:
    """It is the object seen from below, wherever the light comes from."""
    location = _jug()
    look = np.random.default_rng(0).uniform(20, 60, (H, W, 3)) * location.mask[..., None]
    transform = Transform(centre=location.centroid, **to)
    flipped = carried(look, transform)
    foot = np.flatnonzero((flipped > 1).any((1, 2)))[-1] + 1
    cast = _cast(np.zeros_like(look), _below(look, _FOOT)).moved(location, transform, (W, H))
    np.testing.assert_allclose(cast.reflection.light, _below(flipped, foot), atol=1e-3)


def _below(look: np.ndarray, foot: int) -> np.ndarray:
    """The mirror image of what is above a row, below it."""
    image = np.zeros_like(look)
    rows = np.arange(foot, min(2 * foot, H))
    image[rows] = look[2 * foot - 1 - rows]
    return image


def test_a_flipped_objects_shadow_stays_on_the_side_away_from_the_light() -> None:
    location = _jug()
    rgb = GREY + np.random.default_rng(0).normal(0, 3, (H, W, 3))
    rows, columns = np.mgrid[:H, :W] + 0.5
    dark = ((columns - 116) / 26) ** 2 + ((rows - 98) / 7) ** 2 < 1
    rgb[dark] *= 0.6
    rgb[location.hard] = RED
    rgb = rgb.clip(0, 255).round().astype(np.uint8)
    anchor = build_anchor(rgb, [_to(location, mirrored=True)])
    bare = anchor.matte == 0
    left = (columns > 60) & (columns < 82) & (np.abs(rows - 98) < 5) & bare
    right = (columns > 120) & (columns < 138) & (np.abs(rows - 98) < 3) & bare
    assert anchor.picture[left].mean() == pytest.approx(GREY, abs=4)
    assert anchor.picture[right].mean() < 0.75 * GREY
    assert not _is(anchor.picture, RED)[bare].any()
