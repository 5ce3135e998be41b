"""Outlines run where the matte ends."""

from __future__ import annotations

import numpy as np

from realedit.ui.outline import outline


def area(line: list[list[float]]) -> float:
    """Shoelace formula."""
    x, y = np.array(line).T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


def test_a_disc_is_one_line_of_its_area() -> None:
    ys, xs = np.mgrid[:300, :400]
    disc = ((xs - 200) ** 2 + (ys - 150) ** 2 < 80**2).astype(np.float32)
    (line,) = outline(disc)
    assert abs(area(line) * 400 * 300 / (np.pi * 80**2) - 1) < 0.03
    assert np.abs(np.mean(line, axis=0) - [200.5 / 400, 150.5 / 300]).max() < 0.02
    assert len(line) < 120


def test_a_gap_has_a_line_of_its_own_and_crumbs_have_none() -> None:
    ring = np.zeros((200, 200), np.float32)
    ring[40:160, 40:160] = 1
    ring[80:120, 80:120] = 0
    ring[5:6, 5:6] = 1
    lines = sorted(outline(ring), key=area)
    assert len(lines) == 2
    assert abs(area(lines[1]) - 0.36) < 0.02
    assert abs(area(lines[0]) - 0.04) < 0.01


def test_what_reaches_the_border_stays_in_the_picture() -> None:
    full = np.ones((50, 70), np.float32)
    (line,) = outline(full)
    assert np.min(line) >= 0
    assert np.max(line) <= 1
    assert area(line) > 0.94


def test_nothing_has_no_line() -> None:
    assert outline(np.zeros((20, 20), np.float32)) == []
