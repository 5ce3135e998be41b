"""Parts of photos: where they lie, and what is found in them put back."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.locate import Location
from realedit.nearer import Part, part_about

PHOTO = (240, 320)  # height, width


def _heat(x: float, y: float, radius: float, cells: tuple[int, int] = (30, 40)) -> np.ndarray:
    """A Gaussian about (x, y), all in pixels of the photo."""
    cell = PHOTO[0] / cells[0]
    rows, columns = np.mgrid[: cells[0], : cells[1]]
    distance = np.hypot((columns + 0.5) * cell - x, (rows + 0.5) * cell - y)
    return np.exp(-((distance / radius) ** 2)).astype(np.float32)


@pytest.mark.parametrize("place", [(160, 120), (12, 10), (310, 230)])
def test_a_part_holds_what_is_hot_and_lies_in_the_frame(place: tuple[int, int]) -> None:
    part = part_about(_heat(*place, radius=14), PHOTO)
    assert part is not None
    assert 0 <= part.x <= place[0] < part.x + part.side <= PHOTO[1]
    assert 0 <= part.y <= place[1] < part.y + part.side <= PHOTO[0]


def test_it_is_as_many_times_as_wide_as_what_is_hot_and_about_it() -> None:
    radius = 20 / np.sqrt(-np.log(0.4))  # the heat is 0.4 at twenty pixels
    part = part_about(_heat(150, 110, radius, (120, 160)), PHOTO)
    assert part is not None
    assert part.side == pytest.approx(100, abs=4)
    assert part.x + part.side / 2 == pytest.approx(150, abs=2)
    assert part.y + part.side / 2 == pytest.approx(110, abs=2)


def test_it_is_never_tiny_and_of_what_is_large_there_is_none() -> None:
    tiny = part_about(_heat(160, 120, 2, (120, 160)), PHOTO)
    assert tiny is not None
    assert tiny.side == 60
    assert part_about(_heat(160, 120, 100), PHOTO) is None


def test_what_is_found_is_put_back_where_it_was() -> None:
    part = Part(100, 60, 80)
    inside = np.zeros((80, 80), np.float32)
    inside[20:40, 10:30] = 1
    heat = np.zeros((16, 16), np.float32)
    heat[4:8, 2:6] = 1
    found = part.put_back(Location("mug", inside, heat, 0.7, "word"), PHOTO)
    assert found.mask.shape == PHOTO
    assert found.box == pytest.approx((110 / 320, 80 / 240, 130 / 320, 100 / 240))
    assert np.array_equal(part.cut(found.mask), inside)
    assert found.mask.sum() == inside.sum()
    assert (found.word, found.score, found.source) == ("mug", 0.7, "word")
    rows, columns = np.nonzero(found.heat > 0.5)
    height, width = found.heat.shape
    assert (columns.min() / width, (columns.max() + 1) / width) == pytest.approx((110 / 320, 130 / 320))
    assert (rows.min() / height, (rows.max() + 1) / height) == pytest.approx((80 / 240, 100 / 240))


def test_a_whole_photos_heat_is_cut_as_the_photo_is() -> None:
    part, place = Part(100, 60, 80), (140, 90)
    cut = part.cut_heat(_heat(*place, radius=12), PHOTO, (20, 20))
    assert cut.shape == (20, 20)
    row, column = np.unravel_index(cut.argmax(), cut.shape)
    assert (column + 0.5) * 4 + part.x == pytest.approx(place[0], abs=4)
    assert (row + 0.5) * 4 + part.y == pytest.approx(place[1], abs=4)
