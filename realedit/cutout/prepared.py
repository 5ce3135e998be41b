"""A photo prepared for quick answers: its features are made once, then a point is answered in one short pass.

What a pointer over a photo is shown has to come while it is there. Of the first look at a photo
(:meth:`realedit.cutout.cutout.CutOut.rough`) most is the same for every hint; here it is kept. The answers
are that look's, taken once and not mirrored, with the edge led by the photo's own at screen size; what an
edit works with is :meth:`realedit.cutout.cutout.CutOut.answers`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from realedit.cutout.cutout import CutOut, agreement, led_by, seen_size, whole_pieces
from realedit.cutout.hints import Hint, Point
from realedit.cutout.network import ANSWERS
from realedit.pixels.resizing import at_size

_SCREEN_SIDE = 768
"""Longer side in pixels of a quick answer: above it outlines are finer and take longer, below it coarser. Set
by eye: 768 takes 15 ms of one core for its edge."""


@dataclass(frozen=True, slots=True)
class QuickAnswer:
    """What is under a point, roughly.

    Args:
        alpha: float32 ``[h, w]`` in [0, 1] over the whole photo, the longer side at most 768.
        agreement: how alike the answers are that it was chosen from, in [0, 1]; more is surer.
    """

    alpha: np.ndarray
    agreement: float


class PreparedPhoto:
    """A photo whose features are known.

    Args:
        cutout: the cut-out network.
        rgb: the photo, uint8 ``[H, W, 3]``.
    """

    @torch.inference_mode()
    def __init__(self, cutout: CutOut, rgb: np.ndarray) -> None:
        self._network = cutout.network
        height, width = seen_size(rgb.shape[:2])
        self._cells = (height // 4, width // 4)
        seen = np.ascontiguousarray(at_size(rgb, (height, width)))
        self._pixels = torch.as_tensor(seen).permute(2, 0, 1)[None].float()
        self._pyramid = cutout.pyramid(self._pixels)
        scale = min(1.0, _SCREEN_SIDE / max(rgb.shape[:2]))
        size = (max(1, round(rgb.shape[0] * scale)), max(1, round(rgb.shape[1] * scale)))
        self.screen = at_size(rgb, size)
        """The photo at the answers' size, uint8 ``[h, w, 3]``."""

    @torch.inference_mode()
    def answer(self, points: Sequence[Point], beside: Sequence[Point] = ()) -> QuickAnswer:
        """Returns what is meant by points on a thing, and points beside it.

        Args:
            points: (x, y) in [0, 1], on the thing.
            beside: (x, y) in [0, 1], not on it.

        Raises:
            UsageError: there is no point, or one is not in the photo.
        """
        hint = Hint(tuple(points), tuple(beside)).checked()
        asked = [hint, Hint(hint.negative, hint.positive)] if hint.negative else [hint]
        maps = torch.as_tensor(np.stack([one.maps(*self._cells) for one in asked]))[None]
        logits = self._network(self._pixels, self._pyramid, maps)[0][0].numpy()
        agreed = [agreement(logits[0], number) for number in range(ANSWERS)]
        best = int(np.argmax(agreed))
        chosen = logits[0, best]
        for other in logits[1:]:
            chosen = chosen - np.maximum(other[best], 0)
        alpha = led_by(self.screen, (1 / (1 + np.exp(-chosen))).astype(np.float32))
        return QuickAnswer(whole_pieces(alpha, hint), float(agreed[best]))
