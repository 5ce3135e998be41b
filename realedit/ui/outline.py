"""A matte as lines that a page can draw."""

from __future__ import annotations

import cv2
import numpy as np

_SLACK_PIXELS = 0.6
"""How far a line may run from the matte's edge, in pixels of the matte: more gives fewer corners, less
smoother lines. Set by eye."""
_LEAST_SHARE = 2e-4
"""Share of the picture that a piece covers: smaller ones are not drawn. Set by eye."""

Line = list[list[float]]
"""Corners [x, y] in fractions of the picture, of a closed line."""


def outline(alpha: np.ndarray) -> list[Line]:
    """Returns the closed lines about what a matte covers by more than half, and about the gaps in it.

    Args:
        alpha: float ``[h, w]`` in [0, 1].
    """
    height, width = alpha.shape
    drawn = (alpha > 0.5).astype(np.uint8)
    found, _ = cv2.findContours(np.pad(drawn, 1), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    lines: list[Line] = []
    for one in found:
        if cv2.contourArea(one) < _LEAST_SHARE * height * width:
            continue
        corners = cv2.approxPolyDP(one, _SLACK_PIXELS, True)[:, 0].astype(np.float64)
        places = (corners - 1 + 0.5) / (width, height)
        lines.append([[round(float(x), 4), round(float(y), 4)] for x, y in places.clip(0, 1)])
    return lines
