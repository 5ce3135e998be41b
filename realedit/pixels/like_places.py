r"""Finds, for each part of a filled hole, the place in the photo that looks most like it.

A hole that a network has painted is as soft as the network's picture is small. What is missing is drawn from
where the photo itself shows the same: the hole is cut into squares, and each square c gets the step s(c) that
takes it to the known patch which resembles it most,

.. math:: s(c) = \arg\min_s \sum_{q} \lVert P(c + q) - P(c + s + q) \rVert^2 + \lambda \lVert s \rVert^2 / L^2

with q over a patch about the square, P in CIELAB and L the picture's longer side. All pixels of a square
share a step, so that the grain is carried in pieces and not pixel by pixel.

Reference: Hertzmann et al. 2001, *Image Analogies*; searched through completely, as there are few squares.
"""

from __future__ import annotations

import cv2
import numpy as np

_SQUARE = 6
"""Side of a square in pixels: larger ones carry longer streaks and fit worse, smaller ones break the grain
up. Not measured."""
_REACH = 4
"""Distance from a square's centre to its patch's sides, in pixels: larger patches tell structures apart and
find fewer like them, smaller ones compare little more than colour. Not measured."""
_FAR_PRICE = 2000.0
"""Price of a step as long as the picture, in squared differences of CIELAB over a patch: higher, and detail
comes from nearby; lower, and from wherever colours agree, light or not. Not measured."""
_UNLIKE = 5.0
"""Root mean square difference of two patches in CIELAB: above it a square gets no step, since the other
place's detail would be seen as marks of its own; up to it it gets one. Set by eye on two photographs of ReS.
"""
_SOURCES = 6000
"""Known patches that are compared, spread evenly: more of them fit better and take longer. Not measured."""


def steps_to_like_places(
    rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None
) -> np.ndarray:
    """Returns from each of the hole's pixels the step to the place that looks like it.

    Args:
        rgb: the picture with its hole filled, uint8 ``[H, W, 3]``.
        hole: bool ``[H, W]``.
        forbidden: bool ``[H, W]``, pixels that are no such place.

    Returns:
        (rows, columns) in pixels, int32 ``[H, W, 2]``; 0 outside the hole, and where nothing is alike.
    """
    steps = np.zeros((*hole.shape, 2), np.int32)
    unknown = hole if forbidden is None else hole | forbidden
    room = _REACH + _SQUARE // 2
    side = 2 * room + 1
    known = cv2.erode((~unknown).astype(np.uint8), np.ones((side, side), np.uint8), borderValue=0) > 0
    sources = np.argwhere(known)
    if not hole.any() or not len(sources):
        return steps
    sources = sources[:: max(1, len(sources) // _SOURCES)]
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    wide = cv2.copyMakeBorder(lab, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REFLECT_101)
    centres = _centres(hole)
    wanted, offered = _patches(wide, centres), _patches(wide, sources)
    chosen = np.empty(len(centres), int)
    worst2 = _UNLIKE**2 * wanted.shape[1] / 3
    far = _FAR_PRICE / max(hole.shape) ** 2
    squares = (offered**2).sum(1)
    for k in range(0, len(centres), 256):  # all at once may not fit into memory
        some = centres[k : k + 256]
        unlike = squares - 2 * wanted[k : k + 256] @ offered.T
        length2 = ((some[:, None] - sources[None]) ** 2).sum(-1)
        chosen[k : k + 256] = (unlike + far * length2).argmin(1)
    alike = ((wanted - offered[chosen]) ** 2).sum(1) <= worst2
    half = _SQUARE // 2
    for (row, column), to in zip(centres[alike], sources[chosen[alike]], strict=True):
        steps[row - half : row + half, column - half : column + half] = to - (row, column)
    steps[~hole] = 0
    return steps


def _centres(hole: np.ndarray) -> np.ndarray:
    """Returns the centres ``[n, 2]`` of the squares that have a pixel in the hole."""
    h, w = hole.shape
    rows, columns = np.mgrid[: -(-h // _SQUARE), : -(-w // _SQUARE)]
    padded = np.pad(hole, ((0, -h % _SQUARE), (0, -w % _SQUARE)))
    touched = padded.reshape(len(rows), _SQUARE, -1, _SQUARE).any((1, 3))
    centres = np.stack([rows[touched], columns[touched]], 1) * _SQUARE + _SQUARE // 2
    return np.minimum(centres, np.array([h, w]) - 1)


def _patches(wide: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Returns the patches about some places, float32 ``[n, 3 * side**2]``; ``wide`` has a reach's border."""
    reach = np.arange(2 * _REACH + 1)
    rows = at[:, 0, None, None] + reach[:, None]
    columns = at[:, 1, None, None] + reach[None]
    return wide[rows, columns].reshape(len(at), -1).astype(np.float32)
