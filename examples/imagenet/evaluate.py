"""How well words are found in real photographs: PixelMan's COCOEE set, its masks and its words.

    python -m examples.imagenet.evaluate COCOEE_DIR [--part first|second|all]

The photographs are taken in the order of their keys; "first" is the first half, on which the constants of
:mod:`realedit.find.names` were chosen, "second" the other, which was held back. Printed are

* *pointing*: in how many photographs the heat's highest place lies in the object's mask;
* *precision*: the mean average precision of the places, ranked by their heat, against the mask;
* *presence*: how often each photograph's own word is taken to be there, and how often a word of another one
is, at
  several thresholds, and the area under that curve. Words of other photographs count as absent unless the
  caption has them or they share more than a fifth of their classes with the photograph's own. Some are there
  nevertheless;
* *IoU*: of the object's mask with the one that GrabCut makes of the heat, as
../shared/prototypes/hint_to_mask.py
  does, where no better way from a hint to a mask is at hand.

Measured, first half / second: pointing 22 / 17 of 25, precision 0.759 / 0.590, IoU 0.620 / 0.459, area under
presence's curve 0.997 / 0.958; at the threshold in use 1.00 / 0.88 of the own words are found, and 0.043 /
0.077 of the others'. By eye, seven of the eleven pointed wrong are another thing of the same name.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from realedit.find.names import PRESENT, NameFinder, Seen
from realedit.models.imagenet import FOLDER

_EMBEDDED = FOLDER.parent / "tabletop"
_SETTLED_AT = 320
"""Pixels of the longer side at which GrabCut settles a heat."""
_SURE, _SURELY_NOT, _LIKELY = 0.88, 0.12, 0.5
"""Heat at or above the first is the object, at or below the second is not, above the third may rather be."""
_SHARED = 0.2
"""Share of the smaller word's classes: at or above it two words may mean one thing."""
_NEVER_ABSENT = frozenset({"person", "people", "man", "woman", "player", "baseball player"})
"""Words that are there in too many photographs whose captions do not say so."""


@dataclass(frozen=True)
class Example:
    """A photograph with an object that has a name."""

    rgb: np.ndarray
    mask: np.ndarray
    words: str
    caption: str


def examples(folder: Path, part: str) -> list[Example]:
    """COCOEE's, in the order of their keys."""
    listed = json.loads((folder / "COCOEE_dataset.json").read_text(encoding="utf-8"))
    keys = sorted(listed)
    half = len(keys) // 2
    keys = {"first": keys[:half], "second": keys[half:], "all": keys}[part]
    return [_example(folder, listed[key]) for key in keys]


def _example(folder: Path, entry: dict[str, str | list[str]]) -> Example:
    photo = Image.open(folder / "COCOEE_images" / str(entry["original_image_path"])).convert("RGB")
    mask = Image.open(folder / "COCOEE_masks" / str(entry["mask_path"])).convert("L")
    mask = mask.resize(photo.size, Image.Resampling.NEAREST)
    words, caption = " ".join(entry["words"]), str(entry["prompt"]).lower()
    return Example(np.asarray(photo), np.asarray(mask) > 127, words, caption)


