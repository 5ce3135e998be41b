"""PIE-Bench's masks: runs over the flattened picture, ``start, length, start, length...``, rows first.

As its reference code reads them (PnPInversion, ``evaluation/evaluate.py``): starts count from 0, a run that
reaches over the end is cut there, and the evaluation also counts the picture's outermost pixels as edited
("to avoid annotation errors in boundary").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RunLengths:
    """A mask as runs of a flattened picture of ``size`` (height, width).

    Raises:
        ValueError: an odd count of numbers, a negative one, or a start behind the end.
    """

    runs: tuple[int, ...]
    size: tuple[int, int] = (512, 512)

    def __post_init__(self) -> None:
        if len(self.runs) % 2:
            raise ValueError("run lengths come in pairs of start and length")
        cells = self.size[0] * self.size[1]
        if any(value < 0 for value in self.runs) or any(start >= cells for start in self.runs[::2]):
            raise ValueError(f"run lengths must lie within the {self.size[1]} x {self.size[0]} picture")

    def decode(self, *, border: bool = False) -> np.ndarray:
        """Returns bool ``[H, W]``; with ``border`` the outermost pixels count as edited too."""
        flat = np.zeros(self.size[0] * self.size[1], bool)
        for start, length in zip(self.runs[::2], self.runs[1::2], strict=True):
            flat[start : start + length] = True
        mask = flat.reshape(self.size)
        return with_border(mask) if border else mask


def with_border(mask: np.ndarray) -> np.ndarray:
    """Copies a bool mask ``[H, W]`` with its outermost pixels set, as PIE-Bench's evaluation does."""
    edged = mask.copy()
    edged[[0, -1], :] = True
    edged[:, [0, -1]] = True
    return edged
