r"""The noise levels that a trajectory visits, and the step between two of them.

.. math::
    x_t &= \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon

    x_s &= \sqrt{\bar\alpha_s}\, \hat x_0 + \sqrt{1 - \bar\alpha_s - \sigma^2}\, \hat\epsilon + \sigma z,

    \hat x_0 &= (x_t - \sqrt{1 - \bar\alpha_t}\, \hat\epsilon) / \sqrt{\bar\alpha_t}, \qquad
    \sigma = \eta \sqrt{(1 - \bar\alpha_s) / (1 - \bar\alpha_t)} \sqrt{1 - \bar\alpha_t / \bar\alpha_s}

The second line is Song et al. 2021 (arXiv 2010.02502), eq. 12 with the deviation of eq. 16. With eta = 0 it
is DDIM and goes either way: towards the photo it samples, away from it, it inverts (Dhariwal & Nichol 2021,
arXiv 2105.05233, appendix F). With eta = 1 it is the posterior of DDPM (Ho et al. 2020, arXiv 2006.11239).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

LEAST_ABAR = 2.0**-24
"""Where a model's schedule ends without any signal (zero terminal SNR: Lin et al. 2023, arXiv 2305.08891),
what abar counts as, as in diffusers' samplers: the photo that a noise prediction implies is a quotient."""


@dataclass(frozen=True)
class Schedule:
    """``N`` noise levels above the clean one.

    Args:
        timesteps: the model's own time for levels 1..N, ascending, ``N`` values.
        alphas_cumprod: abar of levels 0..N, descending, ``N + 1`` values in (0, 1]; level 0 is the photo.

    Raises:
        ValueError: the two do not describe the same levels, or are not monotonous.
    """

    timesteps: tuple[int, ...]
    alphas_cumprod: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.timesteps:
            raise ValueError("a schedule needs at least one step")
        if len(self.alphas_cumprod) != len(self.timesteps) + 1:
            raise ValueError(
                f"expected {len(self.timesteps) + 1} values of alphas_cumprod (levels 0..N), "
                f"got {len(self.alphas_cumprod)}"
            )
        if any(b <= a for a, b in zip(self.timesteps, self.timesteps[1:], strict=False)):
            raise ValueError("timesteps must ascend")
        if any(b >= a for a, b in zip(self.alphas_cumprod, self.alphas_cumprod[1:], strict=False)):
            raise ValueError("alphas_cumprod must descend from the photo to the noise")
        if not (0 < self.alphas_cumprod[-1] and self.alphas_cumprod[0] <= 1):
            raise ValueError("alphas_cumprod must lie in (0, 1]")

    @classmethod
    def from_training(
        cls, alphas_cumprod: Tensor | Sequence[float], timesteps: Sequence[int], clean: float | None = None
    ) -> Schedule:
        """The levels of some of a model's training timesteps.

        Args:
            alphas_cumprod: abar of every training timestep, ``[T]``; at least :data:`LEAST_ABAR` is taken.
            timesteps: the ones to visit, in any order.
            clean: abar of level 0; by default that of training timestep 0, as SDXL's schedulers have it.
        """
        values = [max(float(a), LEAST_ABAR) for a in alphas_cumprod]
        ascending = tuple(sorted(int(t) for t in timesteps))
        first = values[0] if clean is None else float(clean)
        return cls(ascending, (first, *(values[t] for t in ascending)))

    @property
    def steps(self) -> int:
        """N, the number of noise levels above the clean one."""
        return len(self.timesteps)

    def timestep(self, level: int) -> int:
        """The model's time at a level in 1..N."""
        if not 1 <= level <= self.steps:
            raise IndexError(f"level {level} has no timestep: expected 1..{self.steps}")
        return self.timesteps[level - 1]

    def alpha(self, level: int) -> float:
        """sqrt(abar), the share of the photo at a level in 0..N."""
        return math.sqrt(self.alphas_cumprod[level])

    def sigma(self, level: int) -> float:
        """sqrt(1 - abar), the share of the noise at a level in 0..N."""
        return math.sqrt(1 - self.alphas_cumprod[level])

    def predict_x0(self, x_t: Tensor, eps: Tensor, level: int) -> Tensor:
        """The clean latent that ``eps`` implies at a level; shapes as ``x_t``."""
        return (x_t - self.sigma(level) * eps) / self.alpha(level)

    def add_noise(self, x_0: Tensor, eps: Tensor, level: int) -> Tensor:
        """``x_0`` noised to a level with the given noise; shapes as ``x_0``."""
        return self.alpha(level) * x_0 + self.sigma(level) * eps

    def deviation(self, level: int, to: int, eta: float = 1.0) -> float:
        """Standard deviation of the noise that a step down from ``level`` to ``to`` adds.

        Raises:
            ValueError: eta is not in [0, 1], or a step with noise does not go down.
        """
        if not 0 <= eta <= 1:
            raise ValueError(f"eta must lie in [0, 1], got {eta}")
        if eta == 0:
            return 0.0
        if to >= level:
            raise ValueError(f"a step with eta > 0 goes down, not from level {level} to {to}")
        before, after = self.alphas_cumprod[level], self.alphas_cumprod[to]
        return eta * math.sqrt((1 - after) / (1 - before) * (1 - before / after))

    def step(self, x_t: Tensor, eps: Tensor, level: int, to: int, eta: float = 0.0) -> Tensor:
        """One DDIM step from ``level`` to ``to``, either way; with eta > 0 its mean, only down.

        Shapes as ``x_t``. Raises what :meth:`deviation` does.
        """
        direction = math.sqrt(1 - self.alphas_cumprod[to] - self.deviation(level, to, eta) ** 2)
        return self.alpha(to) * self.predict_x0(x_t, eps, level) + direction * eps
