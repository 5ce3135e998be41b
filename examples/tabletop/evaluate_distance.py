"""How near the pictures that the model samples come to rendered ones, as distributions.

KID (Binkowski et al. 2018, https://arxiv.org/abs/1801.01401) and FID (Heusel et al. 2017,
https://arxiv.org/abs/1706.08500) by torchmetrics, on the features of ``image_features``. They compare with
each other and with the floor, never with figures on Inception's features.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from examples.tabletop.captions import write_caption
from examples.tabletop.frames import read_frames, tracked
from examples.tabletop.image_features import NAME, PooledFeatures
from examples.tabletop.sampling import Sampling, sample

_SUBSETS = 100
_BATCH = 16


def distance(model: Path, scenes: Sequence[Path], count: int, how: Sampling) -> dict[str, Any]:
    """KID and FID of sampled pictures to rendered ones, and of rendered ones to others, which is the floor.

    The scenes are dealt into two halves. Captions are written for the first and sampled; the second is what
    both the samples and the first half itself are compared with. All three have equally many pictures,
    ``count`` or half of the scenes, if that is less: FID depends on how many.
    """
    frames = read_frames(scenes, 2 * count)
    described, reference = frames[0::2], frames[1::2]
    described = described[: len(reference)]
    rng = np.random.default_rng(how.seed)
    prompts = [write_caption(frame.scene, rng).text for frame in described]
    truth = np.stack([frame.image for frame in reference])
    sampled = sample(model, prompts, how)
    network = PooledFeatures().eval()
    groups = {"generated": sampled, "floor": np.stack([frame.image for frame in described])}
    return {
        "features": NAME,
        "pictures": len(reference),
        **{name: compare(network, pictures, truth, name) for name, pictures in groups.items()},
    }


def compare(network: nn.Module, pictures: np.ndarray, truth: np.ndarray, stage: str) -> dict[str, float]:
    """KID, its spread over subsets of half the pictures, and FID, of uint8 ``[N, H, W, 3]`` to another."""
    kernel = KernelInceptionDistance(network, subsets=_SUBSETS, subset_size=max(2, len(truth) // 2))
    frechet = FrechetInceptionDistance(network)
    starts = range(0, len(truth), _BATCH)
    for start in tracked(starts, stage, len(starts)):
        for group, real in ((pictures, False), (truth, True)):
            batch = torch.from_numpy(group[start : start + _BATCH]).permute(0, 3, 1, 2)
            kernel.update(batch, real=real)
            frechet.update(batch, real=real)
    torch.manual_seed(0)  # of the subsets
    mean, spread = kernel.compute()
    return {"kid": float(mean), "kid_spread": float(spread), "fid": float(frechet.compute())}
