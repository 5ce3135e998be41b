"""Adaptive pooling that every kind of device takes.

On Apple's GPUs (``mps``) PyTorch pools only to sizes that divide (issues 96056 and 190064); maps are small
and are pooled on the host there.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

_ON_HOST = ("mps",)


def pooled_mean(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Returns the means of ``[..., H, W]`` over the cells of a grid of ``size``, on the same device."""
    return _pooled(F.adaptive_avg_pool2d, x, size)


def pooled_max(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Returns the largest values of ``[..., H, W]`` in the cells of a grid of ``size``, likewise."""
    return _pooled(F.adaptive_max_pool2d, x, size)


def _pooled(pool: Callable[..., Tensor], x: Tensor, size: tuple[int, int]) -> Tensor:
    if x.device.type not in _ON_HOST:
        return pool(x, size)
    return pool(x.cpu(), size).to(x.device)
