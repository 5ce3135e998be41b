"""Gradients through a model in half precision, whose small values would be lost without scaling."""

from __future__ import annotations

import torch
from torch import Tensor

_SCALES = (2.0**14, 2.0**7, 1.0)
"""Factors on a loss for the backward pass, tried in this order: larger ones save more small slopes from half
precision's underflow but overflow sooner, and on an overflow the next is tried. The method is gradient
scaling of mixed-precision training (Micikevicius et al. 2018, arXiv 1710.03740). Not measured."""


def scaled_gradient(loss: Tensor, x: Tensor, *, keep_graph: bool = False) -> Tensor:
    """Computes the gradient of a scalar by one tensor, scaled up for the backward pass and down at its end.

    Args:
        loss: the scalar.
        x: the tensor that it depends on.
        keep_graph: whether the graph is kept for another gradient.

    Raises:
        FloatingPointError: it is not finite at any scale.
    """
    for scale in _SCALES:
        last = scale == _SCALES[-1] and not keep_graph
        (scaled,) = torch.autograd.grad(scale * loss, x, retain_graph=not last)
        if torch.isfinite(scaled).all():
            return scaled / scale
    raise FloatingPointError("the gradient is not finite")
