"""What can be told of a triangle mesh from its faces alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def merged(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The faces, with vertices that lie at one place, to a micrometre and within two metres, made one."""
    places = np.round((vertices - vertices.min(0)) * 1e6).astype(np.int64)
    _, ids = np.unique(places @ [1 << 42, 1 << 21, 1], return_inverse=True)
    return ids[faces]


def is_closed(faces: np.ndarray) -> bool:
    """Whether each edge of merged faces is shared by faces that run along it in opposite directions."""
    size = int(faces.max()) + 1
    edges = np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)])
    edges = edges[edges[:, 0] != edges[:, 1]]
    there, back = (np.sort(edges[:, k] * size + edges[:, 1 - k]) for k in (0, 1))
    return np.array_equal(there, back)


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Signed: positive where the faces of a closed mesh are counter-clockwise seen from outside."""
    a, b, c = np.moveaxis(vertices[faces] - vertices[faces].mean((0, 1)), 1, 0)
    return float((a * np.cross(b, c)).sum() / 6)


def components(vertices: np.ndarray, faces: np.ndarray) -> Iterator[np.ndarray]:
    """Which faces (bool) belong to each piece that hangs together."""
    one = merged(vertices, faces)
    start, end = one[:, [0, 1]].ravel(), one[:, [1, 2]].ravel()
    size = int(one.max()) + 1
    _, label = connected_components(
        coo_array((np.ones(len(start)), (start, end)), (size, size)), directed=False
    )
    for piece in np.unique(label[one[:, 0]]):
        yield label[one[:, 0]] == piece
