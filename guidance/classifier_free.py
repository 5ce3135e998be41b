r"""Classifier-free guidance: combines the model's predictions under several conditions.

.. math:: \hat\epsilon = \epsilon_\varnothing + \sum_i w_i\,(\epsilon_i - \epsilon_\varnothing)

One condition of weight ``g`` is classifier-free guidance at diffusers' scale ``g``. Several are composed; a
negative weight steers away from its condition. Each has a window of its own: the same condition given twice,
with weight 1 throughout and with more in a window, is guidance in a limited interval.

References: Ho & Salimans 2022, arXiv 2207.12598; Liu et al. 2022, *Compositional Visual Generation with
Composable Diffusion Models*, arXiv 2206.01714, equation 11; Kynkäänniemi et al. 2024, *Applying Guidance in a
Limited Interval*, arXiv 2404.07724.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from guidance.windows import ALWAYS, Window
from inversion import Conditioning, Denoiser

_LEAST_SHARE = 1e-9
"""A condition's share of the prediction whose size is at or below this counts as 0 and is not evaluated; one
above is. Set on rounding: shares are sums of a few weights of about 1."""


@dataclass(frozen=True)
class Condition:
    """A conditioning of the model with its weight and the steps in which it counts.

    Args:
        conditioning: of a batch of one, or of as many pictures as are sampled.
        weight: ``w_i`` of the equation above; 0 turns it off.
        window: when it counts, in fractions of the sampled steps.
    """

    conditioning: Conditioning
    weight: float = 5.0
    window: Window = ALWAYS


@dataclass(frozen=True)
class ClassifierFree:
    """Combines conditions by the equation above.

    Args:
        null: the empty conditioning.
        conditions: the conditions. Energies look through the branch of the first.

    Raises:
        ValueError: there are no conditions.
    """

    null: Conditioning
    conditions: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.conditions:
            raise ValueError("classifier-free guidance needs at least one condition")

    @property
    def text(self) -> Conditioning:
        """The conditioning whose branch the energies look through."""
        return self.conditions[0].conditioning

    def shares(self, done: int, steps: int) -> list[tuple[Conditioning, float]]:
        """Returns each conditioning's share of the prediction at a step; the shares sum to 1.

        A conditioning given twice has the sum of its weights; one without a share is left out.

        Args:
            done: steps taken before this one.
            steps: number of steps in all.
        """
        weights = {id(self.null): 1.0}
        conditionings = {id(self.null): self.null}
        for condition in self.conditions:
            if condition.window.contains(done, steps):
                key = id(condition.conditioning)
                conditionings[key] = condition.conditioning
                weights[key] = weights.get(key, 0.0) + condition.weight
                weights[id(self.null)] -= condition.weight
        return [(conditionings[key], weight) for key, weight in weights.items() if abs(weight) > _LEAST_SHARE]

    def predict(
        self,
        denoiser: Denoiser,
        x_t: Tensor,
        t: int,
        *,
        done: int,
        steps: int,
        known: Tensor | None = None,
    ) -> Tensor:
        """Predicts the noise under all conditions, in one batch, and combines the predictions.

        Args:
            denoiser: the model.
            x_t: the state ``[B, C, h, w]``.
            t: the model's time.
            done: steps taken before this one.
            steps: number of steps in all.
            known: the prediction under :attr:`text`, where it is known; None evaluates it.

        Returns:
            The combined noise prediction ``[B, C, h, w]``.

        Raises:
            FloatingPointError: the model returned a value that is not finite.
        """
        shares = self.shares(done, steps)
        asked = [one for one, _ in shares if known is None or one is not self.text]
        told: list[Tensor] = []
        if asked:
            all_of_them = reduce(Conditioning.cat, [one.expand(x_t.shape[0]) for one in asked])
            told = list(denoiser(torch.cat([x_t] * len(asked)), t, all_of_them).chunk(len(asked)))
        if known is not None:
            told = [known if one is self.text else told.pop(0) for one, _ in shares]
        eps = sum(weight * eps for (_, weight), eps in zip(shares, told, strict=True))
        if not isinstance(eps, Tensor) or not torch.isfinite(eps).all():
            raise FloatingPointError(f"the model's noise prediction at t = {t} is not finite")
        return eps
