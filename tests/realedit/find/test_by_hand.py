"""What the user shows: a mask, a box or a point to the object in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from realedit import RealEditPipeline
from realedit.edits.kinds import Remove
from realedit.edits.prepared import Shown, points_of
from realedit.errors import ObjectNotFoundError, UnsureError, UsageError
from realedit.find.by_cutout import Cutter
from realedit.find.by_hand import from_mask, shown_location
from realedit.location import Location
from realedit.photo import Photo
from realedit.photo.inputs import as_photo
from realedit.pixels.masks import grow

CUTTER = Cutter()


def _disc(x: float, y: float, r: float, h: int = 160, w: int = 240) -> np.ndarray:
    rows, columns = np.mgrid[:h, :w] + 0.5
    return np.hypot(columns - x, rows - y) < r


def _scene() -> tuple[np.ndarray, np.ndarray]:
    disc = _disc(90, 80, 20)
    rgb = np.where(disc[..., None], (210, 40, 30), (120, 140, 130)).astype(float)
    return (rgb + np.random.default_rng(0).normal(0, 3, rgb.shape)).clip(0, 255).astype(np.uint8), disc


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("form", ["uint8", "bool", "float", "rgb", "ones"])
def test_a_mask_is_taken_in_any_form(form: str) -> None:
    rgb, disc = _scene()
    given = {
        "uint8": disc.astype(np.uint8) * 255,
        "bool": disc,
        "float": disc.astype(float),
        "rgb": np.repeat(disc[..., None].astype(np.uint8) * 255, 3, -1),
        "ones": disc.astype(np.uint8),
    }[form]
    photo = as_photo(rgb)
    found = shown_location(CUTTER, photo, Shown.read(photo, mask=given), "ball")
    assert found is not None
    assert np.array_equal(found.hard, disc)
    assert found.centroid == pytest.approx((90 / 240, 80 / 160), abs=1e-3)
    assert found.box == (70 / 240, 60 / 160, 110 / 240, 100 / 160)
    assert (found.word, found.source, found.score) == ("ball", "mask", 1.0)


def test_soft_edges_are_kept() -> None:
    rgb, disc = _scene()
    soft = np.where(disc, 1.0, np.where(_disc(90, 80, 24), 0.3, 0.0)).astype(np.float32)
    assert np.array_equal(from_mask(rgb, soft).mask, soft)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((160, 240)), "the mask selects nothing; paint the object white on black"),
        (np.ones((160, 240)), "the mask selects everything; paint the object white on black"),
        (np.ones((80, 100)), "the mask is 100 x 80 but the photo is 240 x 160; draw it at the photo's size"),
    ],
)
def test_a_mask_that_is_none_is_refused(mask: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Shown.read(as_photo(_scene()[0]), mask=mask)
    assert str(caught.value) == message


@pytest.mark.parametrize(("side", "width"), [(256, 1), (640, 1), (2000, 2), (3000, 3)])
def test_a_thin_mask_is_all_of_the_object(side: int, width: int) -> None:
    mask = np.zeros((side, side), np.float32)
    mask[side // 4 : side // 2, side // 3 : side // 3 + width] = 1
    location = from_mask(np.full((side, side, 3), 90, np.uint8), mask)
    assert location.hard[mask > 0].all()


def test_a_network_s_mask_is_nothing_where_it_is_next_to_nothing() -> None:
    mask = np.full((40, 60), 1e-3, np.float32)
    mask[10:20, 10:30] = 0.999
    mask[9, 10:30] = 0.4
    location = from_mask(np.full((40, 60, 3), 90, np.uint8), mask)
    assert location.mask[30, 50] == 0
    assert location.mask[15, 15] == 1
    assert location.mask[9, 15] == pytest.approx(0.4)


def test_a_box_holds_the_object_inside_it() -> None:
    rgb, disc = _scene()
    found = CUTTER.by_box(rgb, (0.25, 0.3, 0.5, 0.7))
    assert _overlap(found.hard, disc) > 0.95
    assert found.source == "box"


def test_a_box_without_an_object_is_itself() -> None:
    flat = np.full((160, 240, 3), 120, np.uint8)
    found = CUTTER.by_box(flat, (0.25, 0.25, 0.5, 0.5))
    assert found.hard.sum() == pytest.approx(60 * 40, rel=0.1)


@pytest.mark.parametrize(
    "box", [(0.5, 0.1, 0.4, 0.6), (0.1, 0.2, 0.3, 0.2), (-0.1, 0, 0.5, 0.5), (0, 0, 1.2, 1)]
)
def test_a_box_that_is_none_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(UsageError, match=r"^a box is x0,y0,x1,y1 with 0 <= x0 < x1 <= 1"):
        CUTTER.by_box(_scene()[0], box)


def test_a_point_picks_the_object_under_it() -> None:
    rgb, disc = _scene()
    found = CUTTER.by_point(rgb, (95 / 240, 75 / 160))
    assert _overlap(found.hard, disc) > 0.95
    assert found.source == "point"


def test_a_point_on_the_background_finds_nothing() -> None:
    with pytest.raises(
        ObjectNotFoundError, match=r"^nothing at 0\.80,0\.20 stands out from its surroundings"
    ):
        CUTTER.by_point(_scene()[0], (0.8, 0.2))


@pytest.mark.parametrize("point", [(1.0, 0.5), (-0.1, 0.5), (0.5, 1.5)])
def test_a_point_off_the_photo_is_refused(point: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match=r"^a point is x,y with both in \[0, 1\)"):
        CUTTER.by_point(_scene()[0], point)


def test_a_search_for_nothing_is_refused(pipeline: RealEditPipeline) -> None:
    with pytest.raises(UsageError, match=r"^what is to be found\?"):
        pipeline.locate(_scene()[0])


def _two_discs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    one, other = _disc(70, 80, 20), _disc(160, 80, 24)
    rgb = np.where(one[..., None], (210, 40, 30), (120, 140, 130)).astype(float)
    rgb = np.where(other[..., None], (200, 60, 40), rgb)
    return (rgb + np.random.default_rng(0).normal(0, 3, rgb.shape)).clip(0, 255).astype(np.uint8), one, other


def test_points_and_a_box_show_one_object_together(pipeline: RealEditPipeline) -> None:
    rgb, one, other = _two_discs()
    first, second = (70 / 240, 80 / 160), (160 / 240, 80 / 160)
    both = pipeline.locate(rgb, point=[first, second])
    assert both.source == "point"
    assert _overlap(both.hard, one | other) > 0.9
    wide = (0.1, 0.2, 0.9, 0.8)
    alone = pipeline.locate(rgb, box=wide, point=first, not_point=second)
    assert alone.source == "box"
    assert _overlap(alone.hard, one) > 0.9
    assert not alone.hard[other].any()


def test_what_shows_contradicting_places_is_refused(pipeline: RealEditPipeline) -> None:
    rgb, one, _ = _two_discs()
    with pytest.raises(UsageError, match="a mask contradicts a box or a point"):
        pipeline.locate(rgb, mask=one, point=(0.2, 0.2))
    with pytest.raises(UsageError, match="points off the object do not show it"):
        pipeline.locate(rgb, not_point=(0.2, 0.2))
    for wrong in ((0.1, 0.2, 0.3), [(0.1, 0.2), (0.3,)], "here", 0.5, [[[0.1, 0.2]]]):
        with pytest.raises(UsageError, match="a point is x,y, or a list of them"):
            points_of(wrong)  # pyright: ignore[reportArgumentType] - that it is wrong is the point
    with pytest.raises(UsageError, match=r"a point is x,y with both in \[0, 1\)"):
        pipeline.locate(rgb, point=[(0.2, 0.5), (0.2, 1.5)])


@pytest.mark.parametrize(
    ("given", "points"),
    [
        (None, ()),
        ([], ()),
        ((0.1, 0.2), ((0.1, 0.2),)),
        ([0.1, 0.2], ((0.1, 0.2),)),
        ([(0.1, 0.2), (0.3, 0.4)], ((0.1, 0.2), (0.3, 0.4))),
        (np.array([[0, 1]]), ((0.0, 1.0),)),
    ],
)
def test_one_point_or_several_are_taken(given: Any, points: tuple[tuple[float, float], ...]) -> None:
    assert points_of(given) == points


def test_what_is_less_sure_than_asked_for_is_refused(pipeline: RealEditPipeline) -> None:
    rgb, one, _ = _two_discs()
    point = (70 / 240, 0.5)
    found = pipeline.locate(rgb, "ball", point=point)
    assert 0 < found.confidence < 1
    least = found.confidence
    assert pipeline.locate(rgb, "ball", point=point, min_confidence=least).confidence == least
    above = least + 0.01
    with pytest.raises(UnsureError, match=rf"^it is not sure enough .*'ball': confidence {least:.2f}"):
        pipeline.locate(rgb, "ball", point=point, min_confidence=above)
    with pytest.raises(UnsureError) as caught:
        pipeline.edit(rgb, Remove("ball"), point=point, min_confidence=above)
    assert caught.value.exit_code == ObjectNotFoundError.exit_code
    # what the user draws is meant
    assert pipeline.locate(rgb, mask=one, min_confidence=1).confidence == 1
    with pytest.raises(UsageError, match=r"min_confidence must lie in \[0, 1\]"):
        pipeline.locate(rgb, point=point, min_confidence=1.5)


CASES = Path(__file__).parents[3] / "examples" / "cases"


@pytest.fixture
def case() -> tuple[Photo, np.ndarray]:
    """A photo, and the true mask of its object."""
    with Image.open(CASES / "000_mask.webp") as mask:
        return as_photo(CASES / "000_photo.webp"), np.asarray(mask.convert("L")) > 127


def _by_mask(photo: Photo, mask: np.ndarray, refine: bool | None = None) -> Location:
    found = shown_location(CUTTER, photo, Shown.read(photo, mask=mask, refine=refine), None)
    assert found is not None
    return found


def test_a_precise_mask_stays_as_it_is(case: tuple[Photo, np.ndarray]) -> None:
    photo, mask = case
    found = _by_mask(photo, mask)
    assert np.array_equal(found.mask, from_mask(photo.rgb, mask.astype(np.float32)).mask)
    assert np.array_equal(found.hard, mask)
    assert found.warning is None


def test_a_rough_mask_is_brought_to_the_photos_edges(case: tuple[Photo, np.ndarray]) -> None:
    photo, mask = case
    rough = grow(mask, 0.12 * np.sqrt(mask.sum()))
    before = _overlap(rough, mask)
    found = _by_mask(photo, rough)
    assert before < 0.75
    assert _overlap(found.hard, mask) > before + 0.15
    assert found.confidence == 1
    assert found.warning is not None
    assert "--no-refine keeps it" in found.warning
    kept = _by_mask(photo, rough, refine=False)
    assert np.array_equal(kept.hard, rough)
    assert kept.warning is None


def test_a_soft_matte_stays_unless_refinement_is_asked_for(case: tuple[Photo, np.ndarray]) -> None:
    photo, mask = case
    soft = cv2.GaussianBlur(grow(mask, 6).astype(np.float32), (0, 0), 3)
    kept = _by_mask(photo, soft)
    edge = (soft > 0.02) & (soft < 0.98)
    assert np.array_equal(kept.mask[edge], soft[edge])
    asked = _by_mask(photo, soft, refine=True)
    assert asked.warning is None
    assert _overlap(asked.hard, mask) > _overlap(soft > 0.5, mask) + 0.05


def test_a_mask_that_the_network_takes_for_another_thing_stays(case: tuple[Photo, np.ndarray]) -> None:
    """A grid of dots over the whole photo is no thing."""
    photo, _ = case
    dots = np.zeros(photo.rgb.shape[:2], bool)
    dots[8::24, 8::24] = True
    dots = grow(dots, 2)
    assert np.array_equal(_by_mask(photo, dots).hard, dots)
    asked = _by_mask(photo, dots, refine=True)
    assert np.array_equal(asked.hard, dots)
    assert asked.warning == "the cut-out network takes the mask for another thing: it was left as it is"
