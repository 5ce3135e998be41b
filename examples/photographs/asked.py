"""The edits that are asked for: ``edits.json``, and the photographs that they name.

A photograph is named ``cocoee:ID`` or ``res:ID`` by PixelMan's own ids. ``by`` says what shows the object:
its ``word``, the data set's ``mask``, a ``point`` (by default the mask's deepest place) or a ``box`` (by
default the mask's own with 3 % of margin), at ``at``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from realedit.bench.case import Case
from realedit.bench.datasets import load_dataset
from realedit.bench.selection import Part, part_of
from realedit.errors import UsageError

EDITS = Path(__file__).parent / "edits.json"
MARGIN = 0.03
"""Margin of a box about a mask, as a share of its sides: people draw boxes a little too large. Set by
convention of `examples.cutout.evaluate`."""
HELD_BACK: Mapping[str, Part] = {"cocoee": "second", "res": "odd"}
"""Which part of each data set nothing was set on; see ``realedit bench --part``."""

By = Literal["word", "mask", "point", "box"]


@dataclass(frozen=True)
class Asked:
    """One edit.

    Args:
        id: its name.
        photo: the photograph's name.
        edit: an entry of ``--edits``; a file that it names is a photograph's name.
        by: what shows the object.
        at: the point (x, y) or the box (x0, y0, x1, y1), in fractions; None for the mask's own.
    """

    id: str
    photo: str
    edit: Mapping[str, Any]
    by: By
    at: Sequence[float] | None = None

    def shown(self, mask: np.ndarray | None) -> dict[str, Any]:
        """Returns what the pipeline is shown, by the name of its argument.

        Args:
            mask: the data set's, bool ``[H, W]``.

        Raises:
            UsageError: the photograph has no mask, and one is needed.
        """
        if self.by == "word":
            return {}
        if self.at is not None:
            return {self.by: tuple(self.at)}
        if mask is None or not mask.any():
            raise UsageError(f"{self.id}: {self.photo} has no mask", "give the edit a place")
        if self.by == "mask":
            return {"mask": mask.astype(np.float32)}
        return {self.by: deepest(mask) if self.by == "point" else box_of(mask)}


def read_asked(file: Path = EDITS) -> list[Asked]:
    """Reads the list."""
    return [Asked(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))]


def photographs(cocoee: Path, res: Path) -> dict[str, Case]:
    """Returns the photographs that nothing was set on, by name.

    Raises:
        UsageError: a folder is no data set.
        PhotoError: a file is missing.
    """
    return {
        f"{name}:{case.id}": case
        for name, folder in (("cocoee", cocoee), ("res", res))
        for case in part_of(load_dataset(folder), HELD_BACK[name])
    }


def deepest(mask: np.ndarray) -> tuple[float, float]:
    """Returns the place (x, y) of a mask that lies farthest from its edge, in fractions."""
    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return (float(x) + 0.5) / mask.shape[1], (float(y) + 0.5) / mask.shape[0]


def box_of(mask: np.ndarray) -> tuple[float, float, float, float]:
    """Returns a mask's box (x0, y0, x1, y1) with :data:`MARGIN`, in fractions."""
    rows, columns = np.nonzero(mask)
    h, w = mask.shape
    x0, x1, y0, y1 = columns.min() / w, (columns.max() + 1) / w, rows.min() / h, (rows.max() + 1) / h
    dx, dy = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
    return float(max(0, x0 - dx)), float(max(0, y0 - dy)), float(min(1, x1 + dx)), float(min(1, y1 + dy))
