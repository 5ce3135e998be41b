from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from examples.tabletop.solids import (
    Mesh,
    Turned,
    ball,
    box_faces,
    curve,
    disc,
    join,
    lathe,
    loft,
    rectangle,
    slab,
    tube,
)
from meshes import is_closed, merged, volume


def closed(mesh: Mesh) -> bool:
    return is_closed(merged(mesh.vertices, mesh.faces))


def content(mesh: Mesh) -> float:
    return volume(mesh.vertices, mesh.faces)


def normals(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


CYLINDER = [(0, 0), (0.03, 0), (0.03, 0.1), (0, 0.1)]
SOLIDS: dict[str, tuple[Mesh, float]] = {
    "ball": (ball(0.05, 64), 4 / 3 * math.pi * 0.05**3),
    "cylinder": (lathe(CYLINDER, 128), math.pi * 0.03**2 * 0.1),
    "cup": (
        lathe([(0, 0), (0.04, 0), (0.04, 0.1), (0.036, 0.1), (0.036, 0.004), (0, 0.004)], 128),
        math.pi * (0.04**2 * 0.1 - 0.036**2 * 0.096),
    ),
    "box": (slab(0.2, 0.1, 0.05, 1e-4), 0.2 * 0.1 * 0.05),
    "straight tube": (
        tube([(0, 0, 0), (0, 0, 0.1), (0, 0, 0.2)], 0.02, sides=64),
        math.pi * 0.01**2 * 0.2,
    ),
    "flat tube": (
        tube([(0, 0, 0), (0, 0, 0.1), (0, 0, 0.2)], 0.02, 0.01, sides=64),
        math.pi * 0.01 * 0.005 * 0.2,
    ),
    "ring": (
        tube(
            [(0.05 * math.cos(a), 0, 0.05 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 97)[:-1]],
            0.02,
            sides=48,
            closed=True,
        ),
        2 * math.pi * 0.05 * math.pi * 0.01**2,
    ),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_a_solid_is_closed_outward_and_as_large_as_its_formula(name: str) -> None:
    mesh, expected = SOLIDS[name]
    assert closed(mesh)
    assert content(mesh) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("name", SOLIDS)
def test_moving_turning_and_mirroring_keep_the_outside(name: str) -> None:
    mesh, _ = SOLIDS[name]
    for changed in (mesh.moved(1, 2, 3), mesh.turned(1, 0.7), mesh.scaled(-1, 1, 1), mesh.scaled(-1, -1, -1)):
        assert closed(changed)
        assert content(changed) == pytest.approx(content(mesh), rel=1e-6)
    assert content(mesh.scaled(2, -3, 0.5)) == pytest.approx(3 * content(mesh), rel=1e-6)


def test_turns_go_from_one_axis_to_the_next() -> None:
    corner = Mesh(np.eye(3), np.array([[0, 1, 2]]))
    for axis, (start, end) in enumerate([(1, 2), (2, 0), (0, 1)]):
        turned = corner.turned(axis, math.pi / 2).vertices
        np.testing.assert_allclose(turned[start], np.eye(3)[end], atol=1e-12)
        np.testing.assert_allclose(turned[axis], np.eye(3)[axis], atol=1e-12)


def test_hard_edges_are_split_and_round_ones_are_not() -> None:
    def at_one_place(mesh: Mesh) -> Counter[int]:
        _, counts = np.unique(np.round(mesh.vertices, 7), axis=0, return_counts=True)
        return Counter(counts.tolist())

    assert at_one_place(lathe(CYLINDER, 128))[2] == 2 * 128  # both rims, and nothing else round about
    sphere = at_one_place(ball(0.05, 32))
    assert sphere[2] == 0
    box = slab(0.2, 0.1, 0.05, 1e-4)
    assert set(np.abs(normals(box)).max(1).round(3)) >= {1.0}


def test_a_curve_is_rounded_and_evenly_spaced() -> None:
    line = curve([(0, 0), (1, 0), (1, 1)], 41)
    step = np.linalg.norm(np.diff(line, axis=0), axis=1)
    np.testing.assert_allclose(line[[0, -1]], [(0, 0), (1, 1)], atol=1e-12)
    assert step.max() / step.min() < 1.05
    assert np.linalg.norm(line - [1, 0], axis=1).min() > 0.05
    np.testing.assert_allclose(curve([(0, 0), (2, 4)], 5), np.linspace((0, 0), (2, 4), 5), atol=1e-12)


def test_texture_runs_around_from_the_back_and_up_by_length() -> None:
    mesh = Turned(np.array([(0.03, 0.0), (0.03, 0.1)])).mesh(64, uv=True)
    assert mesh.uv is not None
    u, v = mesh.uv.T
    np.testing.assert_allclose(v, mesh.vertices[:, 2] / 0.1, atol=1e-9)
    x, y = mesh.vertices[:, :2].T
    angle = (np.arctan2(y, x) - math.pi / 2) % (2 * math.pi) / (2 * math.pi)
    inner = (u > 0.01) & (u < 0.99)
    np.testing.assert_allclose(u[inner], angle[inner], atol=1e-9)
    assert {0.0, 1.0} <= set(u.round(9))


def test_a_print_reads_from_left_to_right_from_outside() -> None:
    """u runs to the right and v up, for one who looks at the face from outside."""
    body = Turned(np.array([(0.03, 0.0), (0.03, 0.1)]))
    patches = [
        body.patch((-2.0, -1.0), (0.02, 0.08)),
        body.mesh(uv=True),
        *(face.patch() for face in box_faces(0.1, 0.2, 0.3).values()),
        disc(0.05, 0.1),
    ]
    for patch in patches:
        assert patch.uv is not None
        a, b, c = (patch.vertices[patch.faces[:, k]] for k in range(3))
        p, q, r = (patch.uv[patch.faces[:, k]] for k in range(3))
        turned = (q - p)[:, 0] * (r - p)[:, 1] - (q - p)[:, 1] * (r - p)[:, 0]
        assert (turned > 0).all()  # counter-clockwise in the picture as on the face
        assert (np.linalg.norm(np.cross(b - a, c - a), axis=1) > 0).all()


def test_patches_lie_just_outside_what_they_are_on() -> None:
    body = Turned(np.array([(0.03, 0.0), (0.05, 0.1)]))
    patch = body.patch((0.0, 1.0), (0.02, 0.08), 0.0005)
    radius = np.hypot(*patch.vertices[:, :2].T)
    np.testing.assert_allclose(radius - body.radius(patch.vertices[:, 2]), 0.0005, atol=1e-9)
    for name, face in box_faces(0.1, 0.2, 0.3).items():
        raised = face.patch((0.2, 0.8), (0.1, 0.5), 0.001)
        outward = normals(raised)
        middle = raised.vertices.mean(0) - [0, 0, 0.15]
        assert (outward @ middle > 0).all(), name
        half = np.array([0.05, 0.1, 0.15])
        assert (np.abs(middle) - half).max() == pytest.approx(0.001, abs=1e-9)
    spot = body.spot(0.3, 0.05, 0.01)
    assert np.ptp(spot.vertices[:, 2]) == pytest.approx(0.02, rel=0.03)


def test_boxes_faces_are_as_large_as_the_box() -> None:
    faces = box_faces(0.1, 0.2, 0.3)
    sizes = {name: face.size for name, face in faces.items()}
    assert sizes["front"] == sizes["back"] == pytest.approx((0.1, 0.3))
    assert sizes["left"] == sizes["right"] == pytest.approx((0.2, 0.3))
    assert sizes["top"] == sizes["bottom"] == pytest.approx((0.1, 0.2))
    assert faces["front"].corner[1] == -0.1


def test_a_rectangles_corners_are_round() -> None:
    outline = rectangle(0.4, 0.2, 0.05)
    assert np.ptp(outline, axis=0) == pytest.approx([0.4, 0.2])
    (x, y), (next_x, next_y) = outline.T, np.roll(outline, -1, 0).T
    area = 0.5 * (x * next_y - next_x * y).sum()  # positive: counter-clockwise
    corner = 4 * 0.5 * 0.05**2 * math.sin(math.pi / 8)  # four triangles of a quarter circle
    assert area == pytest.approx(0.4 * 0.2 - 4 * (0.05**2 - corner))
    assert len(outline) == 20


def test_a_bevelled_slab_is_smaller_at_its_ends() -> None:
    mesh = slab(0.2, 0.1, 0.05, 0.01, bevel=0.004)
    assert closed(mesh)
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    np.testing.assert_allclose([low, high], [[-0.1, -0.05, 0], [0.1, 0.05, 0.05]], atol=1e-9)
    top = mesh.vertices[mesh.vertices[:, 2] > 0.05 - 1e-9]
    assert np.ptp(top[:, 0]) == pytest.approx(0.2 - 0.008)


def test_joined_meshes_keep_their_shapes() -> None:
    first, second = lathe(CYLINDER), ball(0.05).moved(x=1)
    both = join([first, second])
    assert content(both) == pytest.approx(content(first) + content(second))
    assert both.uv is None
    textured = [lathe(CYLINDER, uv=True), ball(0.05, uv=True)]
    joined = join(textured)
    assert joined.uv is not None
    assert len(joined.uv) == len(joined.vertices)
    assert join([textured[0], second]).uv is None


def test_a_loft_faces_away_from_its_axis() -> None:
    turn = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn), np.zeros(24)], 1)
    rings = np.stack([ring, ring + np.array([0, 0, 1])])
    mesh = loft(rings)
    middle = mesh.vertices[mesh.faces].mean(1)
    assert ((normals(mesh) * middle)[:, :2].sum(1) > 0.9).all()
    assert not closed(mesh)
    assert closed(loft(rings, caps=True))
