r"""The noise levels of a trajectory, and the step between two of them.

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
"""An abar below this counts as this; above, it is used as it is. Needed where a model's schedule ends without
any signal (zero terminal SNR: Lin et al. 2023, arXiv 2305.08891): the predicted photo is divided by
sqrt(abar). Set on diffusers' samplers, which have the same."""


@dataclass(frozen=True)
class Schedule:
    """``N`` noise levels above the clean one.

    Args:
        timesteps: the model's own time for levels 1..N, ascending, ``N`` values.
        alphas_cumprod: abar of levels 0..N, descending, ``N + 1`` values in (0, 1]; level 0 is the photo.

    Raises:
        ValueError: there are no steps, the numbers of values do not match, or they are not in order or in
            range.
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
        """Makes a schedule of some of a model's training timesteps.

        Args:
            alphas_cumprod: abar of every training timestep, ``[T]``; raised to :data:`LEAST_ABAR` at least.
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

    def below(self, top: int) -> Schedule:
        """Returns the levels up to ``top`` alone."""
        return self if top >= self.steps else Schedule(self.timesteps[:top], self.alphas_cumprod[: top + 1])

    def timestep(self, level: int) -> int:
        """Returns the model's time at a level in 1..N.

        Raises:
            IndexError: the level lies outside.
        """
        if not 1 <= level <= self.steps:
            raise IndexError(f"level {level} has no timestep: expected 1..{self.steps}")
        return self.timesteps[level - 1]

    def alpha(self, level: int) -> float:
        """Returns sqrt(abar), the photo's factor at a level in 0..N."""
        return math.sqrt(self.alphas_cumprod[level])

    def sigma(self, level: int) -> float:
        """Returns sqrt(1 - abar), the noise's factor at a level in 0..N."""
        return math.sqrt(1 - self.alphas_cumprod[level])

    def predict_x0(self, x_t: Tensor, eps: Tensor, level: int) -> Tensor:
        """Returns the clean latent that ``eps`` implies at a level; shapes as ``x_t``."""
        return (x_t - self.sigma(level) * eps) / self.alpha(level)

    def add_noise(self, x_0: Tensor, eps: Tensor, level: int) -> Tensor:
        """Noises ``x_0`` to a level with the given noise; shapes as ``x_0``."""
        return self.alpha(level) * x_0 + self.sigma(level) * eps

    def deviation(self, level: int, to: int, eta: float = 1.0) -> float:
        """Returns the standard deviation of the noise that a step down from ``level`` to ``to`` adds.

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

    def step(self, x_t: Tensor, eps: Tensor, level: int, to: int, *, eta: float = 0.0) -> Tensor:
        """Takes a DDIM step from ``level`` to ``to``, up or down; with eta > 0 its mean, and only down.

        Args:
            x_t: the state ``[B, C, h, w]`` at ``level``.
            eps: the predicted noise; shapes as ``x_t``.
            level: where the step starts.
            to: where it ends.
            eta: 0 for DDIM, 1 for DDPM.

        Returns:
            The state at ``to``; shapes as ``x_t``.

        Raises:
            ValueError: as :meth:`deviation` does.
        """
        direction = math.sqrt(1 - self.alphas_cumprod[to] - self.deviation(level, to, eta) ** 2)
        return self.alpha(to) * self.predict_x0(x_t, eps, level) + direction * eps
