"""Cuts out what a hint means by SAM, in place of our own cut-out network and with the same answers."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.cutout.cutout import Answer
from realedit.cutout.cuts_out import CutsOut
from realedit.cutout.hints import Box, Hint, Point
from realedit.cutout.network import ANSWERS
from realedit.external.prompted import Outline, Prompt, PromptSegmenter
from realedit.pixels.matting import matte

_HOT = 0.5
"""Share of a heat's peak: the places about the peak that reach it are what SAM is given as a box; a higher
share gives smaller boxes, a lower one takes the surroundings in. Not measured."""
_ROOM = 0.1
"""Room about a hot place or a rough mask, in its box's sides: with more of it the box says less, with less it
may cut the thing. Not measured."""
_DRAWN = 0.5
"""Share of a mask: a place at or above it is drawn, below it is not. Set by that half."""


class SamCutOut:
    """SAM, HQ-SAM or SAM 2 behind :class:`realedit.cutout.cuts_out.CutsOut`.

    A rough mask is given to SAM as its own masks are, with its box and its deepest place; a heat as its peak
    and the box of the hot places about it. The confidence is the IoU that SAM itself expects.

    For a single point that says nothing of whether the part, the thing or the group is meant: MobileSAM's was
    0.92 or more on all nine wrong answers (IoU below 0.5) to a point in 48 photographs of COCOEE. So there it
    is weighed by how much a second cut-out, trained apart, agrees: of 16 of the first 25, all three wrong
    answers then fell below 0.65, and three of the 13 right ones.

    Args:
        segmenter: the model.
        second: what else is asked about a single point; None for nothing else.
    """

    def __init__(self, segmenter: PromptSegmenter, second: CutsOut | None = None) -> None:
        self.segmenter = segmenter
        self.second = second

    def answers(self, rgb: np.ndarray, hint: Hint, most: int = ANSWERS) -> list[Answer]:
        """Returns up to ``most`` ways to take the hint, the likeliest first.

        Only a single point has several: what else is told says which of them is meant.

        Args:
            rgb: the photo, uint8 ``[H, W, 3]``.
            hint: where the thing is.
            most: at least 1.

        Raises:
            UsageError: the hint says nothing, or is not in the photo.
            NumericalError: the model's answer is not a number.
        """
        prompt, single = asked(hint.checked(), rgb.shape[:2])
        outlines = self.segmenter.outlines(rgb, prompt, several=single)
        other = self.second.answers(rgb, hint, 1)[0].alpha if single and self.second is not None else None
        answers: list[Answer] = []
        for one in outlines[: max(1, most)]:
            alpha = outlined(rgb, one)
            answers.append(Answer(alpha, one.sure if other is None else one.sure * _iou(alpha, other)))
        return answers


def asked(hint: Hint, size: tuple[int, int]) -> tuple[Prompt, bool]:
    """Turns a hint into what SAM takes, and tells whether it is a single point and nothing else.

    Args:
        hint: it says something, and lies in the photo.
        size: the photo's (H, W).
    """
    points, box, mask = list(hint.positive), hint.box, None
    if hint.mask is not None and float(hint.mask.max()) >= _DRAWN:
        mask = hint.mask.astype(np.float32)
        box = box or _box_of(mask >= _DRAWN)
        points = points or [_deepest(mask >= _DRAWN)]
    elif hint.heat is not None and not points:
        peak, hot = _hottest(hint.heat)
        points = [peak]
        box = box or _box_of(hot)
    height, width = size
    on = (True,) * len(points) + (False,) * len(hint.negative)
    prompt = Prompt(
        tuple((x * width, y * height) for x, y in (*points, *hint.negative)),
        on,
        None if box is None else (box[0] * width, box[1] * height, box[2] * width, box[3] * height),
        mask,
    )
    return prompt, len(on) == 1 and box is None


def _deepest(drawn: np.ndarray) -> Point:
    """Returns the place farthest inside what is drawn, (x, y) in fractions of the frame."""
    depth = cv2.distanceTransform(np.pad(drawn.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return ((float(x) + 0.5) / drawn.shape[1], (float(y) + 0.5) / drawn.shape[0])


def _hottest(heat: np.ndarray) -> tuple[Point, np.ndarray]:
    """Returns a heat's peak, and the hot places that hang together with it, bool ``[h, w]``."""
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    hot: np.ndarray = (heat >= _HOT * float(heat.max())).astype(np.uint8)
    pieces: np.ndarray = cv2.connectedComponentsWithStats(hot)[1]
    peak = ((float(x) + 0.5) / heat.shape[1], (float(y) + 0.5) / heat.shape[0])
    return peak, pieces == pieces[y, x]


def _box_of(drawn: np.ndarray) -> Box:
    """Returns the box about what is drawn, with some room, in fractions of the frame."""
    h, w = drawn.shape
    x, y, across, down = cv2.boundingRect(drawn.astype(np.uint8))
    beside, above = _ROOM * across, _ROOM * down
    return (
        max(0.0, (x - beside) / w),
        max(0.0, (y - above) / h),
        min(1.0, (x + across + beside) / w),
        min(1.0, (y + down + above) / h),
    )


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    a, b = one > _DRAWN, other > _DRAWN
    return float((a & b).sum() / max(int((a | b).sum()), 1))


def outlined(rgb: np.ndarray, outline: Outline) -> np.ndarray:
    """Returns an outline as alpha, float32 ``[H, W]``, with the soft edges that the photo's pixels show."""
    hard = outline.logits > 0
    return matte(rgb, hard) if hard.any() else hard.astype(np.float32)
