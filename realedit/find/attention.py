"""From the attention that an inversion recorded to an object's heat: where its words are in the photo."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from guidance.properties import object_attention
from realedit.inverted.enlarged_attention import finest
from realedit.inverted.inversion import Inversion
from realedit.inverted.levels import word_levels


def mean_attention(inversion: Inversion) -> Tensor:
    """Averages the finest layers' attention over the middle noise levels, and with the enlarged photo's.

    Returns:
        float32 ``[h, w, K]`` for K tokens, on the enlarged photo's grid where there is one.
    """
    levels = word_levels(inversion.result.schedule.steps)
    maps = [a for level in levels for a in finest(inversion.observations[level].attention)]
    mean = torch.stack(maps).mean(0).cpu()
    if inversion.enlarged is None:
        return mean
    closer = inversion.enlarged.float().cpu()
    wide = F.interpolate(
        mean.permute(2, 0, 1)[None],
        (closer.shape[0], closer.shape[1]),
        mode="bilinear",
        align_corners=False,
    )
    return (wide[0].permute(1, 2, 0) + closer) / 2


def heat(maps: Tensor, tokens: list[int]) -> tuple[np.ndarray, float]:
    """Returns an object's attention scaled to [0, 1], float32 ``[h, w]``, and its peak before scaling."""
    attention = object_attention(maps[None], tokens)[0]
    low, high = float(attention.min()), float(attention.max())
    return ((attention - low) / max(high - low, 1e-9)).numpy().astype(np.float32), high
