"""Masks compared, in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from realedit.bench.metrics.geometry import centroid_error, iou, size_ratio


def box(x: int, y: int, w: int, h: int) -> np.ndarray:
    mask = np.zeros((50, 100), bool)
    mask[y : y + h, x : x + w] = True
    return mask


def test_centroid_error_is_in_widths_on_both_axes() -> None:
    assert centroid_error(box(30, 10, 10, 10), box(33, 14, 10, 10)) == pytest.approx(math.hypot(3, 4) / 100)
    assert centroid_error(box(30, 10, 10, 10), box(30, 10, 10, 10)) == 0


def test_size_ratio_is_one_of_lengths() -> None:
    assert size_ratio(box(0, 0, 20, 20), box(0, 0, 10, 10)) == pytest.approx(2)


def test_iou_of_half_overlapping_boxes() -> None:
    assert iou(box(0, 0, 10, 10), box(5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert iou(box(0, 0, 10, 10), box(50, 0, 10, 10)) == 0
