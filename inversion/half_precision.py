"""Gradients through a model in half precision, which loses small slopes."""

from __future__ import annotations

import torch
from torch import Tensor

_SCALES = (2.0**14, 2.0**7, 1.0)
"""What a loss is multiplied by for the backward pass, as gradient scaling does in mixed-precision training
(Micikevicius et al. 2018, arXiv 1710.03740); the next where one overflows."""


def scaled_gradient(loss: Tensor, x: Tensor, *, keep_graph: bool = False) -> Tensor:
    """The gradient of a scalar with respect to one tensor, scaled on its way and back at the end.

    Args:
        loss: scalar.
        x: what it hangs on.
        keep_graph: whether the graph stays for another gradient; it does between two scales in any case.

    Raises:
        FloatingPointError: it is not finite at any scale.
    """
    for scale in _SCALES:
        last = scale == _SCALES[-1] and not keep_graph
        (scaled,) = torch.autograd.grad(scale * loss, x, retain_graph=not last)
        if torch.isfinite(scaled).all():
            return scaled / scale
    raise FloatingPointError("the gradient is not finite")
