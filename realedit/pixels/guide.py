"""What a hole should show, as far as it is known before it is filled: colours, their trust, and edges."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np


class Guide(NamedTuple):
    """Colours that a hole should have, and edges that nothing may be seen across.

    Args:
        lab: CIELAB, float32 ``[H, W, 3]``.
        trust: how sure they are, float32 ``[H, W]`` in [0, 1]; 0 outside the hole.
        edges: edges through the hole: rows and columns of both ends, float32 ``[n, 4]``.
    """

    lab: np.ndarray
    trust: np.ndarray
    edges: np.ndarray

    def resized(self, size: tuple[int, int]) -> Guide:
        """Scales it to a size (width, height)."""
        lab = cv2.resize(self.lab, size, interpolation=cv2.INTER_AREA)
        trust = cv2.resize(self.trust, size, interpolation=cv2.INTER_AREA)
        down, right = size[1] / self.trust.shape[0], size[0] / self.trust.shape[1]
        return Guide(lab, trust, self.edges * np.array([down, right, down, right], np.float32))


def merged(guides: list[Guide]) -> Guide | None:
    """Takes at each pixel the surest of several guides, and all their edges; None of none."""
    if not guides:
        return None
    trusts = np.stack([guide.trust for guide in guides])
    best = trusts.argmax(0)
    lab = np.take_along_axis(np.stack([guide.lab for guide in guides]), best[None, ..., None], 0)[0]
    return Guide(lab, trusts.max(0), np.concatenate([guide.edges for guide in guides]))
