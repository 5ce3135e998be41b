"""Brings an object's pixels to another frame or into another outline, before they are laid down.

**Convention:** pictures are uint8 ``[H, W, 3]``, mattes float32 ``[H, W]`` in [0, 1]; positions (x, y) in
[0, 1] of the frame.
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.location import Box, Location
from realedit.pixels.warp import band_limited


def pasted(
    rgb: np.ndarray, found: Location, size: tuple[int, int], *, at: tuple[float, float], scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Scales and shifts another photo so that its object's centroid comes to lie at a place of the frame.

    Args:
        rgb: the other photo.
        found: the object in it.
        size: (height, width) of the frame.
        at: where the centroid is to lie, (x, y) in fractions of the frame.
        scale: the object's size as a share of the frame's longer side, over its share in its own photo.

    Returns:
        The other photo and the object's matte, both at the frame's size. Outside the other photo its border
        pixels are repeated; the matte is 0 there.
    """
    h, w = size
    there_h, there_w = rgb.shape[:2]
    factor = scale * max(h, w) / max(there_h, there_w)
    cx, cy = found.centroid[0] * there_w, found.centroid[1] * there_h
    matrix = np.array([[factor, 0, at[0] * w - factor * cx], [0, factor, at[1] * h - factor * cy]])
    matrix[:, 2] += 0.5 * factor - 0.5  # from pixel centres to pixel centres
    picture, matte = band_limited(rgb, factor), band_limited(found.mask, factor)
    laid = cv2.warpAffine(picture, matrix, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return laid, cv2.warpAffine(matte, matrix, (w, h), flags=cv2.INTER_LINEAR).clip(0, 1)


def pasted_box(found: Location, size: tuple[int, int], *, at: tuple[float, float], scale: float) -> Box:
    """Returns where :func:`pasted` lays an object's box; it may reach over the border."""
    (h, w), (there_h, there_w) = size, found.mask.shape
    factor = scale * max(h, w) / max(there_h, there_w)
    (cx, cy), (x0, y0, x1, y1) = found.centroid, found.box
    across, down = factor * there_w / w, factor * there_h / h
    left, right = (at[0] + across * (x - cx) for x in (x0, x1))
    top, bottom = (at[1] + down * (y - cy) for y in (y0, y1))
    return left, top, right, bottom


def reshaped(rgb: np.ndarray, mask: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Stretches an object's pixels to fill another outline: height to height, then each row to its row.

    Args:
        rgb: the photo.
        mask: the object's matte.
        goal: the matte of the outline.

    Returns:
        uint8 ``[H, W, 3]``; the pixels outside the outline mean nothing.
    """
    here, there = _extents(mask > 0.5), _extents(goal > 0.5)
    h, w = mask.shape
    columns, rows = np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float64)
    (top, bottom), (first, last) = ((int(ys[0]), int(ys[-1])) for ys, _, _ in (there, here))
    share = np.clip((rows - top) / max(bottom - top, 1), 0, 1)
    source_row = first + share * (last - first)
    left, right = (np.interp(source_row, here[0], side) for side in here[1:])
    new_left, new_right = (np.interp(rows, there[0], side) for side in there[1:])
    along = (columns - new_left[:, None]) / np.maximum(new_right - new_left, 1)[:, None]
    source_column = left[:, None] + along.clip(0, 1) * (right - left)[:, None]
    source_rows = np.broadcast_to(source_row[:, None], (h, w)).astype(np.float32)
    return cv2.remap(rgb, source_column.astype(np.float32), source_rows, cv2.INTER_CUBIC)


def _extents(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the rows that a mask covers, and the first and the last column of it in each."""
    rows = np.flatnonzero(mask.any(1))
    left = mask[rows].argmax(1)
    right = mask.shape[1] - 1 - mask[rows][:, ::-1].argmax(1)
    return rows, left, right
