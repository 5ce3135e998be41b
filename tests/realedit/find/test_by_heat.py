from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit import RealEditPipeline
from realedit.errors import ObjectNotFoundError, UsageError
from realedit.find.by_hand import from_box, from_mask, from_point
from realedit.find.by_heat import closed_up, with_missed_parts
from realedit.pipeline import InvertedPhoto

PHOTOS = Path(__file__).parents[3] / "examples" / "photos"


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
    found = from_mask(rgb, given, "ball")
    assert np.array_equal(found.hard, disc)
    assert found.centroid == pytest.approx((90 / 240, 80 / 160), abs=1e-3)
    assert found.box == (70 / 240, 60 / 160, 110 / 240, 100 / 160)
    assert (found.word, found.source, found.score) == ("ball", "mask", 1.0)


def test_holes_that_are_attended_to_are_closed_and_what_a_handle_frames_is_not() -> None:
    shade, framed, bay = _disc(70, 80, 8), _disc(120, 80, 8), _disc(90, 0, 30)
    whole = _disc(95, 80, 60)
    mask = whole & ~shade & ~framed & ~bay
    heat = np.where(framed, 0.4, 1.0).astype(np.float32)
    assert np.array_equal(closed_up(mask, heat), whole & ~framed & ~bay)


def test_nothing_is_completed_to_nothing() -> None:
    rgb, disc = _scene()
    nothing = np.zeros_like(disc)
    assert not with_missed_parts(rgb, nothing, nothing.astype(np.float32), nothing).any()


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
        from_mask(_scene()[0], mask)
    assert str(caught.value) == message


def test_a_box_holds_the_object_inside_it() -> None:
    rgb, disc = _scene()
    found = from_box(rgb, (0.25, 0.3, 0.5, 0.7))
    assert _overlap(found.hard, disc) > 0.95
    assert found.source == "box"


def test_a_box_without_an_object_is_itself() -> None:
    flat = np.full((160, 240, 3), 120, np.uint8)
    found = from_box(flat, (0.25, 0.25, 0.5, 0.5))
    assert found.hard.sum() == pytest.approx(60 * 40, rel=0.1)


@pytest.mark.parametrize(
    "box", [(0.5, 0.1, 0.4, 0.6), (0.1, 0.2, 0.3, 0.2), (-0.1, 0, 0.5, 0.5), (0, 0, 1.2, 1)]
)
def test_a_box_that_is_none_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(UsageError, match=r"^a box is x0,y0,x1,y1 with 0 <= x0 < x1 <= 1"):
        from_box(_scene()[0], box)


def test_a_point_picks_the_object_under_it() -> None:
    rgb, disc = _scene()
    found = from_point(rgb, (95 / 240, 75 / 160))
    assert _overlap(found.hard, disc) > 0.95
    assert found.source == "point"


def test_a_point_on_the_background_finds_nothing() -> None:
    with pytest.raises(
        ObjectNotFoundError, match=r"^nothing at 0\.80,0\.20 stands out from its surroundings"
    ):
        from_point(_scene()[0], (0.8, 0.2))


@pytest.mark.parametrize("point", [(1.0, 0.5), (-0.1, 0.5), (0.5, 1.5)])
def test_a_point_off_the_photo_is_refused(point: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match=r"^a point is x,y with both in \[0, 1\)"):
        from_point(_scene()[0], point)


def _colourful(photo: str) -> np.ndarray:
    """The named object's own colour, bool [H, W]."""
    r, g, b = np.moveaxis(np.array(Image.open(PHOTOS / photo).convert("RGB")).astype(int), -1, 0)
    return {
        "mug.jpg": (r > 1.8 * g) & (r > 1.8 * b) & (r > 90),
        "bowl.jpg": (np.minimum(r, g) > 1.6 * b) & (r > 100),
        "bottle.jpg": (g > 1.15 * r) & (g > 1.1 * b),
    }[photo]


@pytest.fixture(scope="module")
def inverted_mug(pipeline: RealEditPipeline) -> InvertedPhoto:
    return pipeline.invert(PHOTOS / "mug.jpg", "a photo of a red mug on a wooden table")


@pytest.mark.parametrize(
    ("photo", "prompt"),
    [
        ("mug.jpg", "a photo of a red mug on a wooden table"),
        ("bowl.jpg", "a yellow bowl on a stone table"),
        ("bottle.jpg", "a green bottle on a wooden table"),
    ],
)
def test_a_word_finds_its_object(pipeline: RealEditPipeline, photo: str, prompt: str) -> None:
    word = photo.removesuffix(".jpg")
    found = pipeline.locate(PHOTOS / photo, word, prompt=prompt)
    colour = _colourful(photo)
    h, w = colour.shape
    x, y = found.centroid
    assert found.hard[int(y * h), int(x * w)]
    assert (found.hard & colour).sum() > 0.8 * colour.sum()
    assert (found.hard & colour).sum() > 0.4 * found.hard.sum()
    assert (found.word, found.source) == (word, "word")
    assert found.score > 0.85


def test_what_is_not_there_is_not_found(pipeline: RealEditPipeline, inverted_mug: InvertedPhoto) -> None:
    with pytest.raises(ObjectNotFoundError) as caught:
        pipeline.locate(inverted_mug, "zebra")
    assert caught.value.exit_code == 4
    assert str(caught.value).startswith(
        "no 'zebra' found in the photo: tabletop read 'z' + 'e' + 'br' + 'a' "
    )


def test_a_search_for_nothing_is_refused(pipeline: RealEditPipeline, inverted_mug: InvertedPhoto) -> None:
    with pytest.raises(UsageError, match=r"^what is to be found\?"):
        pipeline.locate(inverted_mug)
    with pytest.raises(UsageError, match="one of mask, box and point"):
        pipeline.locate(inverted_mug, box=(0, 0, 0.5, 0.5), point=(0.2, 0.2))


@pytest.mark.parametrize(("side", "width"), [(256, 1), (640, 1), (2000, 2), (3000, 3)])
def test_a_thin_mask_is_all_of_the_object(side: int, width: int) -> None:
    mask = np.zeros((side, side), np.uint8)
    mask[side // 4 : side // 2, side // 3 : side // 3 + width] = 255
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


@pytest.mark.parametrize(
    "prompt",
    [
        None,
        "a mug on a table",
        "a photo of a red mug on a wooden table",
        "a photo of a red mug",
        "a red mug and a blue book on a wooden table",
        "a photo of a red mug, a blue book and a white bowl on a wooden table",
        "a photo of a red mug in front of a blue book",
    ],
)
def test_a_mug_is_found_with_its_inside_and_nothing_of_the_book(
    pipeline: RealEditPipeline, prompt: str | None
) -> None:
    found = pipeline.locate(PHOTOS / "mug.jpg", "mug", prompt=prompt)
    h, w = found.mask.shape
    inside = found.hard[round(0.44 * h) : round(0.47 * h), round(0.29 * w) : round(0.32 * w)]
    assert inside.mean() > 0.9
    x0, y0, x1, y1 = found.box
    assert x0 > 0.23  # of the book behind it
    assert y0 > 0.41
    assert x1 < 0.42
    assert y1 < 0.73
