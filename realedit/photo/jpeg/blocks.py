"""Makes the coefficients of the blocks that an edit touches; the other blocks' stay as they are.

With Q the quantisation table of a component, c a block's coefficients and D the orthonormal cosine transform
of 8 x 8 samples (T.81, A.3.3), the file's own samples are s = D^-1(c Q) + 128. Where the edit changed the
picture, the component's samples s' are the edited picture's, elsewhere s; where a component has fewer samples
than the picture, each is the mean of those that it stands for. Then c' = round(D(s' - 128) / Q). So what was
not changed inside a touched block comes back as near as the table allows, and not from rounded, clipped
colours.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy import fft

from realedit.photo.jpeg.marker_segments import Component, Frame, JpegFile

_MIDDLE = 128.0
"""The value that is coded as 0, of 0 to 255. Set by the standard."""
_LARGEST = 1023
"""Magnitude of a coefficient that 8-bit samples can need: larger ones are cut to it. Set by the standard."""
_Y = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in luma. Set by BT.601, as JFIF asks."""
_CB, _CR = 1.772, 1.402
"""Blue less luma over Cb, and red less luma over Cr. Set by the same."""


def with_edit(
    file: JpegFile, coefficients: Sequence[np.ndarray], edited: np.ndarray, changed: np.ndarray
) -> list[np.ndarray]:
    """Returns the coefficients of the edited picture.

    Args:
        file: the file.
        coefficients: each component's, int16 [rows, columns, 64].
        edited: the edited picture in the file's own frame, as Pillow decodes it: uint8 [H, W] or [H, W, C].
        changed: where it differs from the file's picture, bool [H, W].

    Raises:
        ValueError: the picture has another size or number of components than the file.
    """
    frame = file.frame
    colours = edited if edited.ndim == 3 else edited[..., None]
    if (
        colours.shape != (frame.height, frame.width, len(frame.components))
        or changed.shape != edited.shape[:2]
    ):
        raise ValueError(f"a picture of {list(edited.shape)} for {frame}")
    results = [plane.copy() for plane in coefficients]
    high, wide = frame.mcu
    for row in np.unique(np.flatnonzero(changed.any(axis=1)) // high):
        band = slice(row * high, (row + 1) * high)
        columns = np.flatnonzero(changed[band].any(axis=0))
        first, last = columns[0] // wide, columns[-1] // wide + 1
        window = band, slice(first * wide, last * wide)
        touched = _filled_up(changed[window], high, (last - first) * wide)
        planes = _components(file, _filled_up(colours[window], high, (last - first) * wide))
        for number, component in enumerate(frame.components):
            there = (
                slice(row * component.down, (row + 1) * component.down),
                slice(first * component.across, last * component.across),
            )
            table = file.tables[component.table].astype(np.float32)
            part = results[number][there]
            part[:] = _requantised(frame, component, part, table, planes[number], touched)
    return results


def mcus(frame: Frame, changed: np.ndarray) -> np.ndarray:
    """Returns where a decoder may show other samples than before, bool [H, W].

    These are the whole units whose blocks the edit touches and, where a component has fewer samples than the
    picture, half of one more on each side: decoders interpolate between samples ("fancy upsampling").

    Args:
        frame: the file's.
        changed: where the edit changed the picture, bool [H, W].
    """
    high, wide = frame.mcu
    height, width = changed.shape
    padded = _filled_up(changed, -(-height // high) * high, -(-width // wide) * wide)
    units = padded.reshape(padded.shape[0] // high, high, padded.shape[1] // wide, wide).any(axis=(1, 3))
    region = np.repeat(np.repeat(units, high, axis=0), wide, axis=1)[:height, :width]
    reaches = [
        max(most // getattr(component, way) for component in frame.components) // 2
        for way, most in (("down", frame.down), ("across", frame.across))
    ]
    kernel = np.ones([2 * reach + 1 for reach in reaches], np.uint8)
    return cv2.dilate(region.astype(np.uint8), kernel) > 0


def _filled_up(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Repeats the last row and column until an array has a size."""
    more = ((0, height - values.shape[0]), (0, width - values.shape[1]))
    return np.pad(values, (*more, *((0, 0),) * (values.ndim - 2)), mode="edge")


def _components(file: JpegFile, colours: np.ndarray) -> list[np.ndarray]:
    """Returns each component's samples, float32 [h, w], for colours as Pillow decodes them."""
    count = len(file.frame.components)
    values = colours.astype(np.float32)
    if count == 1:
        return [values[..., 0]]
    transform = file.adobe_transform()
    if count == 4:
        # Pillow takes all files of four components for Adobe's, whose inks are inverted
        black = 255 - values[..., 3]
        return (
            [*_ycc(values[..., :3]), black]
            if transform == 2
            else [*np.moveaxis(255 - values[..., :3], -1, 0), black]
        )
    return list(np.moveaxis(values, -1, 0)) if _is_rgb(file) else _ycc(values)


def _is_rgb(file: JpegFile) -> bool:
    """Tells whether three components are red, green and blue, by libjpeg's rules."""
    if any(segment.body[:5] == b"JFIF\0" for segment in file.of(0xE0)):
        return False
    transform = file.adobe_transform()
    if transform is not None:
        return transform == 0
    return tuple(component.number for component in file.frame.components) == tuple(b"RGB")


def _ycc(rgb: np.ndarray) -> list[np.ndarray]:
    luma = rgb @ _Y
    return [luma, (rgb[..., 2] - luma) / _CB + _MIDDLE, (rgb[..., 0] - luma) / _CR + _MIDDLE]


def _requantised(
    frame: Frame,
    component: Component,
    own: np.ndarray,
    table: np.ndarray,
    plane: np.ndarray,
    changed: np.ndarray,
) -> np.ndarray:
    """Returns a window of coefficients in which the touched blocks are made anew.

    Args:
        frame: the file's.
        component: whose coefficients these are.
        own: the file's, int16 [rows, columns, 64]; fewer rows or columns than the window at the frame's edge.
        table: the component's quantisation, float32 [64].
        plane: the edited picture's samples of the component, at the picture's size, float32 [h, w].
        changed: where the edit changed the picture, bool [h, w].
    """
    down, across = frame.down // component.down, frame.across // component.across
    height, width = plane.shape[0] // down, plane.shape[1] // across
    rows, columns = own.shape[:2]
    samples = np.zeros((height, width), np.float32)
    samples[: 8 * rows, : 8 * columns] = _joined(_inverse(own * table)) + _MIDDLE
    cells = (height, down, width, across)
    own_share = (~changed).reshape(cells).mean(axis=(1, 3), dtype=np.float32)
    edited = np.where(changed, plane, 0).reshape(cells).mean(axis=(1, 3))
    target = own_share * samples + edited
    blocks = _parted(target)[:rows, :columns]
    touched = _parted(own_share < 1)[:rows, :columns].any(axis=(2, 3))
    result = own.copy()
    made = np.rint(_forward(blocks[touched] - _MIDDLE).reshape(-1, 64) / table)
    result[touched] = np.clip(made, -_LARGEST, _LARGEST).astype(np.int16)
    return result


def _forward(blocks: np.ndarray) -> np.ndarray:
    return fft.dctn(blocks, axes=(-2, -1), norm="ortho")


def _inverse(coefficients: np.ndarray) -> np.ndarray:
    return fft.idctn(coefficients.reshape(*coefficients.shape[:-1], 8, 8), axes=(-2, -1), norm="ortho")


def _joined(blocks: np.ndarray) -> np.ndarray:
    rows, columns = blocks.shape[:2]
    return blocks.swapaxes(1, 2).reshape(8 * rows, 8 * columns)


def _parted(samples: np.ndarray) -> np.ndarray:
    height, width = samples.shape
    return samples.reshape(height // 8, 8, width // 8, 8).swapaxes(1, 2)
