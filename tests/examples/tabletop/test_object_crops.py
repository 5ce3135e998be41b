from __future__ import annotations

import numpy as np
import pytest

from examples.tabletop.frames import Frame
from examples.tabletop.object_crops import (
    NOTHING,
    SIDE,
    Crop,
    ObjectCrops,
    cut,
    overlap,
    square,
)

BOXES = {"mug": (40, 60, 50, 70), "bowl": (150, 140, 60, 40)}  # left, top, width, height
SHADES = {"mug": (220, 30, 30), "bowl": (30, 30, 220)}
GROUND = (128, 128, 128)


def frame() -> Frame:
    image, instances = np.full((256, 256, 3), GROUND, np.uint8), np.zeros((256, 256), np.uint8)
    for k, (noun, (left, top, width, height)) in enumerate(BOXES.items(), 1):
        place = np.s_[top : top + height, left : left + width]
        image[place], instances[place] = SHADES[noun], k
    objects = [{"noun": "mug", "colour": "red"}, {"noun": "bowl", "colour": None}]
    return Frame(image, instances, {"objects": objects, "surface": "plain"})


@pytest.fixture
def crops() -> ObjectCrops:
    return ObjectCrops([frame()])


def share(crop: Crop, noun: str) -> float:
    """Of a crop's pixels, how many have the object's hue."""
    pixels = crop.pixels.astype(int)
    strong, weak = (0, 2) if noun == "mug" else (2, 0)
    return float((pixels[..., strong] - pixels[..., weak] > 60).mean())


def test_a_square_is_about_the_middle_within_the_picture() -> None:
    assert square((40, 60, 50, 70), 0.0, 256) == (30, 60, 70)
    assert square((40, 60, 50, 70), 0.2, 256) == (23, 53, 84)
    assert square((40, 60, 50, 70), 0.0, 256, (0.5, -0.5)) == (65, 25, 70)
    assert square((0, 0, 20, 100), 0.0, 256) == (0, 0, 100)
    assert square((230, 250, 26, 6), 0.5, 256) == (217, 217, 39)
    assert square((0, 0, 300, 300), 0.4, 256) == (0, 0, 256)


def test_overlap_is_intersection_over_union() -> None:
    assert overlap((0, 0, 10), (0, 0, 10)) == 1
    assert overlap((0, 0, 10), (20, 0, 10)) == 0
    assert overlap((0, 0, 10), (5, 0, 10)) == pytest.approx(50 / 150)
    assert overlap((0, 0, 20), (5, 5, 10)) == pytest.approx(100 / 400)


@pytest.mark.parametrize("side", [40, 96, 200])
def test_a_cut_shows_the_box_and_nothing_else(side: int) -> None:
    image = np.zeros((256, 256, 3), np.uint8)
    image[20 : 20 + side, 30 : 30 + side] = 200
    assert (cut(image, (30, 20, side)) == 200).all()
    assert cut(image, (30, 20, side)).shape == (SIDE, SIDE, 3)
    image[20 : 20 + side // 2, 30 : 30 + side] = 100
    half = cut(image, (30, 20, side))[..., 0].astype(float)
    assert (half[:46] == 100).all()
    assert (half[50:] == 200).all()


def test_an_object_fills_its_plain_crop(crops: ObjectCrops) -> None:
    assert [(thing.noun, thing.colour, thing.bounds) for thing in crops.things] == [
        ("mug", "red", BOXES["mug"]),
        ("bowl", None, BOXES["bowl"]),
    ]
    for thing in crops.things:
        crop = crops.plain(thing)
        _, _, width, height = thing.bounds
        expected = width * height / max(width, height) ** 2 / 1.175**2
        assert share(crop, thing.noun) == pytest.approx(expected, rel=0.05)
        assert (crop.noun, crop.colour) == (thing.noun, thing.colour)


def test_random_crops_show_what_they_say(crops: ObjectCrops) -> None:
    rng = np.random.default_rng(0)
    drawn = [crops.draw(rng) for _ in range(400)]
    nouns = [crop.noun for crop in drawn]
    assert nouns.count(NOTHING) / 400 == pytest.approx(0.2, abs=0.06)
    assert nouns.count("mug") == pytest.approx(nouns.count("bowl"), rel=0.3)
    for crop in drawn:
        assert (crop.pixels.dtype, crop.pixels.shape) == (np.uint8, (SIDE, SIDE, 3))
        assert crop.colour == ("red" if crop.noun == "mug" else None)
        if crop.noun != NOTHING:
            other = "bowl" if crop.noun == "mug" else "mug"
            assert share(crop, crop.noun) > 0.2 > share(crop, other)
    assert not np.array_equal(drawn[0].pixels, drawn[1].pixels)


def test_an_empty_crop_is_filled_by_no_object(crops: ObjectCrops) -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        crop = crops.empty(rng)
        assert (crop.noun, crop.colour) == (NOTHING, None)
        # Background, a corner of something or something small: never an object as `plain` cuts it.
        plain = [crops.plain(thing).pixels.astype(int) for thing in crops.things]
        assert min(np.abs(crop.pixels - other).mean() for other in plain) > 15
