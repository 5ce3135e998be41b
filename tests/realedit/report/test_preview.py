"""The drawing of a dry run and of what was found: legible on any photo, and nothing else changed."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.report.drawing import GREEN, RED, arrow, badge, hatch, line_width, outlines, stroke
from realedit.report.preview import Mark, found_over, preview

H, W = 240, 360


def _disc(x: float, y: float, r: float, h: int = H, w: int = W) -> np.ndarray:
    rows, columns = np.mgrid[:h, :w] + 0.5
    return (np.hypot(columns - x, rows - y) < r).astype(np.float32)


def _near(picture: np.ndarray, colour: tuple[int, int, int], most: float = 40) -> np.ndarray:
    return np.abs(picture.astype(float) - colour).max(-1) < most


def _distance(x: float, y: float, r: float) -> np.ndarray:
    rows, columns = np.mgrid[:H, :W] + 0.5
    return np.abs(np.hypot(columns - x, rows - y) - r)


@pytest.mark.parametrize("scale", [1, 4, 12])
def test_an_outline_is_the_masks_edge_at_any_size(scale: int) -> None:
    (line,) = outlines(_disc(180 * scale, 120 * scale, 50 * scale, H * scale, W * scale))
    away = np.hypot(line[:, 0] + 0.5 - 180 * scale, line[:, 1] + 0.5 - 120 * scale)
    assert np.abs(away - 50 * scale).max() < 2
    assert line_width((H * scale, W * scale)) == pytest.approx(max(1.6, W * scale / 360))


def test_holes_are_outlined_and_crumbs_are_not() -> None:
    ring = _disc(180, 120, 80) - _disc(180, 120, 40)
    ring[5:7, 5:7] = 1
    assert len(outlines(ring)) == 2
    # a crumb that is all there is, is drawn
    crumb = np.zeros((H, W), np.float32)
    crumb[5:8, 5:8] = 1
    assert len(outlines(crumb)) == 1
    assert outlines(np.zeros((H, W))) == []


@pytest.mark.parametrize("ground", [0, 128, 255, 150])
@pytest.mark.parametrize("dashed", [False, True])
def test_a_line_stands_out_from_any_photo(ground: int, dashed: bool) -> None:
    """Somewhere across it, line and casing differ by far; the rest of the photo is left alone."""
    picture = np.full((H, W, 3), ground, np.float32)
    (line,) = outlines(_disc(180, 120, 60))
    stroke(picture, line, GREEN, dashed=dashed)
    away = _distance(180, 120, 60)
    assert _near(picture, GREEN)[away < 0.5].mean() > (0.4 if dashed else 0.95)
    across = picture[116:124, 232:250]
    assert dashed or np.ptp(across.reshape(-1, 3), axis=0).max() > 60
    assert (picture[away > 6] == ground).all()


def test_an_arrow_points_to_its_end_and_short_ones_are_left_out() -> None:
    picture = np.zeros((H, W, 3), np.float32)
    arrow(picture, (60, 120), (300, 120), GREEN)
    lit = _near(picture, GREEN)
    assert lit[119:122, 70:280].any(0).all()
    columns = np.flatnonzero(lit.any(0))
    assert columns.min() == pytest.approx(60, abs=2)
    assert columns.max() == pytest.approx(300, abs=2)
    # a head that widens from its tip
    widths = lit[:, columns.max() - 4 : columns.max() - 1].sum(0)
    assert widths[0] >= widths[1] >= widths[2]
    assert lit[:, columns.max() - 7 : columns.max()].sum(0).max() > 1.5 * lit[:, 150].sum()
    blank = np.zeros((H, W, 3), np.float32)
    arrow(blank, (60, 120), (70, 120), GREEN)
    assert not blank.any()


@pytest.mark.parametrize("at", [(0, 0), (W, H), (180, 120)])
def test_a_number_is_whole_wherever_it_stands(at: tuple[float, float]) -> None:
    picture = np.full((H, W, 3), 128, np.float32)
    badge(picture, at, "3", RED)
    changed = (picture != 128).any(-1)
    ys, xs = np.nonzero(changed)
    assert 16 <= np.ptp(xs) + 1 <= 22
    assert abs(np.ptp(xs) - np.ptp(ys)) <= 1
    assert np.hypot(xs.mean() - at[0], ys.mean() - at[1]) < 18
    assert (picture[changed].min(-1) > 200).any()  # the number is white
    tiny = np.full((8, 8, 3), 128, np.float32)
    badge(tiny, (4, 4), "3", RED)
    assert (tiny == 128).all()


def test_hatching_lets_the_photo_through() -> None:
    picture = np.full((H, W, 3), 200, np.float32)
    mask = _disc(180, 120, 60)
    hatch(picture, mask, RED)
    assert (picture[mask == 0] == 200).all()
    lines = picture[..., 0] > picture[..., 1] + 60
    assert 0.05 < lines[mask > 0].mean() < 0.5


def test_a_move_is_drawn_from_where_to_where() -> None:
    rgb = np.full((H, W, 3), 90, np.uint8)
    before, after = _disc(90, 120, 40), _disc(260, 120, 40)
    ghost = np.full((H, W, 3), (200, 40, 40), np.float32)
    out = np.asarray(preview(rgb, [Mark(1, "carried", before, after, ghost)]))
    assert _near(out, GREEN)[_distance(260, 120, 40) < 0.5].mean() > 0.9
    assert not _near(out, GREEN)[_distance(90, 120, 40) < 3].any()
    inside = _disc(260, 142, 8) > 0
    assert np.abs(out[inside] - (0.92 * np.array((200, 40, 40)) + 0.08 * 90)).max() < 2
    elsewhere = (_disc(90, 120, 50) + _disc(260, 120, 50) == 0) & ((np.arange(H) < 110)[:, None])
    assert (out[elsewhere] == 90).all()


def test_what_is_copied_leaves_no_hole() -> None:
    rgb = np.full((H, W, 3), 90, np.uint8)
    before, after = _disc(90, 120, 40), _disc(260, 120, 40)
    out = np.asarray(preview(rgb, [Mark(1, "copied", before, after)]))
    assert (out[(_disc(90, 120, 34) > 0) & ((np.arange(H) < 112)[:, None])] == 90).all()
    assert _near(out, GREEN)[_distance(260, 120, 40) < 0.5].mean() > 0.9
    assert not _near(out, GREEN)[_distance(90, 120, 40) < 3].any()


def test_steps_are_numbered_where_there_are_several() -> None:
    rgb = np.full((H, W, 3), 90, np.uint8)
    one, other = (
        Mark(1, "gone", _disc(90, 120, 40), None),
        Mark(2, "changed", _disc(260, 120, 40), _disc(260, 120, 40)),
    )

    def dark(marks: list[Mark]) -> int:
        return int((np.asarray(preview(rgb, marks)).max(-1) < 25).sum())

    assert dark([one, other]) > dark([one]) + dark([other]) + 200
    # both numbers can be read where both steps are about one object
    again = Mark(2, "changed", one.before, one.before)
    assert dark([one, again]) > dark([one]) + 200


def test_what_was_found_is_as_it_was_and_the_rest_is_dark() -> None:
    rgb = np.random.default_rng(0).integers(60, 255, (H, W, 3), np.uint8)
    mask = _disc(180, 120, 50)
    out = np.asarray(found_over(rgb, mask))
    assert np.array_equal(out[_disc(180, 120, 44) > 0], rgb[_disc(180, 120, 44) > 0])
    far = _disc(180, 120, 56) == 0
    assert out[far].mean() == pytest.approx(0.42 * rgb[far].mean(), rel=0.05)
    assert _near(out, GREEN)[_distance(180, 120, 50) < 0.5].mean() > 0.9
