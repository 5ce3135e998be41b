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

import cv2
import numpy as np

from realedit.pixels.resizing import scaled


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
    box = cv2.boundingRect((weight > 0).astype(np.uint8))
    window = slice(box[1], box[1] + box[3]), slice(box[0], box[0] + box[2])
    coarse = scaled(small.astype(np.float32), size)
    detail = rgb[window] - coarse[window]
    rows, columns = (np.arange(s.start, s.stop) for s in window)
    down, right = (rgb.shape[axis] / small.shape[axis] for axis in (0, 1))
    under = (
        np.minimum((rows / down).astype(int), small.shape[0] - 1)[:, None],
        np.minimum((columns / right).astype(int), small.shape[1] - 1)[None],
    )
    step = steps[under]
    there = (
        (rows[:, None] + np.rint(step[..., 0] * down).astype(int)).clip(0, rgb.shape[0] - 1),
        (columns[None] + np.rint(step[..., 1] * right).astype(int)).clip(0, rgb.shape[1] - 1),
    )
    drawn = (rgb[there] - coarse[there]) * (step != 0).any(-1, keepdims=True)
    del coarse  # of a large photo it is hundreds of megabytes, as the next one is
    part = weight[window][..., None]
    wide = scaled(filled.astype(np.float32), size)[window].copy()
    mixed = wide + (1 - part) * detail + part * drawn
    out = rgb.astype(np.float32)
    out[window] = np.where(part > 0, mixed.clip(0, 255), out[window])
    return out
