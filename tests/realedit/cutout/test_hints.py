"""What hints look like to the network, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.cutout.hints import CHANNELS, WHOLE, Hint
from realedit.errors import UsageError

H, W = 60, 80


def test_a_point_is_brightest_at_its_cell_and_falls_with_distance() -> None:
    maps = Hint(positive=(((20 + 0.5) / W, (30 + 0.5) / H),)).maps(H, W)
    assert maps.shape == (CHANNELS, H, W)
    assert np.unravel_index(maps[0].argmax(), (H, W)) == (30, 20)
    assert maps[0, 30, 20] == pytest.approx(1)
    # 0.15 of the longer side, 12 cells away
    assert maps[1, 30, 32] == pytest.approx(np.exp(-1), rel=1e-3)
    assert maps[0, 30, 32] < 1e-6
    assert not maps[2:8].any()


def test_of_two_points_each_place_sees_the_nearer() -> None:
    one, other = (0.2, 0.3), (0.7, 0.8)
    both = Hint(positive=(one, other)).maps(H, W)
    apart = [Hint(positive=(point,)).maps(H, W) for point in (one, other)]
    np.testing.assert_allclose(both, np.maximum(*apart), atol=1e-6)


def test_negative_points_have_channels_of_their_own() -> None:
    point = ((0.4, 0.4),)
    told = Hint(positive=((0.9, 0.9),), negative=point).maps(H, W)
    np.testing.assert_array_equal(told[2:4], Hint(positive=point).maps(H, W)[:2])


def test_a_box_covers_its_area_and_peaks_in_its_middle() -> None:
    maps = Hint(box=(0.25, 0.2, 0.75, 0.7)).maps(H, W)
    assert maps[4].sum() == pytest.approx(0.5 * 0.5 * H * W, rel=0.03)
    assert np.unravel_index(maps[5].argmax(), (H, W))[0] == pytest.approx(0.45 * H, abs=1)
    assert maps[4, 0, 0] == 0
    assert maps[4, int(0.45 * H), int(0.5 * W)] == 1


def test_a_box_thinner_than_a_cell_is_still_seen() -> None:
    assert Hint(box=(0.5, 0.1, 0.503, 0.9)).maps(H, W)[4].max() > 0.2


def test_only_what_is_given_is_marked_as_given() -> None:
    rough = np.ones((7, 9))
    cases = [Hint(((0.5, 0.5),)), Hint(box=WHOLE), Hint(mask=rough), Hint(heat=rough)]
    given = np.stack([hint.maps(H, W)[8:, 0, 0] for hint in cases])
    np.testing.assert_array_equal(given, np.eye(4))


def test_a_heat_counts_from_its_maximum() -> None:
    heat = np.zeros((6, 8))
    heat[2, 3] = 0.02
    assert Hint(heat=heat).maps(6, 8)[7].max() == pytest.approx(1)


def test_a_window_shows_the_same_places() -> None:
    window = (0.25, 0.5, 0.75, 1.0)
    hint = Hint(((0.5, 0.75),), ((0.1, 0.1), (0.3, 0.6)), box=(0.3, 0.1, 0.6, 0.8))
    near = hint.within(window)
    assert near.positive == ((0.5, 0.5),)
    np.testing.assert_allclose(near.negative, [(0.1, 0.2)])
    assert near.box == pytest.approx((0.1, 0.0, 0.7, 0.6))


def test_a_window_of_a_mask_is_its_part() -> None:
    mask = np.arange(48.0).reshape(6, 8) / 48
    near = Hint(mask=mask).within((0.25, 0.5, 0.75, 1.0))
    assert near.mask is not None
    np.testing.assert_array_equal(near.mask, mask[3:6, 2:6])


def test_the_whole_photo_is_a_window_that_changes_nothing() -> None:
    hint = Hint(((0.3, 0.3),), ((0.6, 0.1),), (0.1, 0.2, 0.5, 0.9), np.eye(5), np.eye(4))
    np.testing.assert_allclose(hint.within(WHOLE).maps(H, W), hint.maps(H, W))


def test_a_box_outside_the_window_is_no_box_of_it() -> None:
    assert Hint(box=(0.0, 0.0, 0.2, 0.2)).within((0.5, 0.5, 1, 1)).box is None


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (Hint(), "nothing says where the thing is"),
        (Hint(negative=((0.5, 0.5),)), "nothing says where the thing is"),
        (Hint(((1.2, 0.5),)), "the point (1.2, 0.5) is not in the photo"),
        (Hint(box=(0.5, 0.1, 0.4, 0.9)), "the box (0.5, 0.1, 0.4, 0.9) is none of the photo"),
    ],
)
def test_what_says_nothing_is_refused(hint: Hint, words: str) -> None:
    with pytest.raises(UsageError, match="^" + words.replace("(", r"\(").replace(")", r"\)")):
        hint.checked()
