"""Whether the recogniser names things, tells those of one picture apart, and denies what is not there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from examples.tabletop.frames import half_width, read_frames, tracked
from realedit.find.by_word import LEAST_LIKELIHOOD
from realedit.models.efficientnet_lite import PLACE_PIXELS
from realedit.models.recogniser import Recogniser


def recogniser(model: Path, scenes: Sequence[Path], limit: int) -> dict[str, Any]:
    """Right answers about objects given by their true outlines, and what the least likelihood lets through.

    Args:
        model: A pipeline's folder that has a recogniser.
        scenes: Folders of scenes that it has not seen.
        limit: Pictures, at most.
    """
    network = Recogniser.load(model)
    if network is None:
        raise SystemExit(f"{model} has no recogniser")
    named: list[bool] = []
    told_apart: list[bool] = []
    found: dict[bool, list[bool]] = {True: [], False: []}
    frames = read_frames(scenes, limit)
    for frame in tracked(frames, "recogniser", len(frames)):
        seen = network.probabilities(frame.image, frame.image.shape[:2])
        answers = []
        for thing, mask in frame.visible():
            share = cv2.resize(mask.astype(np.float32), seen.shape[1::-1], interpolation=cv2.INTER_AREA)
            answers.append((network.nouns.index(thing["noun"]), mean_log(seen, share)))
        for noun, answer in answers:
            named.append(int(answer[:-1].argmax()) == noun)
            others = [other[noun] for which, other in answers if which != noun]
            if others:
                told_apart.append(bool(answer[noun] > max(others)))
        peaks = cv2.GaussianBlur(seen, (0, 0), 1).max((0, 1))
        there = {noun for noun, _ in answers}
        parts = {part for thing in frame.scene["objects"] for part in thing["noun"].split()}
        for noun, words in enumerate(network.nouns):
            # "glass" is not asked for where there is a wine glass
            if noun in there or not parts & set(words.split()):
                found[noun in there].append(bool(peaks[noun] >= LEAST_LIKELIHOOD))
    return {
        "pictures": len(frames),
        "objects": len(named),
        "named": float(np.mean(named)),
        "named_95": half_width(named),
        "among_others": len(told_apart),
        "told_apart": float(np.mean(told_apart)),
        "told_apart_95": half_width(told_apart),
        "least_likelihood": LEAST_LIKELIHOOD,
        "present_found": float(np.mean(found[True])),
        "absent_found": float(np.mean(found[False])),
        "pixels_of_a_place": PLACE_PIXELS,
    }


def mean_log(seen: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Mean of log P over an object, ``[nouns + 1]``.

    Args:
        seen: P(noun | place), ``[h, w, nouns + 1]``.
        share: of each place that it covers, ``[h, w]``.
    """
    return np.einsum("hwn,hw->n", np.log(seen + 1e-9), share) / share.sum()
