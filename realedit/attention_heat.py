"""From the attention that an inversion recorded to an object's heat: where its words are in the photo."""

from __future__ import annotations

import numpy as np
import torch

from guidance.properties import object_attention
from realedit.inverted import Inversion


def mean_attention(inversion: Inversion) -> torch.Tensor:
    """Mean attention of the finest recorded layers over the middle noise levels, ``[h, w, K]``."""
    steps = inversion.result.schedule.steps
    levels = range(max(1, round(0.1 * steps)), max(2, round(0.5 * steps)) + 1)
    finest = max(a.shape[1] * a.shape[2] for a in inversion.observations[1].attention.values())
    maps = [
        a[0].float()
        for level in levels
        for a in inversion.observations[level].attention.values()
        if a.shape[1] * a.shape[2] == finest
    ]
    return torch.stack(maps).mean(0).cpu()


def heat(maps: torch.Tensor, tokens: list[int]) -> tuple[np.ndarray, float]:
    """An object's attention brought to [0, 1], and its peak before that."""
    attention = object_attention(maps[None], tokens)[0]
    low, high = float(attention.min()), float(attention.max())
    return ((attention - low) / max(high - low, 1e-9)).numpy().astype(np.float32), high
