"""Mask guidance: edit inside, hold outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from guidance.energies.target import region_at
from guidance.properties import EPS
from guidance.terms import State, predicted_x_0


@dataclass(frozen=True)
class Mask:
    r"""Distance of the latent from the source's outside a region; inside, the latent is free.

    .. math:: g = \frac{\sum (1 - m)\, h_\beta(z - z^*)}{\sum (1 - m)\, |z^*|}, \qquad
        h_\beta(d) = \begin{cases} d^2 / 2\beta & |d| < \beta \\ |d| - \beta / 2 & \text{else} \end{cases}

    Args:
        region: where the latent is free, ``[1, 1, H, W]`` in [0, 1], of any size.
        source: the source's clean latent ``[B, C, h, w]``, with which the predicted x_0 is compared; or
            level -> its noisy state, with which x_t is compared.
        beta: difference of a latent value below which the distance is quadratic and above which it is linear;
            0 is plain L1.

    Raises:
        ValueError: ``beta`` is negative; or, when called, the region has another shape.
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
        """Whether the predicted x_0 is compared, which takes a whole forward pass."""
        return isinstance(self.source, Tensor)

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0: 0 if and only if the latents agree outside, 1 if off by the source's own magnitude."""
        if isinstance(self.source, Tensor):
            z, goal = predicted_x_0(state), self.source
        else:
            z, goal = state.x_t, self.source(state.level)
        goal = goal.detach().to(z).expand_as(z)
        outside = 1 - region_at(self.region, z[:, 0])[:, None]
        distance = smooth_l1_loss(z, goal, reduction="none", beta=self.beta)
        return torch.sum(outside * distance) / torch.sum(outside * goal.abs()).clamp_min(EPS)
