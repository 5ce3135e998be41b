"""What both models do on data that was held out of the bundle, before and after."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from examples.cutout.train import batch, load_pool, load_pyramid, losses
from examples.tabletop.captions import full_caption
from examples.tabletop.evaluate_levels import by_level
from examples.tabletop.frames import read_frames
from realedit.cutout.network import CutOutNetwork


@torch.no_grad()
def cutout_figures(
    networks: dict[str, CutOutNetwork], data: Path, *, batches: int, device: str
) -> dict[str, dict[str, float]]:
    """Mean IoU of the chosen and of the best answer at the same drawn hints, by network.

    The network alone, asked once at 256 px: a figure to compare trainings by, below what
    ``examples.cutout.evaluate`` measures of the whole cut-out. What ships was trained on these pictures too:
    it is ahead by that.

    Args:
        networks: By name.
        data: Held-out photographs, masks and scenes, as ``examples.cutout.train`` takes them.
        batches: Of four pictures with four hints each.
        device: Where to compute.
    """
    pool, pyramid = load_pool(data), load_pyramid(device)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in networks}
    for number in range(batches):
        drawn = batch(pool, 4, 4, np.random.default_rng((7, number)), 256)
        pixels, maps, truths, ambiguous = (one.to(device) for one in drawn)
        seen = [level.contiguous() for level in pyramid(pixels.contiguous(memory_format=torch.channels_last))]
        for name, network in networks.items():
            logits, sure = network.to(device).eval()(pixels, seen, maps, 0.0)
            _, best, chosen = losses(logits, sure, truths, ambiguous)
            found[name].append((float(chosen.mean()), float(best.mean())))
    means = {name: np.mean(rows, 0) for name, rows in found.items()}
    return {
        name: {"chosen": round(float(c), 4), "best": round(float(b), 4)} for name, (c, b) in means.items()
    }


def tabletop_figures(models: dict[str, Path], data: Path, limit: int) -> dict[str, Any]:
    """What a caption is worth to each model, by noise level (``examples.tabletop.evaluate levels``)."""
    shards = sorted(path for path in (data / "scenes").iterdir())
    frames = read_frames(shards, limit)
    captions = [full_caption(frame.scene) for frame in frames]
    pictures = np.stack([frame.image for frame in frames])
    return {name: by_level(model, pictures, captions, 0) for name, model in models.items()}
