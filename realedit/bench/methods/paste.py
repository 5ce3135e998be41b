"""Classical editing with OpenCV: inpaint behind, paste in front or clone; the true mask is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from realedit.bench.case import LoadedCase
from realedit.bench.edit_spec import GEOMETRIC
from realedit.bench.methods.pasted import NAVIER_STOKES, TELEA, grown, paste
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench
from realedit.pixels.unit import unit_of
from realedit.system.stopwatch import Stopwatch

_ERODED = 3
"""How often OpenCV's ``seamlessClone`` erodes its mask, by a square of three pixels: made up for here.
Set by OpenCV."""


@dataclass(frozen=True)
class _Paste:
    """Inpainting behind, the object's own pixels in front.

    Args:
        margin: how far the hole reaches beyond the mask, in 1/256 of the longer side.
        radius: radius of the inpainting, in the same unit.
    """

    margin: int = 4
    radius: float = 5.0

    edits: ClassVar[frozenset[str]] = GEOMETRIC | {"remove"}
    needs_mask: ClassVar[bool] = True
    needs_object: ClassVar[bool] = False
    uses_model: ClassVar[bool] = False
    grid: ClassVar[Mapping[str, tuple[object, ...]]] = {"margin": (2, 4, 6), "radius": (3.0, 5.0, 9.0)}
    algorithm: ClassVar[int]

    def edit(self, loaded: LoadedCase, bench: Workbench) -> Outcome:
        """Inpaints and pastes."""
        clock = Stopwatch()
        pasted = paste(loaded, self.algorithm, margin=self.margin, radius=self.radius)
        clock.lap("paste")
        return Outcome(pasted.picture, clock.laps, after=pasted.after if pasted.after.any() else None)


class PasteTelea(_Paste):
    """Telea 2004, *An Image Inpainting Technique Based on the Fast Marching Method*."""

    algorithm = TELEA


class PasteNavierStokes(_Paste):
    """Bertalmio et al. 2001, *Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting*."""

    algorithm = NAVIER_STOKES


@dataclass(frozen=True)
class PasteSeamless:
    """Poisson cloning of the object into the inpainted photo (Perez et al. 2003; OpenCV's ``seamlessClone``).

    Args:
        margin: how far the hole reaches beyond the mask, in 1/256 of the longer side.
        rim: how much of the object's surroundings is cloned with it, in the same unit.
        mixed: whether the stronger of both gradients is taken (OpenCV's ``MIXED_CLONE``).
    """

    margin: int = 4
    rim: int = 3
    mixed: bool = False

    edits: ClassVar[frozenset[str]] = GEOMETRIC
    needs_mask: ClassVar[bool] = True
    needs_object: ClassVar[bool] = False
    uses_model: ClassVar[bool] = False
    grid: ClassVar[Mapping[str, tuple[object, ...]]] = {"rim": (1, 3, 6), "mixed": (False, True)}

    def edit(self, loaded: LoadedCase, bench: Workbench) -> Outcome:
        """Inpaints and clones; where the object leaves the frame OpenCV cannot clone, and it is pasted."""
        clock = Stopwatch()
        pasted = paste(loaded, TELEA, margin=self.margin)
        picture = _cloned(pasted.front, pasted.behind, pasted.after, self.rim, mixed=self.mixed)
        clock.lap("clone")
        return Outcome(pasted.picture if picture is None else picture, clock.laps, after=pasted.after)


def _cloned(
    front: np.ndarray, behind: np.ndarray, after: np.ndarray, rim: int, *, mixed: bool
) -> np.ndarray | None:
    h, w = after.shape
    kept = grown(after, rim * unit_of((h, w))).astype(np.uint8)
    region = cv2.dilate(kept, np.ones((3, 3), np.uint8), iterations=_ERODED) > 0
    region[[0, -1], :] = region[:, [0, -1]] = False  # a Poisson problem needs its border inside the picture
    if not region.any():
        return None
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    # OpenCV puts the centre of the region's bounding box here: chosen so that it stays where it is
    centre = (int(columns[0] + columns[-1] + 1) // 2, int(rows[0] + rows[-1] + 1) // 2)
    source = front.round().astype(np.uint8)
    mask = region.astype(np.uint8) * 255
    flag = cv2.MIXED_CLONE if mixed else cv2.NORMAL_CLONE
    return cv2.seamlessClone(source, behind, mask, centre, flag)
