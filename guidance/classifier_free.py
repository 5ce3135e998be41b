r"""Classifier-free guidance: the combiner that joins the model's conditional predictions.

.. math:: \hat\epsilon = \epsilon_\varnothing + \sum_i w_i\,(\epsilon_i - \epsilon_\varnothing)

One condition of weight ``g`` is classifier-free guidance at diffusers' scale ``g``; several are composed, a
negative weight steers away from one. Each has a window of its own: a weight of 1 throughout and more of it in
a window is guidance in a limited interval.

References: Ho & Salimans 2022, arXiv 2207.12598; Liu et al. 2022, *Compositional Visual Generation with
Composable Diffusion Models*, arXiv 2206.01714, equation 11; Kynkäänniemi et al. 2024, *Applying Guidance in a
Limited Interval*, arXiv 2404.07724.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from guidance.windows import Window
from inversion import Conditioning, Denoiser

_NOTHING = 1e-9


@dataclass(frozen=True)
class Condition:
    """What a sampling is told, how strongly and when.

    Args:
        conditioning: a batch of one, or the sampling's.
        weight: ``w_i`` of the equation above; 0 is off.
        window: fractions of the sampled steps.
    """

    conditioning: Conditioning
    weight: float = 5.0
    window: Window = Window()  # noqa: RUF009 - frozen


@dataclass(frozen=True)
class ClassifierFree:
    """The combination of conditions; see the equation above.

    Args:
        null: the empty condition.
        conditions: those combined. Energies look through the first one's branch.

    Raises:
        ValueError: there are none.
    """

    null: Conditioning
    conditions: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.conditions:
            raise ValueError("classifier-free guidance needs at least one condition")

    @property
    def text(self) -> Conditioning:
        """The condition whose branch the energies look through."""
        return self.conditions[0].conditioning

    def shares(self, done: int, steps: int) -> list[tuple[Conditioning, float]]:
        """Each condition's share of the prediction in the done-th (from 0) of so many steps; they sum to 1.

        Conditions given twice are added up, and what has no share is left out.
        """
        weights = {id(self.null): 1.0}
        conditionings = {id(self.null): self.null}
        for condition in self.conditions:
            if condition.window.contains(done, steps):
                key = id(condition.conditioning)
                conditionings[key] = condition.conditioning
                weights[key] = weights.get(key, 0.0) + condition.weight
                weights[id(self.null)] -= condition.weight
        return [(conditionings[key], weight) for key, weight in weights.items() if abs(weight) > _NOTHING]

    def predict(self, denoiser: Denoiser, x_t: Tensor, t: int, done: int, steps: int) -> Tensor:
        """The combined noise prediction, all conditions in one batch; shapes as ``x_t``.

        Args:
            denoiser: the model.
            x_t: the state ``[B, C, h, w]``.
            t: the model's time.
            done: steps taken before this one.
            steps: in all.

        Raises:
            FloatingPointError: the model returned a value that is not finite.
        """
        shares = self.shares(done, steps)
        told = reduce(Conditioning.cat, [conditioning.expand(x_t.shape[0]) for conditioning, _ in shares])
        predictions = denoiser(torch.cat([x_t] * len(shares)), t, told).chunk(len(shares))
        eps = sum(weight * eps for (_, weight), eps in zip(shares, predictions, strict=True))
        if not isinstance(eps, Tensor) or not torch.isfinite(eps).all():
            raise FloatingPointError(f"the model's noise prediction at t = {t} is not finite")
        return eps
