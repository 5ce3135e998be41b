"""What a network that knows photographs sees in each scene, and a loss that draws the U-Net's features to it.

Representation alignment (REPA: Yu et al. 2025, https://arxiv.org/abs/2410.06940): with h(p) the hidden state
at place p of a noisy picture, g a small network trained along and dropped afterwards, and y(p) the teacher's
standardised features of the clean picture there,

    loss = sum_p w(p) (1 - cos(g(h(p)), y(p))) / sum_p w(p)

with w(p) = 1 on objects and ``_ELSEWHERE`` on what they stand on.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from examples.tabletop.image_features import halves, scaled
from examples.tabletop.working_precision import autocast
from realedit.system.progress import Progress

CHANNELS, SIDE = 112, 16
"""Of the teacher's features: EfficientNet-Lite0 at 1/16 of a picture of 256 px."""

_BLOCKS = 11  # of sixteen
_BATCH = 16
_ELSEWHERE = 0.2
_HIDDEN = 256
_SAMPLE = 200


class Projection(nn.Module):
    """g: hidden states ``[B, C, h, w]`` to the teacher's channels, one small network a layer.

    Args:
        channels: of each layer's hidden states.
        seen: some of the teacher's features, ``[N, 112, 16, 16]``, whose mean and deviation standardise all.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: Sequence[int], seen: np.ndarray) -> None:
        super().__init__()
        some = torch.from_numpy(seen[:: max(1, len(seen) // _SAMPLE)].astype(np.float32))
        self.register_buffer("mean", some.mean((0, 2, 3))[:, None, None])
        self.register_buffer("deviation", some.std((0, 2, 3))[:, None, None] + 1e-3)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(count, _HIDDEN, 1), nn.SiLU(), nn.Conv2d(_HIDDEN, CHANNELS, 1))
            for count in channels
        )

    def forward(self, states: Sequence[Tensor]) -> list[Tensor]:
        """Each layer's features, ``[B, 112, h, w]``."""
        return [layer(state) for layer, state in zip(self.layers, states, strict=True)]

    def standardised(self, seen: Tensor) -> Tensor:
        """The teacher's features ``[B, 112, 16, 16]`` with mean 0 and deviation 1 a channel."""
        return (seen - self.mean) / self.deviation


def alignment_loss(projected: Sequence[Tensor], seen: Tensor, objects: Tensor) -> Tensor:
    """The loss, averaged over pictures and layers.

    Args:
        projected: each layer's, ``[B, 112, h, w]``.
        seen: the teacher's, ``[B, 112, 16, 16]``, standardised.
        objects: where they are, ``[B, 1, H, W]`` in [0, 1].
    """
    losses = []
    for features in projected:
        places = (features.shape[-2], features.shape[-1])
        target = F.adaptive_avg_pool2d(seen, places)
        weights = _ELSEWHERE + (1 - _ELSEWHERE) * F.adaptive_avg_pool2d(objects, places)[:, 0]
        apart = 1 - F.cosine_similarity(features.float(), target, dim=1)
        losses.append((weights * apart).sum() / weights.sum())
    return torch.stack(losses).mean()


def features_file(folder: Path, cache: Path) -> Path:
    """Where a shard's features lie; another number of scenes is another file."""
    count = len((folder / "scenes.jsonl").read_text(encoding="utf-8").splitlines())
    digest = hashlib.sha256(f"{folder.resolve()} {count} {_BLOCKS}".encode()).hexdigest()
    return cache / f"{folder.name}-seen-{digest[:12]}.npy"


def see_pictures(folder: Path, part: Path, workers: tuple[int, int], report: Progress) -> None:
    """Let the teacher see one worker's share of a shard, ``workers`` = (this one, of how many).

    ``part`` is float16 ``[2, N, 112, 16, 16]``, plain then mirrored; it is filled in place.
    """
    layout = torch.channels_last
    teacher = halves(_BLOCKS)[0].to(memory_format=layout)
    images = np.load(folder / "images.npy", mmap_mode="r")
    features = np.load(part, mmap_mode="r+")
    worker, count = workers
    starts = range(worker * _BATCH, len(images), count * _BATCH)
    for done, start in enumerate(starts, 1):
        pictures = torch.from_numpy(np.array(images[start : start + _BATCH])).permute(0, 3, 1, 2)
        for mirrored in (False, True):
            turned = scaled(pictures.flip(-1) if mirrored else pictures).contiguous(memory_format=layout)
            with torch.no_grad(), autocast("cpu"):
                seen = teacher(turned)
            features[int(mirrored), start : start + _BATCH] = seen.half().numpy()
        report(f"features of {folder.name}", done, len(starts))
    features.flush()
