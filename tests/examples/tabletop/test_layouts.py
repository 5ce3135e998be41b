from __future__ import annotations

import numpy as np
import pytest

from examples.tabletop.layouts import Layout, basket, grid, herringbone, hexagons, rows
from examples.tabletop.noise import SIZE

LAYOUTS = {
    "rows": (rows(8, 4, np.arange(8) % 2 / 2), 32),
    "grid": (grid(4), 16),
    "hexagons": (hexagons(7, 8), 56),
    "herringbone": (herringbone(4, 4), 2 * 4 * 4 * 4 * 2),
    "basket": (basket(4, 4), 64),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_pieces_share_out_the_tile_evenly(name: str) -> None:
    layout, pieces = LAYOUTS[name]
    found, areas = np.unique(layout.ident, return_counts=True)
    assert found.min() >= 0
    assert found.max() < layout.count
    assert len(found) == pieces
    assert areas.min() > 0.85 * SIZE**2 / pieces
    assert areas.max() < 1.15 * SIZE**2 / pieces


@pytest.mark.parametrize("name", LAYOUTS)
def test_edges_are_the_distance_to_the_border(name: str) -> None:
    layout, _ = LAYOUTS[name]
    border = np.zeros((SIZE, SIZE), bool)
    for axis in (0, 1):
        for way in (1, -1):
            border |= np.roll(layout.ident, way, axis) != layout.ident
    assert layout.edge.dtype == np.float32
    assert layout.edge.min() >= -0.01
    assert layout.edge[border].max() < 1.6
    assert layout.edge[~border].min() > 0.4
    # Seamless: the distance changes as slowly across the tile's border as within.
    for axis in (0, 1):
        assert np.abs(layout.edge - np.roll(layout.edge, 1, axis)).max() < 1.6


@pytest.mark.parametrize("name", ["rows", "grid", "basket", "herringbone"])
def test_places_run_along_and_across_every_piece(name: str) -> None:
    layout, _ = LAYOUTS[name]
    for piece in np.unique(layout.ident)[::7]:
        inside = layout.ident == piece
        along, across = layout.along[inside], layout.across[inside]
        assert 0 <= along.min() < 1.01
        assert 0 <= across.min() < 1.01
        assert (along.max() + 0.5) * (across.max() + 0.5) == pytest.approx(inside.sum(), rel=0.06)


def test_a_joint_is_as_wide_as_asked() -> None:
    layout = grid(4)
    joint = layout.joint(6.0)
    assert (joint.min(), joint.max()) == (0, 1)
    # Along a line in the middle of a row: four joints of six pixels.
    assert joint[64].sum() == pytest.approx(4 * 6, abs=0.5)
    assert layout.joint(0.0).sum() < 0.6 * 512 * 8


def test_a_running_bond_is_shifted_by_half_a_piece() -> None:
    layout = rows(4, 2, np.array([0, 0.5, 0, 0.5]))

    def ends(row: int) -> set[int]:
        line = layout.ident[row * 128 + 64]
        return set(np.flatnonzero(np.roll(line, 1) != line).tolist())

    assert ends(0) == ends(2) == {0, 256}
    assert ends(1) == ends(3) == {128, 384}


def test_strips_without_ends_have_no_border_along_them() -> None:
    layout = rows(4, 2, np.zeros(4), ends=False)
    assert (np.ptp(layout.edge, axis=1) == 0).all()
    assert isinstance(layout, Layout)
