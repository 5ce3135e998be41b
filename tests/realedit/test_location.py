"""Boxes and centres of masks, in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.location import WHOLE, Location, box_of, shift_to_the_spot


def _mask() -> np.ndarray:
    mask = np.zeros((10, 20), np.float32)
    mask[2:6, 5:15] = 1
    return mask


def test_box_and_centre_are_in_fractions_of_the_frame() -> None:
    location = Location("mug", _mask(), _mask(), 1.0, "mask")
    assert location.box == pytest.approx((0.25, 0.2, 0.75, 0.6))
    assert location.centroid == pytest.approx((0.5, 0.4))
    assert location.hard.sum() == 40


def test_a_half_covered_pixel_is_in_the_box_of_a_mask_but_not_in_the_hard_mask() -> None:
    half = _mask() / 2
    assert box_of(half) == pytest.approx((0.25, 0.2, 0.75, 0.6))
    assert not Location(None, half, half, 1.0, "mask").hard.any()


def test_an_empty_mask_has_no_box() -> None:
    nothing = np.zeros((4, 4), np.float32)
    assert box_of(nothing) is None
    assert Location(None, nothing, nothing, 1.0, "mask").box == (0, 0, 0, 0)
    assert box_of(np.ones((4, 4), np.float32)) == WHOLE


def test_a_shift_leads_from_foot_to_foot() -> None:
    assert shift_to_the_spot((0, 0, 0.2, 0.4), (0.5, 0.5, 0.9, 0.6)) == pytest.approx((0.6, 0.2))
