"""From the attention that a photo drew to an object's heat: where its words are in the photo."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from guidance.properties import object_attention


def heat(maps: Tensor, tokens: list[int]) -> tuple[np.ndarray, float]:
    """An object's attention brought to [0, 1], and its peak before that.

    Args:
        maps: attention to each token, ``[h, w, K]``.
        tokens: the object's.
    """
    attention = object_attention(maps[None], tokens)[0]
    low, high = float(attention.min()), float(attention.max())
    return ((attention - low) / max(high - low, 1e-9)).numpy().astype(np.float32), high
