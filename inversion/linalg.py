"""Linear algebra of torch with types: torch's own stubs have none for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_linalg: Any = torch.linalg


def vector_norm(x: Tensor, dim: int, *, keepdim: bool = False) -> Tensor:
    """Returns the Euclidean norm over one dimension."""
    return _linalg.vector_norm(x, dim=dim, keepdim=keepdim)


def solve(a: Tensor, b: Tensor) -> Tensor:
    """Solves ``a x = b`` for matrices ``a [..., n, n]`` and ``b [..., n, k]``; ``[..., n, k]``."""
    return _linalg.solve(a, b)
