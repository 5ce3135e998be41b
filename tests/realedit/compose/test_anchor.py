from __future__ import annotations

import cv2
import numpy as np
import pytest

from guidance import Transform
from realedit.compose.anchor import Anchor, build_anchor
from realedit.compose.hole import small_copy
from realedit.compose.piece import Piece
from realedit.find.by_hand import from_mask
from realedit.location import Location
from realedit.pixels.like_places import steps_to_like_places
from realedit.pixels.patch_completion import Completion

COLOUR = (210, 40, 30)


def _scene(
    h: int = 160, w: int = 240, x: float = 90, y: float = 80, r: float = 20
) -> tuple[np.ndarray, Location]:
    """A red disc on grained grey."""
    rows, columns = np.mgrid[:h, :w]
    disc = np.hypot(columns + 0.5 - x, rows + 0.5 - y) < r
    rgb = 130 + np.random.default_rng(0).normal(0, 3, (h, w, 3))
    rgb[disc] = COLOUR
    rgb = rgb.clip(0, 255).round().astype(np.uint8)
    return rgb, from_mask(rgb, disc.astype(np.float32))


def _centroid(weight: np.ndarray) -> tuple[float, float]:
    """(x, y) in pixels."""
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    return (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()


def _redness(picture: np.ndarray) -> np.ndarray:
    return (picture[..., 0] - picture[..., 1] > 85).astype(float)


def _piece(
    location: Location, *, dx: float = 0.0, dy: float = 0.0, scale: float = 1.0, angle: float = 0.0
) -> Piece:
    return Piece(location, Transform(dx, dy, scale, angle, location.centroid))


def _build(rgb: np.ndarray, location: Location, **to: float) -> Anchor:
    return build_anchor(rgb, [_piece(location, **to)], shadow=False)


@pytest.mark.parametrize(
    "to", [{"dx": 0.3}, {"dx": -0.12, "dy": 0.2}, {"scale": 1.6}, {"dx": 0.237, "scale": 0.6}]
)
@pytest.mark.parametrize("shadow", [True, False])
def test_outside_what_it_changes_it_is_the_photo_to_the_bit(to: dict[str, float], shadow: bool) -> None:
    rgb, location = _scene()
    anchor = build_anchor(rgb, [_piece(location, **to)], shadow=shadow)
    assert np.array_equal(anchor.picture[~anchor.changed], rgb[~anchor.changed].astype(np.float32))
    assert anchor.changed.mean() < 0.3


@pytest.mark.parametrize(("dx", "dy"), [(0.3, 0.0), (0.237, -0.113), (-0.1, 0.2)])
def test_the_object_arrives_to_half_a_pixel(dx: float, dy: float) -> None:
    rgb, location = _scene()
    h, w = rgb.shape[:2]
    anchor = _build(rgb, location, dx=dx, dy=dy)
    expected = 90 + dx * w, 80 + dy * h
    for weight in (anchor.matte, _redness(anchor.picture)):
        assert _centroid(weight) == pytest.approx(expected, abs=0.5)
    inside = cv2.erode((anchor.matte > 0.99).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert np.abs(anchor.picture[inside] - COLOUR).max() < 2


@pytest.mark.parametrize("scale", [0.5, 1.5, 2.0])
def test_the_area_grows_by_the_square_of_the_scale(scale: float) -> None:
    rgb, location = _scene()
    anchor = _build(rgb, location, scale=scale)
    assert anchor.matte.sum() == pytest.approx(scale**2 * location.mask.sum(), rel=0.05)
    assert _redness(anchor.picture).sum() == pytest.approx(
        scale**2 * _redness(rgb.astype(float)).sum(), rel=0.05
    )
    assert _centroid(anchor.matte) == pytest.approx((90, 80), abs=0.5)


def test_the_hole_is_filled_with_the_surface() -> None:
    rgb, location = _scene()
    anchor = _build(rgb, location, dx=0.3)
    assert anchor.hole[location.mask > 0].all()
    assert np.abs(anchor.picture[location.mask > 0] - 130).mean() < 6
    assert _redness(anchor.picture)[:, :120].sum() == 0


def test_another_filling_fills_the_hole_and_its_grain_is_the_photos_own() -> None:
    rgb, location = _scene(1280, 1920, 720, 640, 160)
    given: list[tuple[int, ...]] = []

    def flat(small: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None) -> Completion:
        given.append(small.shape)
        picture = np.where(hole[..., None], np.uint8(130), small)
        return Completion(picture, steps_to_like_places(picture, hole, forbidden), np.zeros(hole.shape))

    piece = _piece(location, dx=0.4)
    filled = build_anchor(rgb, [piece], shadow=False, fill=flat).picture[location.hard]
    assert given[0][1] == 640
    assert filled.mean() == pytest.approx(130, abs=1)
    surface = rgb[:, 1300:][:300].astype(np.float32)
    assert filled.std() == pytest.approx(surface.std(), rel=0.1)


def test_a_dark_rim_that_is_no_found_shadow_does_not_darken_the_hole() -> None:
    rgb, location = _scene()
    rows, columns = np.mgrid[:160, :240]
    rim = (np.hypot(columns + 0.5 - 90, rows + 0.5 - 80) < 23) & (rows > 90)
    rgb[rim & (location.mask < 0.5)] = 60
    anchor = _build(rgb, location, dx=0.3)
    assert abs(anchor.picture[location.mask > 0].mean() - 130) < 3
    assert abs(anchor.picture[rim].mean() - 130) < 3


def test_a_dark_thing_behind_the_object_is_no_rest_of_its_shadow() -> None:
    rgb, location = _scene()
    book = np.zeros(rgb.shape[:2], bool)
    book[48:64, 60:86] = True
    book &= location.mask < 0.5
    rgb[book] = 30
    anchor = _build(rgb, location, dx=0.3)
    kept = book & (np.hypot(*(np.mgrid[:160, :240] - np.array([80, 90])[:, None, None])) > 22)
    assert np.abs(anchor.picture[kept] - 30).mean() < 25


@pytest.mark.parametrize("to", [{"dx": 0.6}, {"dx": -0.4}, {"dy": 0.55}, {"dy": -0.5}])
def test_what_leaves_the_frame_comes_in_nowhere(to: dict[str, float]) -> None:
    rgb, location = _scene()
    h, w = rgb.shape[:2]
    anchor = _build(rgb, location, **to)
    rows, columns = np.mgrid[:h, :w] + 0.5
    distance = np.hypot(columns - 90 - to.get("dx", 0) * w, rows - 80 - to.get("dy", 0) * h)
    assert 0 < (anchor.matte > 0).sum() < 0.95 * (location.mask > 0).sum()
    assert (anchor.matte[distance > 23] == 0).all()
    assert _redness(anchor.picture)[distance > 23].sum() == 0


def test_a_large_photo_keeps_the_objects_own_pixels() -> None:
    """Only the fill is made at a smaller size."""
    rgb, location = _scene(800, 1200, 450, 400, 100)
    rows = np.mgrid[:800, :1200][0]
    stripes = (rows // 2 % 2 == 0) & (location.mask == 1)
    rgb[stripes] = (150, 20, 20)
    anchor = _build(rgb, location, dx=0.25, dy=-0.1)  # 300 and 80 whole pixels
    assert np.array_equal(anchor.picture[~anchor.changed], rgb[~anchor.changed].astype(np.float32))
    source = rgb[320:480, 370:530].astype(np.float32)
    inner = (location.mask[320:480, 370:530] == 1)[..., None]
    moved = anchor.picture[240:400, 670:830]
    assert np.abs((moved - source) * inner).max() < 1
    assert np.abs(anchor.picture[location.mask > 0] - 130).mean() < 6
    assert _centroid(anchor.matte) == pytest.approx((750, 320), abs=0.5)


def test_a_shadow_goes_along() -> None:
    rgb, location = _scene(256, 384, 130, 110, 28)
    rows, columns = np.mgrid[:256, :384]

    def ellipse(x: float, y: float) -> np.ndarray:
        return ((columns - x) / 36) ** 2 + ((rows - y) / 11) ** 2 < 1

    disc = location.hard
    before, after = ellipse(160, 132) & ~disc, ellipse(160 + 96, 132)
    rgb[before] = (rgb[before] * 0.6).astype(np.uint8)
    anchor = build_anchor(rgb, [_piece(location, dx=0.25)])
    assert (anchor.shadow_before & before).sum() > 0.6 * before.sum()
    assert anchor.hole[anchor.shadow_before].all()
    cast = after & (anchor.matte == 0) & ~anchor.hole
    assert anchor.picture[cv2.erode(cast.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0].mean() < 110
    freed = before & ~after & (anchor.matte == 0)
    # the soft rim of the shadow is not all found
    assert (anchor.picture[freed].mean() - 78) / (130 - 78) > 0.65


def test_nothing_is_copied_from_another_object_and_it_stays_whole() -> None:
    rgb, location = _scene()
    forbidden = np.zeros(rgb.shape[:2], bool)
    forbidden[60:100, 113:135] = True
    rgb[forbidden] = (20, 40, 230)
    picture = build_anchor(rgb, [_piece(location, dx=-0.2)], forbidden, shadow=False).picture
    blue = picture[..., 2] - picture[..., 0] > 60
    assert np.array_equal(blue, forbidden)


def test_without_its_own_pixels_an_object_leaves_its_place_and_arrives_nowhere() -> None:
    rgb, location = _scene()
    anchor = build_anchor(rgb, [_piece(location, dx=0.3)], shadow=False, pixels=False)
    assert _redness(anchor.picture).sum() == 0
    assert anchor.matte.sum() == pytest.approx(location.mask.sum(), rel=0.02)  # it is known where it shall be


def test_without_a_fill_the_hole_holds_the_object() -> None:
    rgb, location = _scene()
    anchor = build_anchor(rgb, [_piece(location, dx=0.3)], shadow=False, fill_hole=False)
    assert _redness(anchor.picture).sum() == pytest.approx(2 * location.hard.sum(), rel=0.1)
    assert anchor.hole[location.hard].all()


@pytest.mark.parametrize("size", [(2000, 3000), (1003, 6400), (4000, 6000)])
def test_the_small_picture_that_is_filled_lies_where_the_photo_does(size: tuple[int, int]) -> None:
    height, edge = size[0], round(0.85 * size[0])
    rgb = np.zeros((*size, 3), np.uint8)
    rgb[edge:] = 200
    small = small_copy(rgb)[:, 50, 0].astype(float)
    lies = (1 - small.mean() / 200) * height
    assert lies == pytest.approx(edge, abs=0.1)
