"""Train the independent classifier on crops of rendered objects, and measure it on crops held out."""

import math
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from examples.tabletop.classifier import Classifier, as_pixels
from examples.tabletop.frames import read_frames
from examples.tabletop.object_crops import NOTHING, Crop, ObjectCrops
from examples.tabletop.vocabulary import COLOURS
from realedit.system.progress import progress_bars

_BATCH = 64
_RATE, _COLOUR_RATE = 1e-3, 5e-3
_WARM_UP = 20  # steps
_SMOOTHING = 0.05
_COLOUR_WEIGHT = 0.7
_NO_COLOUR = -100  # what cross_entropy leaves out
_HELD_OUT = 10  # one frame in so many, at the end of a folder
_EMPTY = 300  # crops of nothing to measure with


def train_classifier(
    scenes: Sequence[Path], output: Path, minutes: float, held_out: Sequence[Path], seed: int
) -> dict[str, Any]:
    """Train, save and measure.

    Args:
        scenes: Folders of scenes to learn from.
        output: The folder to write.
        minutes: How long to train.
        held_out: Folders of scenes to measure with; without any, the last tenth of each of ``scenes``, which
            shares its objects' shapes with the rest.
        seed: Of weights and crops.
    """
    learnt, measured = [], read_frames(held_out)
    for folder in scenes:
        frames = read_frames([folder])
        aside = 0 if held_out else -(-len(frames) // _HELD_OUT)
        learnt += frames[: len(frames) - aside]
        measured += frames[len(frames) - aside :]
    crops = ObjectCrops(learnt)
    torch.manual_seed(seed)
    classifier = Classifier.new(crops.nouns, tuple(COLOURS))
    steps = _fit(classifier, crops, minutes, np.random.default_rng(seed))
    classifier.save(output)
    figures = measure(classifier, ObjectCrops(measured), np.random.default_rng(seed))
    return {"steps": steps, "frames": len(learnt), "objects": len(crops.things), **figures}


def measure(classifier: Classifier, crops: ObjectCrops, rng: np.random.Generator) -> dict[str, Any]:
    """Accuracy on whole objects and on crops of nothing, and what is taken for what most often."""
    things = [thing for thing in crops.things if thing.noun in classifier.nouns]
    known = [crops.plain(thing) for thing in things]
    nouns, colours = classifier.probabilities(np.stack([crop.pixels for crop in known]))
    coloured = [k for k, crop in enumerate(known) if crop.colour is not None]
    noun_truth = [crop.noun for crop in known]
    colour_truth = [str(known[k].colour) for k in coloured]
    empty, _ = classifier.probabilities(np.stack([crops.empty(rng).pixels for _ in range(_EMPTY)]))
    return {
        "held_out": {"frames": len(crops.frames), "objects": len(known), "coloured": len(coloured)},
        "noun": _accuracy(nouns, classifier.nouns, noun_truth),
        "colour": _accuracy(colours[coloured], classifier.colours, colour_truth),
        "nothing": float((empty.argmax(1) == classifier.nouns.index(NOTHING)).mean()),
    }


def _fit(classifier: Classifier, crops: ObjectCrops, minutes: float, rng: np.random.Generator) -> int:
    network = classifier.network.train()
    new = [*network.paint.parameters(), *network.colour.parameters()]
    known = [*network.tail.parameters(), *network.noun.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": known, "rate": _RATE}, {"params": new, "rate": _COLOUR_RATE}], weight_decay=0.05
    )
    began, step = time.monotonic(), 0
    with progress_bars() as report:
        while (elapsed := time.monotonic() - began) < 60 * minutes:
            done = elapsed / (60 * minutes)
            share = min(1, (step + 1) / _WARM_UP) * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)
            for group in optimiser.param_groups:
                group["lr"] = share * group["rate"]
            loss = _loss(classifier, [crops.draw(rng) for _ in range(_BATCH)])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
            report("training", round(elapsed), round(60 * minutes))
    network.eval()
    return step


def _loss(classifier: Classifier, crops: Sequence[Crop]) -> Tensor:
    nouns, colours = classifier.network(as_pixels(np.stack([crop.pixels for crop in crops])))
    noun = torch.tensor([classifier.nouns.index(crop.noun) for crop in crops])
    colour = torch.tensor(
        [classifier.colours.index(crop.colour) if crop.colour else _NO_COLOUR for crop in crops]
    )
    colour_loss = F.cross_entropy(colours, colour, label_smoothing=_SMOOTHING)
    return F.cross_entropy(nouns, noun, label_smoothing=_SMOOTHING) + _COLOUR_WEIGHT * colour_loss


def _accuracy(probabilities: np.ndarray, words: Sequence[str], truth: Sequence[str]) -> dict[str, Any]:
    order = np.argsort(-probabilities, axis=1)
    best = [words[k] for k in order[:, 0]]
    among_two = [true in (words[a], words[b]) for true, (a, b) in zip(truth, order[:, :2], strict=True)]
    mistakes = Counter(
        f"{true} taken for {found}" for true, found in zip(truth, best, strict=True) if true != found
    )
    return {
        "accuracy": float(np.mean([a == b for a, b in zip(best, truth, strict=True)])),
        "among_two": float(np.mean(among_two)),
        "mistakes": dict(mistakes.most_common(10)),
    }
