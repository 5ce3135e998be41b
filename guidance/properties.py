r"""An object's position, size, shape and appearance inside the denoiser, all differentiable.

.. math::
    \mathrm{centroid}(k) &= \sum_{x,y} (x, y)\, A_k / \sum_{x,y} A_k \\
    \mathrm{shape}(k) &= \hat A_k = \mathrm{norm}\big(\sigma(10\,(\mathrm{norm}(A_k) - 1/2))\big) \\
    \mathrm{size}(k) &= \mathrm{mean}_{x,y}\, \hat A_k \\
    \mathrm{appearance}(k) &= \sum_{x,y} \hat A_k \Psi / \sum_{x,y} \hat A_k \quad (\hat A_k\ \text{detached})

Reference: Epstein et al. 2023, *Diffusion Self-Guidance for Controllable Image Generation*, arXiv 2306.00986,
section 3.2.

**Convention:** attention ``A [B, h, w]`` is one object's map (several tokens averaged by
:func:`object_attention`); positions are (x, y) in [0, 1], x right, y down, of cell centres: column j of w
lies at x = (j + 1/2) / w.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SHARPNESS = 10.0
"""Slope of the sigmoid that thresholds attention at half its peak: a higher one makes shapes harder and their
gradient vanish away from the outline, a lower one makes them softer. Set on the paper,
which has the same."""

EPS = 1e-6
"""Least divisor of a sum, and added to a map's range, so that empty maps give 0 and not NaN: a larger one
damps faint maps, a smaller one enlarges rounding in flat ones. Set on fp32's rounding of values of about
1."""


def object_attention(attention: Tensor, tokens: Sequence[int]) -> Tensor:
    """Averages an object's token columns; ``[B, h, w, K]`` to ``[B, h, w]``.

    Raises:
        IndexError: a token lies outside the K columns.
        ValueError: there are no tokens.
    """
    if not tokens:
        raise ValueError("an object needs at least one token")
    if max(tokens) >= attention.shape[-1] or min(tokens) < 0:
        raise IndexError(
            f"tokens {list(tokens)} lie outside the {attention.shape[-1]} columns of the attention"
        )
    return attention[..., list(tokens)].mean(-1)


def normalise(a: Tensor) -> Tensor:
    """Scales each map ``[B, h, w]`` from its own range to [0, 1]; a constant map becomes 0."""
    low, high = a.amin((-2, -1), keepdim=True), a.amax((-2, -1), keepdim=True)
    return (a - low) / (high - low + EPS)


def shape(a: Tensor) -> Tensor:
    """Thresholds attention softly at half its peak, to [0, 1]; ``[B, h, w]`` to ``[B, h, w]``."""
    return normalise(torch.sigmoid(SHARPNESS * (normalise(a) - 0.5)))


def size(a: Tensor) -> Tensor:
    """Returns the share of the frame that the object's shape covers, in [0, 1]; ``[B, h, w]`` to ``[B]``."""
    return shape(a).mean((-2, -1))


def centroid(a: Tensor) -> Tensor:
    """Returns the centre of mass (x, y) in [0, 1]; ``[B, h, w]`` to ``[B, 2]``."""
    h, w = a.shape[-2:]
    y = (torch.arange(h, device=a.device, dtype=a.dtype) + 0.5) / h
    x = (torch.arange(w, device=a.device, dtype=a.dtype) + 0.5) / w
    mass = a.sum((-2, -1)).clamp_min(EPS)
    return torch.stack([(a.sum(-2) * x).sum(-1) / mass, (a.sum(-1) * y).sum(-1) / mass], -1)


def appearance(a: Tensor, features: Tensor) -> Tensor:
    """Averages activations over the object's shape; ``[B, h, w]`` and ``[B, h, w, D]`` to ``[B, D]``.

    No gradient flows through the shape: the appearance is to change by changing the activations, not by
    moving the attention.
    """
    weight = shape(a).detach().to(features.dtype)[..., None]
    return (weight * features).sum((-3, -2)) / weight.sum((-3, -2)).clamp_min(EPS)
