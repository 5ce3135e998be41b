"""Which noun an independent classifier reads where a replaced object truly is.

The classifier (``examples/tabletop/classifier.py``) is trained on rendered crops and knows nothing of the
diffusion model; it is shown the true mask's square of every method's picture, and of the truth's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from examples.results.parts import NOUNS, TRUTH
from examples.tabletop.classifier import Classifier
from examples.tabletop.object_crops import MARGIN, cut, square
from realedit.bench.case import Case, LoadedCase
from realedit.bench.records import Record


def read_nouns(
    folder: Path, records: Sequence[Record], cases: Sequence[Case], classifier_folder: Path
) -> None:
    """Write :data:`NOUNS` beside the records: by method, the share of pictures that show the new noun.

    Args:
        folder: of a run.
        records: of that run.
        cases: of that run; those whose noun the classifier does not know are left out.
        classifier_folder: output of ``train-classifier``.
    """
    classifier = Classifier.load(classifier_folder)
    known = {case.id: LoadedCase.of(case) for case in cases if case.edit.new_object in classifier.nouns}
    hits: dict[str, list[bool]] = {}
    for record in records:
        if record.case in known and record.picture is not None:
            picture = np.asarray(Image.open(folder / record.picture).convert("RGB"))
            hits.setdefault(record.method, []).append(shows(classifier, known[record.case], picture))
    for loaded in known.values():
        if loaded.truth is not None:
            hits.setdefault(TRUTH, []).append(shows(classifier, loaded, loaded.truth))
    shares = {method: {"share": float(np.mean(found)), "n": len(found)} for method, found in hits.items()}
    (folder / NOUNS).write_text(json.dumps(shares, indent=1) + "\n")


def shows(classifier: Classifier, loaded: LoadedCase, picture: np.ndarray) -> bool:
    """Whether the surest noun at the truth's place is the one asked for."""
    if loaded.truth_mask is None:
        raise ValueError(f"case {loaded.case.id} has no mask of its truth")
    left, top, width, height = cv2.boundingRect(loaded.truth_mask.astype(np.uint8))
    box = square((left, top, width, height), MARGIN, min(picture.shape[:2]))
    nouns, _ = classifier.probabilities(cut(picture, box)[None])
    return classifier.nouns[int(nouns[0].argmax())] == loaded.case.edit.new_object
