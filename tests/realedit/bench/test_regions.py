"""Regions: they cover the picture without overlap, and lie where the object is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench_data import SIDE, moved, scene
from guidance import Transform
from realedit.bench.edit_spec import EditSpec
from realedit.bench.regions import centroid, object_after, regions, warp_image


def test_regions_of_a_move_part_the_picture(tmp_path: Path) -> None:
    loaded = moved(tmp_path, dx=0.125)  # the square overlaps its old place by half
    found = regions(loaded)
    parts = np.stack([found[name] for name in ("object", "hole", "background")])
    assert (parts.sum(0) == 1).all()
    assert found["whole"].all()
    assert found["object"].sum() == 16 * 16
    assert found["hole"].sum() == 16 * 8


def test_without_the_truths_mask_the_object_is_where_the_edit_puts_it(tmp_path: Path) -> None:
    loaded = replace(moved(tmp_path), truth_mask=None)
    after = object_after(loaded)
    assert after is not None
    assert (after == scene(12 + SIDE // 4)[1]).all()


def test_a_removal_has_no_object_and_text_only_a_background(tmp_path: Path) -> None:
    loaded = moved(tmp_path)
    removal = replace(loaded, case=replace(loaded.case, edit=EditSpec("remove")))
    assert set(regions(removal)) == {"whole", "hole", "background"}
    text = replace(loaded, case=replace(loaded.case, edit=EditSpec("text")))
    assert set(regions(text)) == {"whole", "background"}
    assert set(regions(replace(loaded, mask=None))) == {"whole"}


def test_a_warp_moves_the_centroid_by_the_shift_and_scales_the_area() -> None:
    mask = scene(20, 22, 20)[1].astype(np.float32)
    x, y = centroid(mask)
    assert (x, y) == pytest.approx((30 / SIDE, 32 / SIDE))
    moved_mask = warp_image(mask, Transform(0.125, -0.0625, 1.2, centre=(x, y)))
    assert centroid(moved_mask) == pytest.approx((x + 0.125, y - 0.0625), abs=2e-3)
    assert moved_mask.sum() == pytest.approx(1.44 * mask.sum(), rel=0.02)
