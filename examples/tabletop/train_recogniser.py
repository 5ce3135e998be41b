"""Train the embedded model's recogniser: which noun stands where, read from a photograph network's features.

    python -m examples.tabletop.train_recogniser --scenes FOLDER --output FOLDER

The features are EfficientNet-Lite0's and stay as they are; only the heads over them are trained, on the
mean over each object, on some of its places, and on places where nothing stands. ``--output`` is a pipeline's
folder, which the recogniser is added to.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import cyclopts
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from examples.tabletop.frames import Frame, read_frames, tracked
from examples.tabletop.image_features import halves
from examples.tabletop.vocabulary import NOUNS, SYNONYMS
from examples.tabletop.working_precision import autocast
from realedit.models.folder import RECOGNISER
from realedit.models.recogniser import Recogniser
from realedit.system.progress import progress_bars

_PLACES = 3  # of an object, and of what is bare beside it, besides the object's mean
_COVERED = 0.6  # of a place, for it to count as the object's
_SEEN = 16  # pictures at once
_BATCH = 1024
_RATE = 2e-3


def train_recogniser(
    scenes: Sequence[Path], output: Path, pictures: int = 400, epochs: int = 10, seed: int = 0
) -> None:
    """Train and save.

    Args:
        scenes: Folders of scenes; give the option once for each.
        output: The pipeline's folder.
        pictures: Of each folder, at most.
        epochs: How often each example is seen.
        seed: Of weights, examples and their order.
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    recogniser = new_recogniser()
    folders = tracked(scenes, "features", len(scenes))
    drawn = [examples(read_frames([folder], pictures), recogniser, rng) for folder in folders]
    features, nouns = (torch.from_numpy(np.concatenate(part)) for part in zip(*drawn, strict=True))
    recogniser.mean, recogniser.deviation = features.mean(0), features.std(0) + 1e-3
    fit(recogniser, features, nouns, epochs)
    recogniser.save(output / RECOGNISER)


def examples(
    frames: Sequence[Frame], recogniser: Recogniser, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 ``[M, 432]``, and the number of each one's noun; one more than the last is nothing.

    Every other picture, by chance, is seen mirrored.
    """
    drawn: list[tuple[np.ndarray, int]] = []
    layout = torch.channels_last
    network = recogniser.features.to(memory_format=layout)
    for start in range(0, len(frames), _SEEN):
        some = frames[start : start + _SEEN]
        turned = [bool(rng.integers(2)) for _ in some]
        pictures = np.stack(
            [f.image[:, ::-1] if turn else f.image for f, turn in zip(some, turned, strict=True)]
        )
        pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().contiguous(memory_format=layout)
        with torch.no_grad(), autocast("cpu"):
            seen = network(pixels).float().numpy()
        for values, frame, turn in zip(seen, some, turned, strict=True):
            instances = frame.instances[:, ::-1] if turn else frame.instances
            drawn += _of_picture(values, instances, frame.scene, rng)
    features, nouns = zip(*drawn, strict=True)
    return np.array(features, np.float32), np.array(nouns)


def _of_picture(
    values: np.ndarray, instances: np.ndarray, scene: dict[str, Any], rng: np.random.Generator
) -> list[tuple[np.ndarray, int]]:
    """One picture's examples, of features ``[432, h, h]``."""
    side = values.shape[-1]

    def some(where: np.ndarray, noun: int) -> list[tuple[np.ndarray, int]]:
        return [(values[:, y, x], noun) for y, x in rng.permutation(np.argwhere(where))[:_PLACES]]

    drawn = []
    for number, thing in enumerate(scene["objects"], 1):
        share = _shares(instances == number, side)
        if share.sum() >= 1:
            noun = NOUNS.index(thing["noun"])
            drawn.append(((values * share).sum((1, 2)) / share.sum(), noun))
            drawn += some(share > _COVERED, noun)
    return drawn + some(_shares(instances > 0, side) == 0, len(NOUNS))


def _shares(mask: np.ndarray, side: int) -> np.ndarray:
    """The share of each place, ``[side, side]``, that a mask covers."""
    return cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)


def fit(recogniser: Recogniser, features: Tensor, nouns: Tensor, epochs: int) -> None:
    """Train the heads, each by itself, to tell the nouns ``[M]`` from the features ``[M, 432]``."""
    steps = max(1, epochs * len(features) // _BATCH)
    optimizer = torch.optim.AdamW(recogniser.heads.parameters(), _RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    recogniser.heads.train()
    with progress_bars() as report:
        for step in range(steps):
            chosen = torch.randint(len(features), (_BATCH,))
            answers = recogniser.answers(features[chosen])
            loss = torch.stack(
                [F.cross_entropy(answer, nouns[chosen], label_smoothing=0.05) for answer in answers]
            ).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            report("training", step + 1, steps)
    recogniser.eval()


def new_recogniser() -> Recogniser:
    """One whose features are EfficientNet-Lite0's, its normalisation folded into the convolutions."""
    known = {noun: words for noun, words in SYNONYMS.items() if noun in NOUNS}
    recogniser = Recogniser(NOUNS, known)
    front: Any = halves(len(recogniser.features.blocks))[0]
    stem, norm, _, *blocks = front
    _fold(recogniser.features.stem, stem, norm)
    for ours, theirs in zip(recogniser.features.blocks, blocks, strict=True):
        _fold_block(ours, theirs)
    recogniser.features.requires_grad_(False)
    return recogniser


def _fold_block(ours: Any, theirs: Any) -> None:  # noqa: ANN401 - the package's names are not typed
    if ours.expand is not None:
        _fold(ours.expand, theirs._expand_conv, theirs._bn0)
    _fold(ours.filter, theirs._depthwise_conv, theirs._bn1)
    _fold(ours.project, theirs._project_conv, theirs._bn2)


@torch.no_grad()
def _fold(ours: nn.Conv2d, convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """One convolution with a bias for a convolution and the normalisation behind it."""
    if norm.running_var is None or norm.running_mean is None or ours.bias is None:
        raise ValueError("a normalisation without statistics cannot be folded")
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    ours.weight.copy_(convolution.weight * scale[:, None, None, None])
    ours.bias.copy_(norm.bias - norm.running_mean * scale)


if __name__ == "__main__":
    cyclopts.run(train_recogniser)
