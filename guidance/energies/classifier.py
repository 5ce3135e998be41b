r"""Classifier guidance: pulls the sample towards a classifier's label.

.. math:: \hat\epsilon = \epsilon_\theta(x_t) - \sqrt{1 - \bar\alpha_t}\; w\, \nabla_{x_t} \log p(y \mid x)

so that the energy is :math:`-\log p`. With :class:`guidance.strength.GradientScale` the sampler takes this
step as written; under the other rules the gradient is normalised like any other.

References: Dhariwal & Nichol 2021, arXiv 2105.05233, algorithm 2, for a classifier of x_t; Bansal et al.
2023, *Universal Guidance for Diffusion Models*, arXiv 2302.07121, for one of the predicted x_0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from guidance.terms import State, predicted_x_0


@dataclass(frozen=True)
class Classifier:
    """Negative log-probability that a classifier of clean latents gives the predicted x_0.

    Args:
        log_probability: maps x_0 ``[B, C, h, w]`` to log-probabilities ``[B, classes]``, or ``[B]`` if no
            label is given. A classifier of pictures has to decode x_0 itself.
        label: index of the class; None if ``log_probability`` returns the wanted class alone.

    Raises:
        ValueError: when called, if the log-probabilities have another shape.
    """

    tolerance: ClassVar[float] = 0.1
    needs_x_0: ClassVar[bool] = True
    log_probability: Callable[[Tensor], Tensor]
    label: int | None = None

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0; 0.1 is a probability of 0.9."""
        return _energy(self.log_probability(predicted_x_0(state)), self.label)


@dataclass(frozen=True)
class NoisyClassifier:
    """Negative log-probability that a classifier trained on noisy latents gives x_t.

    Args:
        log_probability: maps (x_t ``[B, C, h, w]``, level) to log-probabilities as for :class:`Classifier`.
        label: as for :class:`Classifier`.
    """

    tolerance: ClassVar[float] = 0.1
    log_probability: Callable[[Tensor, int], Tensor]
    label: int | None = None

    def __call__(self, state: State) -> Tensor:
        """Scalar >= 0; 0.1 is a probability of 0.9."""
        return _energy(self.log_probability(state.x_t, state.level), self.label)


def _energy(log_probability: Tensor, label: int | None) -> Tensor:
    dims = 1 if label is None else 2
    if log_probability.dim() != dims:
        expected = "[B]" if label is None else "[B, classes]"
        raise ValueError(f"expected log-probabilities {expected}, got {list(log_probability.shape)}")
    return -(log_probability if label is None else log_probability[:, label]).mean()
