r"""Brings a hole that was filled in a small copy to the photo's size, with the photo's own detail.

A photo I is its small copy enlarged, :math:`U`, and the detail D = I - U that the copy lacks. In the copy a
pixel p of the hole is drawn from p + s(p); in the photo it becomes

.. math:: U'(p) + (1 - a_p) D(p) + a_p D(p + s(p))

with U' the filled copy enlarged and a the filling's share, which falls from 1 to 0 over the hole's margin. So
the filling is as sharp and as grainy as its source, and the margin keeps its own detail.

References: Simakov et al. 2008 and Barnes et al. 2009 carry correspondences from coarse to fine in this way;
the split into bands is Burt and Adelson's (1983).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from realedit.pixels.resizing import scaled

_STRIP_ROWS = 512
"""Rows of the photo that are worked on at once: more take more memory, fewer more rounds. Not measured."""


def with_detail(
    rgb: np.ndarray, small: np.ndarray, filled: np.ndarray, steps: np.ndarray, *, share: np.ndarray
) -> np.ndarray:
    """Lays a small copy's filled hole into the photo.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``; its hole's content plays no part where ``share`` is 1.
        small: its small copy, uint8 ``[h, w, 3]``.
        filled: the copy with its hole filled, uint8 ``[h, w, 3]``.
        steps: from each of the hole's pixels to where it is drawn from, (row, column) in the copy's pixels,
            int32 ``[h, w, 2]``; 0 where it is drawn from nowhere: there no detail is added.
        share: of the filling, float32 ``[h, w]`` in [0, 1].

    Returns:
        float32 ``[H, W, 3]`` in 0..255, equal to the photo where ``share`` is 0.
    """
    size = rgb.shape[1::-1]
    if filled.shape == rgb.shape:
        return np.where(share[..., None] > 0, filled, rgb).astype(np.float32)
    weight = scaled(share.astype(np.float32), size)
    x, y, w, h = cv2.boundingRect((weight > 0).astype(np.uint8))
    out = rgb.astype(np.float32)
    windows = [
        (slice(top, min(top + _STRIP_ROWS, y + h)), slice(x, x + w)) for top in range(y, y + h, _STRIP_ROWS)
    ]
    for channel in range(rgb.shape[2]):  # one by one: enlarged, a large photo's take hundreds of megabytes
        plane, coarse, new = rgb[..., channel], small[..., channel], filled[..., channel]
        _lay(out[..., channel], plane, coarse, new, steps, weight, windows)
    return out


def _lay(
    out: np.ndarray,
    plane: np.ndarray,
    small: np.ndarray,
    filled: np.ndarray,
    steps: np.ndarray,
    weight: np.ndarray,
    windows: Sequence[tuple[slice, slice]],
) -> None:
    """Lays one channel of the filled hole into ``out``, window by window."""
    coarse, wide = (scaled(one.astype(np.float32), plane.shape[::-1]) for one in (small, filled))
    for window in windows:
        there, is_drawn = _drawn_from(steps, window, plane.shape)
        detail = plane[window] - coarse[window]
        drawn = (plane[there] - coarse[there]) * is_drawn
        part = weight[window]
        mixed = wide[window] + (1 - part) * detail + part * drawn
        out[window] = np.where(part > 0, mixed.clip(0, 255), out[window])


def _drawn_from(
    steps: np.ndarray, window: tuple[slice, slice], shape: tuple[int, ...]
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Returns where a window's pixels are drawn from (rows, columns), and which are drawn at all."""
    rows, columns = (np.arange(int(side.start), int(side.stop)) for side in window)
    down, right = (shape[axis] / steps.shape[axis] for axis in (0, 1))
    under = (
        np.minimum((rows / down).astype(int), steps.shape[0] - 1)[:, None],
        np.minimum((columns / right).astype(int), steps.shape[1] - 1)[None],
    )
    step = steps[under]
    there = (
        (rows[:, None] + np.rint(step[..., 0] * down).astype(int)).clip(0, shape[0] - 1),
        (columns[None] + np.rint(step[..., 1] * right).astype(int)).clip(0, shape[1] - 1),
    )
    return there, (step != 0).any(-1)
