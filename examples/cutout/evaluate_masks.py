"""What refining brings to masks that are rough, and what it costs those that are precise: on COCOEE.

    python -m examples.cutout.evaluate_masks COCOEE --part second

Every photograph's own mask is made rough in five ways. Printed is the mean IoU with the own mask before and
after refining, by default (where the mask is found to be rough) and when it is asked for (``--refine``).
"""

from pathlib import Path

import cv2
import cyclopts
import numpy as np

from examples.cutout.evaluate import Part, iou, read
from realedit.cutout.cutout import Answer, CutOut
from realedit.cutout.hints import Hint
from realedit.find.refined import refined

KINDS = ("own", "dilated", "eroded", "painted", "shifted", "polygon")
"""The masks that are refined."""


def roughened(mask: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Returns a mask, bool ``[H, W]``, made rough; lengths are in sides of a square of its area.

    Dilated by 0.08; eroded by 0.05, or by 0.02 where little would be left; painted: outside by 0.05 with an
    edge that wavers by 0.05; shifted right and down by 0.05; polygon: its outline's corners alone, those that
    are left where it may bend by 0.06.
    """
    side = float(np.sqrt(mask.sum()))
    solid = mask.astype(np.uint8)
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    if kind == "dilated":
        return inside > -0.08 * side
    if kind == "eroded":
        left = inside > 0.05 * side
        return left if left.sum() > 0.2 * mask.sum() else inside > 0.02 * side
    if kind == "painted":
        height, width = mask.shape
        cells = tuple(max(2, int(length / (0.3 * side)) + 2) for length in (height, width))
        hand = rng.normal(size=cells).astype(np.float32)
        wavering = cv2.resize(hand, (width, height), interpolation=cv2.INTER_CUBIC)
        return inside + 0.05 * side * wavering > -0.05 * side
    if kind == "shifted":
        return np.roll(mask, (int(0.05 * side), int(0.05 * side)), (0, 1))
    if kind == "polygon":
        outlines, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        corners = [cv2.approxPolyDP(outline, 0.06 * side, True) for outline in outlines]
        return cv2.fillPoly(np.zeros_like(solid), corners, 1) > 0
    return mask


def main(folder: Path, /, *, part: Part = "first") -> None:
    """Print a line for each kind of mask."""
    cut = CutOut.load()
    rows: dict[str, list[tuple[float, float, float, bool]]] = {kind: [] for kind in KINDS}
    for number, (_, photo, mask) in enumerate(read(folder, part)):
        for kind in KINDS:
            rough = roughened(mask, kind, np.random.default_rng(number))
            answer = cut.answers(photo, Hint(mask=rough.astype(np.float32)), most=1)[0]

            def told(_rough: np.ndarray, answer: Answer = answer) -> Answer:
                return answer

            left, asked = (
                refined(photo, rough.astype(np.float32), told, wanted=wanted) for wanted in (None, True)
            )
            figures = iou(rough, mask), iou(left.alpha, mask), iou(asked.alpha, mask)
            rows[kind].append((*figures, left.changed))
    for kind, found in rows.items():
        given, by_default, asked, changed = np.array(found, float).T
        print(
            f"{kind} {part}: IoU {given.mean():.3f}, by default {by_default.mean():.3f} "
            f"({int(changed.sum())} of {len(found)} refined, {(by_default < given - 0.01).sum()} worse, "
            f"least gain {(by_default - given).min():+.3f}), asked for {asked.mean():.3f} "
            f"(least gain {(asked - given).min():+.3f})",
            flush=True,
        )


if __name__ == "__main__":
    cyclopts.run(main)
