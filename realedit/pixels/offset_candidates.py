r"""Finds the steps by which a picture, laid over itself, goes on what surrounds a hole.

For a part R of the hole's rim and a step s, the mean squared difference

.. math:: d_R(s) = \frac{\sum_{q \in R} k_{q + s} \lVert I_q - I_{q + s} \rVert^2}{\sum_{q \in R} k_{q + s}}

with k = 1 where the picture is known, says how well the picture moved by -s continues that part: along a
shelf's edge it is small for every step along the edge. All steps are tried at once, by the fast Fourier
transform, for parts of the rim of two sizes and for the whole; each part proposes its best steps, and those
that several parts propose come first.

References: He and Sun 2012, *Statistics of Patch Offsets for Image Completion*, for a few steps that complete
a picture (theirs come from the whole known picture, these from the hole's rim); Kwatra et al. 2003, *Graphcut
Textures*, for the sum by the Fourier transform.
"""

from __future__ import annotations

import cv2
import numpy as np

_RIM_PIXELS = 4
"""Width of the rim in pixels: a wider one sees larger structures, a narrower one only the colours beside the
hole. Not measured."""
_PART_PIXELS = 12
"""Side of the smaller parts of the rim in pixels, and distance into the hole up to which a step has to find
known pixels; the larger parts have twice that: larger ones need longer pieces that match, smaller ones match
by chance. Not measured."""
_PROPOSED = 6
"""Steps that a part proposes, and a third of those that the whole rim does: more find more lines, fewer take
less time. Not measured."""
_MOST_STEPS = 60
"""Steps in all: more continue more parts, and take time and memory by their square; fewer leave parts without
one. He and Sun's number."""
_LEAST_STEP_PIXELS = 10
"""Length of a step in pixels: shorter ones only smear the rim into the hole and are not tried, longer ones
are. Set by eye on 16 scenes of ReS."""
_APART_PIXELS = 3
"""Distance in rows and columns up to which a step is the same as a better one of the same part; farther out
it is another. Not measured."""
_LEAST_SEEN, _LEAST_REACHED = 0.9, 0.6
"""Share of a part, and of the hole near it, that a step finds known pixels for: below it the step is not
proposed, at or above it is. Not measured."""
_USUAL_DIFFERENCE = 20.0
"""Squared difference in Lab that a proposal's weight falls to half at: higher counts how many parts propose a
step, lower how well it fits one. Not measured."""


def offset_candidates(lab: np.ndarray, hole: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Returns steps (row, column) from the hole to what may be copied into it, int32 ``[n, 2]``, best first.

    Args:
        lab: CIELAB, float32 ``[H, W, 3]``.
        hole: bool ``[H, W]``.
        known: bool ``[H, W]``, what may be copied and has to be continued.
    """
    overlay = _Overlay(lab, known)
    votes = dict[tuple[int, int], float]()
    for part, proposals in _parts(hole, known):
        beside = cv2.dilate(part, np.ones((2 * _PART_PIXELS + 1,) * 2, np.uint8)).astype(bool) & hole
        for step, difference in overlay.best(part.astype(np.float32), beside, proposals):
            near = ((step[0] + dy, step[1] + dx) for dy in (0, -1, 1) for dx in (0, -1, 1))
            same = next((other for other in near if other in votes), step)
            votes[same] = votes.get(same, 0.0) + 1 / (difference + _USUAL_DIFFERENCE)
    order = sorted(votes, key=lambda step: -votes[step])[:_MOST_STEPS]
    return np.array(order, np.int32).reshape(-1, 2)


def _parts(hole: np.ndarray, known: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """Returns parts of the rim, uint8 ``[H, W]``, and how many steps each may propose."""
    away = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5)
    rim = (away <= _RIM_PIXELS) & known
    rows, columns = np.nonzero(rim)
    parts = [(rim.astype(np.uint8), 3 * _PROPOSED)] if len(rows) else []
    for side in (_PART_PIXELS, 2 * _PART_PIXELS):
        for shift in (0, side // 2):
            cell = (rows + shift) // side * (known.shape[1] + side) + (columns + shift) // side
            for one in np.unique(cell):
                mine = cell == one
                if mine.sum() >= 2 * _RIM_PIXELS:
                    part = np.zeros(hole.shape, np.uint8)
                    part[rows[mine], columns[mine]] = 1
                    parts.append((part, _PROPOSED))
    return parts


class _Overlay:
    """A picture's spectra, padded so that nothing comes around its border."""

    def __init__(self, lab: np.ndarray, known: np.ndarray) -> None:
        self._size = tuple(cv2.getOptimalDFTSize(2 * side) for side in known.shape)
        weight = known.astype(np.float32)
        # about the mean, so that the differences of large numbers keep their digits
        self._lab = (lab - lab[known].mean(0)) * weight[..., None] if known.any() else 0 * lab
        self._squares = (self._lab**2).sum(-1)
        self._known = self._spectrum(weight)
        self._lab_spectra = [self._spectrum(self._lab[..., channel]) for channel in range(3)]
        self._squares_spectrum = self._spectrum(self._squares)
        rows, columns = (np.minimum(np.arange(side), side - np.arange(side)) for side in self._size)
        self._short = np.hypot.outer(rows, columns) < _LEAST_STEP_PIXELS

    def _spectrum(self, image: np.ndarray) -> np.ndarray:
        return np.fft.rfft2(image, self._size)

    def _sums(self, spectrum: np.ndarray) -> np.ndarray:
        return np.fft.irfft2(spectrum, self._size)

    def best(self, part: np.ndarray, beside: np.ndarray, count: int) -> list[tuple[tuple[int, int], float]]:
        """Returns the steps of least difference over a part of the rim, and that difference.

        Args:
            part: float32 ``[H, W]``, 1 in the part.
            beside: bool ``[H, W]``, the hole near it.
            count: how many at most.
        """
        mine = np.conj(self._spectrum(part))
        seen = self._sums(mine * self._known)
        reached = self._sums(np.conj(self._spectrum(beside.astype(np.float32))) * self._known)
        squares = np.conj(self._spectrum(self._squares * part)) * self._known + mine * self._squares_spectrum
        products = sum(
            np.conj(self._spectrum(self._lab[..., channel] * part)) * self._lab_spectra[channel]
            for channel in range(3)
        )
        difference = self._sums(squares - 2 * products).clip(0) / np.maximum(seen, 1)
        unseen = (seen < _LEAST_SEEN * part.sum()) | (reached < _LEAST_REACHED * max(beside.sum(), 1))
        difference[unseen | self._short] = np.inf
        found = list[tuple[tuple[int, int], float]]()
        height, width = self._size
        for _ in range(count):
            row, column = divmod(int(np.argmin(difference)), width)
            value = float(difference[row, column])
            if not np.isfinite(value):
                break
            # the second half of a spectrum's sums are steps up and to the left
            step = ((row + height // 2) % height - height // 2, (column + width // 2) % width - width // 2)
            found.append((step, value))
            rows, columns = (np.arange(at - _APART_PIXELS, at + _APART_PIXELS + 1) for at in (row, column))
            difference[np.ix_(rows % height, columns % width)] = np.inf
        return found
