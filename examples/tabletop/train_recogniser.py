"""Train the embedded model's recogniser: which noun stands where, read from a photograph network's features.

    python -m examples.tabletop.train_recogniser --scenes FOLDER --cache FOLDER --output FOLDER

The features are EfficientNet-Lite0's and stay as they are; only the two layers over them are trained, on the
mean over each object, on some of its places, and on places where nothing stands. ``--output`` is a pipeline's
folder, which the recogniser is added to.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cyclopts
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from examples.tabletop.alignment import CHANNELS, SIDE, features_file, see_pictures
from examples.tabletop.frames import read_frames
from examples.tabletop.image_features import halves
from examples.tabletop.latents import new_file
from examples.tabletop.vocabulary import NOUNS, SYNONYMS
from realedit.progress import progress_bars
from realedit.recogniser import FOLDER, Recogniser

_PLACES = 3  # of an object, and of what is bare beside it, besides the object's mean
_COVERED = 0.6  # of a place, for it to count as the object's
_BATCH = 1024
_RATE = 2e-3


def train_recogniser(
    scenes: Sequence[Path], cache: Path, output: Path, epochs: int = 6, seed: int = 0
) -> None:
    """Train and save.

    Args:
        scenes: Folders of scenes; give the option once for each.
        cache: Where the features go.
        output: The pipeline's folder.
        epochs: How often each example is seen.
        seed: Of weights, examples and their order.
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    drawn = [examples(folder, seen_of(folder, cache), rng) for folder in scenes]
    features, nouns = (torch.from_numpy(np.concatenate(part)) for part in zip(*drawn, strict=True))
    recogniser = new_recogniser()
    recogniser.mean, recogniser.deviation = features.mean(0), features.std(0) + 1e-3
    fit(recogniser, features, nouns, epochs)
    recogniser.save(output / FOLDER)


def seen_of(folder: Path, cache: Path) -> np.ndarray:
    """A folder's features, float16 ``[2, N, 112, 16, 16]``, computed where they are not there."""
    file = features_file(folder, cache)
    if not file.exists():
        part = new_file(file, len(np.load(folder / "images.npy", mmap_mode="r")), CHANNELS, SIDE)
        with progress_bars() as report:
            see_pictures(folder, part, (0, 1), report)
        part.replace(file)
    return np.load(file, mmap_mode="r")


def examples(folder: Path, seen: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 ``[M, 112]``, and the number of each one's noun; one more than the last is nothing."""
    features: list[np.ndarray] = []
    nouns: list[int] = []

    def add(values: np.ndarray, noun: int) -> None:
        features.append(values)
        nouns.append(noun)

    def some(where: np.ndarray) -> np.ndarray:
        return rng.permutation(np.argwhere(where))[:_PLACES]

    for k, frame in enumerate(read_frames([folder])):
        for mirrored in (False, True):
            values = np.asarray(seen[int(mirrored), k], dtype=np.float32)
            instances = frame.instances[:, ::-1] if mirrored else frame.instances
            for number, thing in enumerate(frame.scene["objects"], 1):
                share = _shares(instances == number)
                if share.sum() < 1:
                    continue
                noun = NOUNS.index(thing["noun"])
                add((values * share).sum((1, 2)) / share.sum(), noun)
                for y, x in some(share > _COVERED):
                    add(values[:, y, x], noun)
            for y, x in some(_shares(instances > 0) == 0):
                add(values[:, y, x], len(NOUNS))
    return np.array(features, np.float32), np.array(nouns)


def _shares(mask: np.ndarray) -> np.ndarray:
    """The share of each place, ``[16, 16]``, that a mask ``[256, 256]`` covers."""
    return mask.astype(np.float32).reshape(SIDE, mask.shape[0] // SIDE, SIDE, -1).mean((1, 3))


def fit(recogniser: Recogniser, features: Tensor, nouns: Tensor, epochs: int) -> None:
    """Train the layers over the features, ``[M, 112]``, to tell the nouns ``[M]``."""
    steps = max(1, epochs * len(features) // _BATCH)
    optimizer = torch.optim.AdamW(recogniser.head.parameters(), _RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    recogniser.head.train()
    with progress_bars() as report:
        for step in range(steps):
            chosen = torch.randint(len(features), (_BATCH,))
            loss = F.cross_entropy(recogniser(features[chosen]), nouns[chosen], label_smoothing=0.05)
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
