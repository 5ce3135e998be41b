"""Mask guidance: edit inside, hold outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from guidance.energies.target import region_at
from guidance.terms import State, predicted_x_0


@dataclass(frozen=True)
class Mask:
    r"""The latent held to the source's outside a region, free inside.

    .. math:: g = \frac{\sum (1 - m)\, h_\beta(z - z^*)}{\sum (1 - m)\, |z^*|}, \qquad
        h_\beta(d) = \begin{cases} d^2 / 2\beta & |d| < \beta \\ |d| - \beta / 2 & \text{else} \end{cases}

    Args:
        region: where the latent is free, ``[1, 1, H, W]`` in [0, 1], of any size.
        source: the source's clean latent ``[B, C, h, w]``, which the predicted x_0 is held to; or level ->
            its noisy state, which x_t is held to.
        beta: the difference in a latent value below which the distance is quadratic; 0 is plain L1.

    Raises:
        ValueError: ``beta`` is negative.
    """

    tolerance: ClassVar[float] = 0.02
    region: Tensor
    source: Tensor | Callable[[int], Tensor]
    beta: float = 0.1

    def __post_init__(self) -> None:
        if not self.beta >= 0:
            raise ValueError(f"beta must not be negative, got {self.beta}")

    @property
    def needs_x_0(self) -> bool:
        """Whether the clean latent is held, which takes a whole forward pass."""
        return isinstance(self.source, Tensor)

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0, 0 if and only if the latent is the source's outside; 1: off by its magnitude there."""
        if isinstance(self.source, Tensor):
            z, goal = predicted_x_0(state), self.source
        else:
            z, goal = state.x_t, self.source(state.level)
        goal = goal.detach().to(z).expand_as(z)
        outside = 1 - region_at(self.region, z[:, 0])[:, None]
        distance = smooth_l1_loss(z, goal, reduction="none", beta=self.beta)
        return torch.sum(outside * distance) / torch.sum(outside * goal.abs()).clamp_min(1e-6)