def settled(rgb: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The mask, bool ``[H, W]``, that GrabCut makes of a heat ``[H, W]`` about its highest place."""
    scale = _SETTLED_AT / max(rgb.shape[:2])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    h, w = small.shape[:2]
    prior = cv2.resize(heat, (w, h))
    labels = np.where(prior > _LIKELY, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[prior < _SURELY_NOT], labels[prior > _SURE] = cv2.GC_BGD, cv2.GC_FGD
    y, x = np.unravel_index(int(prior.argmax()), prior.shape)
    seed = np.zeros((h, w), bool)
    seed[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5] = True
    labels[seed] = cv2.GC_FGD
    if not np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).all():
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(small, labels, (0, 0, 1, 1), *models, 3, cv2.GC_INIT_WITH_MASK)
    own = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    _, parts = cv2.connectedComponents(own.astype(np.uint8))
    own = np.isin(parts, np.unique(parts[seed & own]))
    return cv2.resize(own.astype(np.uint8), rgb.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0


def area_under(present: np.ndarray, absent: np.ndarray) -> float:
    """Probability that one that is there has more presence than one that is not; ties count half."""
    more = (present[:, None] > absent).mean() + (present[:, None] == absent).mean() / 2
    return float(more)


def average_precision(heat: np.ndarray, mask: np.ndarray) -> float:
    """Of the places ranked by their heat, float32 ``[h, w]``, against a mask, bool ``[H, W]``."""
    share = cv2.resize(mask.astype(np.float32), heat.shape[1::-1], interpolation=cv2.INTER_AREA).ravel()
    inside = share > (0.5 if (share > 0.5).any() else 0)
    inside = inside[np.argsort(-heat.ravel(), kind="stable")]
    return float((np.cumsum(inside) / np.arange(1, inside.size + 1))[inside].mean())


def absent_words(finder: NameFinder, example: Example, words: list[str]) -> list[str]:
    """Those of the words that the example's photograph is taken not to show."""
    own = finder.words.meaning(finder.words.normalised(example.words))
    found: list[str] = []
    for word in words:
        meaning = finder.words.meaning(word)
        if meaning is None or word in _NEVER_ABSENT or word in example.caption:
            continue
        both = set(meaning.classes) & set(own.classes if own else ())
        if own is None or len(both) <= _SHARED * min(len(meaning.classes), len(own.classes)):
            found.append(word)
    return found


def main(folder: Path, part: str) -> None:
    """Measure and print."""
    finder = NameFinder.load(_EMBEDDED)
    known = {
        example.words: meaning.word
        for example in examples(folder, "all")
        if (meaning := finder.words.meaning(finder.words.normalised(example.words)))
    }
    every = sorted(set(known.values()))
    pointed: list[bool] = []
    ious: list[float] = []
    precisions: list[float] = []
    present: list[float] = []
    absent: list[float] = []
    chosen = examples(folder, part)
    for example in chosen:
        seen: Seen = finder.look(example.rgb)
        absent += [finder.find(seen, word).presence for word in absent_words(finder, example, every)]
        if example.words not in known:
            print(f"{example.words:24s} not known: {'; '.join(finder.words.nearest_known(example.words))}")
            pointed.append(False)
            ious.append(0.0)
            continue
        named = finder.find(seen, example.words)
        heat = cv2.resize(named.heat, example.rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        y, x = np.unravel_index(int(heat.argmax()), heat.shape)
        mask = settled(example.rgb, heat)
        pointed.append(bool(example.mask[y, x]))
        ious.append(float((mask & example.mask).sum() / (mask | example.mask).sum()))
        precisions.append(average_precision(named.heat, example.mask))
        present.append(named.presence)
        print(
            f"{example.words:24s} {named.word + (' ~' if named.stand_in else ''):20s} "
            f"{'right' if pointed[-1] else 'WRONG'}  IoU {ious[-1]:.2f}  presence {named.presence:.2f}"
        )
    print(f"\n{part}: {len(chosen)} photographs, {len(present)} words known")
    print(f"pointing {sum(pointed)} of {len(chosen)}; precision {np.mean(precisions):.3f}")
    print(f"IoU settled by GrabCut {np.mean(ious):.3f}, over 0.5: {np.mean(np.array(ious) > 0.5):.2f}")
    there, not_there = np.array(present), np.array(absent)
    print(
        f"presence: area under the curve {area_under(there, not_there):.3f} ({there.size} / {not_there.size})"
    )
    for threshold in (0.05, 0.1, 0.2, 0.3, PRESENT, 0.7, 0.8, 0.9, 0.95):
        found, wrongly = (there >= threshold).mean(), (not_there >= threshold).mean()
        print(f"  from {threshold:4}: own words found {found:.2f}, others' found {wrongly:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=("first", "second", "all"), default="all")
    given = parser.parse_args()
    main(given.folder, given.part)
