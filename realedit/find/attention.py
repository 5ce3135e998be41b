"""From the attention that an inversion recorded to an object's heat: where its words are in the photo."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from guidance.properties import object_attention
from realedit.inverted.enlarged_attention import finest
from realedit.inverted.inversion import Inversion

_FIRST, _LAST = 0.1, 0.5
"""Noise levels whose attention is averaged, as shares of all."""


def mean_attention(inversion: Inversion) -> Tensor:
    """Mean attention of the finest recorded layers over the middle noise levels, and of the closer look.

    Returns:
        fp32 ``[h, w, K]``: as fine as the closer look, where there is one.
    """
    steps = inversion.result.schedule.steps
    levels = range(max(1, round(_FIRST * steps)), max(2, round(_LAST * steps)) + 1)
    maps = [a for level in levels for a in finest(inversion.observations[level].attention)]
    mean = torch.stack(maps).mean(0).cpu()
    if inversion.enlarged is None:
        return mean
    closer = inversion.enlarged.float().cpu()
    wide = F.interpolate(mean.permute(2, 0, 1)[None], closer.shape[:2], mode="bilinear", align_corners=False)
    return (wide[0].permute(1, 2, 0) + closer) / 2


def heat(maps: Tensor, tokens: list[int]) -> tuple[np.ndarray, float]:
    """An object's attention brought to [0, 1], and its peak before that."""
    attention = object_attention(maps[None], tokens)[0]
    low, high = float(attention.min()), float(attention.max())
    return ((attention - low) / max(high - low, 1e-9)).numpy().astype(np.float32), high
