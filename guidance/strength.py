r"""How hard the energies pull: rules from what was measured at a step to what is added to the noise.

A rule is called with the active terms' energies, still attached to their graph, and returns the push that the
sampler adds to its noise prediction, or None. A plain number ``v`` stands for :class:`NoiseShare`.

The rules differ in what has to be tuned by hand: :class:`GradientScale` needs a scale for every energy, model
and layer, :class:`NoiseShare` one number and the terms' weights, :class:`Automatic` nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from guidance.terms import Term
from inversion import Schedule

CLIP = 3.0
"""Largest size of a normalised gradient in one latent value, in root mean squares."""


@dataclass(frozen=True)
class Measured:
    """The active terms' energies at one step.

    Args:
        x_t: the latent ``[B, C, h, w]`` that the energies hang on.
        level: its noise level.
        terms: the active terms by their place among all.
        energies: by the same places, scalars in the graph.
        left: what is left of the weighted sum of the first guided step, in [0, 1].
        region: where the latent may change, ``[1, 1, h, w]`` in [0, 1]; None is everywhere.
    """

    x_t: Tensor
    level: int
    terms: Mapping[int, Term]
    energies: Mapping[int, Tensor]
    left: float = 1.0
    region: Tensor | None = None

    @property
    def total(self) -> Tensor:
        """The weighted sum of the energies."""
        return weighted_sum(self.terms, self.energies)

    def gradient(self, energy: Tensor) -> Tensor:
        """The gradient of one of the energies, or of a sum, ``[B, C, h, w]``.

        Raises:
            FloatingPointError: it is not finite.
        """
        # kept, since several energies hang on one forward pass; it goes with the last reference to them
        (gradient,) = torch.autograd.grad(energy, self.x_t, retain_graph=True)
        if not torch.isfinite(gradient).all():
            raise FloatingPointError(f"the guidance energy at level {self.level} is not finite")
        return gradient


def weighted_sum(terms: Mapping[int, Term], energies: Mapping[int, Tensor]) -> Tensor:
    """Each term's weight times its energy, summed."""
    return torch.stack([term.weight * energies[place] for place, term in terms.items()]).sum()


class Strength(Protocol):
    """A rule for the strength of guidance."""

    def __call__(self, measured: Measured, schedule: Schedule) -> Tensor | None:
        """What is added to the noise prediction, ``[B, C, h, w]``, or None."""
        ...


@dataclass(frozen=True)
class NoiseShare:
    r"""A share of the noise, from one normalised gradient, eased off with progress.

    .. math:: v\, \sigma_t\, \frac{E_t}{E_{first}}\, \mathrm{clip}\!\left(
        \frac{\nabla E}{\mathrm{rms}(\nabla E)}\right)

    ``v`` means the same for every model, layer and energy.
    """

    v: float

    def __call__(self, measured: Measured, schedule: Schedule) -> Tensor:
        """See :class:`Strength`."""
        gradient = measured.gradient(measured.total)
        return self.v * measured.left * schedule.sigma(measured.level) * unit(gradient, measured.region)


@dataclass(frozen=True)
class GradientScale:
    r"""The gradient as it is, :math:`s\,\sigma_t \nabla E`: as self- and classifier guidance were published.

    References: Epstein et al. 2023, arXiv 2306.00986, equation 4; Dhariwal & Nichol 2021, arXiv 2105.05233,
    algorithm 2.
    """

    s: float = 1.0

    def __call__(self, measured: Measured, schedule: Schedule) -> Tensor:
        """See :class:`Strength`."""
        gradient = measured.gradient(measured.total)
        if measured.region is not None:
            gradient = gradient * measured.region
        # energies are averaged over the batch, whose pictures have nothing to do with each other
        return self.s * schedule.sigma(measured.level) * gradient.shape[0] * gradient


@dataclass(frozen=True)
class Automatic:
    r"""As much as each term needs to reach its tolerance, which is Polyak's step, and no more than a limit.

    A push ``p`` moves the next state by :math:`-c_t\,p`, with
    :math:`c_t = \alpha_{t-1} \sigma_t / \alpha_t - \sigma_{t-1}`. To first order the push

    .. math:: p_i = v_i\, \sigma_t\, u_i, \qquad v_i = \mathrm{pace}\,
        \frac{g_i - \mathrm{tol}_i / 2}{c_t\, \sigma_t\, \langle \nabla g_i, u_i \rangle}

    along the term's own normalised gradient ``u_i`` therefore takes away the share ``pace`` of what the term
    lacks to be well within its tolerance; once within, it is left alone. Where gradients point along one
    line, the terms share it by their weights, :math:`w_i / \sum_j w_j |\cos(u_i, u_j)|`: two that agree do
    not go twice as far, of two that contend the heavier wins, and independent ones do not slow each other.

    A hold term (:attr:`guidance.terms.Term.budget`) slows the others from half its budget on, to a stand at
    the budget; beyond, it is brought back in the same way.

    Args:
        limit: the largest root mean square of the push as a share of the noise; how far the first order is
            trusted.
        pace: share of what is lacking that one step is to take away, in (0, 1].

    Reference: Polyak 1987, *Introduction to Optimization*, section 5.3.

    Raises:
        ValueError: ``limit`` or ``pace`` is out of range.
    """

    limit: float = 0.5
    pace: float = 1.0

    def __post_init__(self) -> None:
        if not (self.limit > 0 and 0 < self.pace <= 1):
            raise ValueError(f"expected limit > 0 and pace in (0, 1], got {self.limit} and {self.pace}")

    def __call__(self, measured: Measured, schedule: Schedule) -> Tensor | None:
        """See :class:`Strength`."""
        values = {place: energy.item() for place, energy in measured.energies.items()}
        lacking = {place: term for place, term in measured.terms.items() if values[place] > term.goal}
        if not lacking:
            return None
        steps = torch.stack(
            [self._step(measured, schedule, place, values[place]) for place in lacking]
        ).flatten(1)
        lengths = steps.norm(dim=1, keepdim=True).clamp_min(1e-20)
        weights = torch.tensor([term.weight for term in lacking.values()]).to(steps)
        cosines = ((steps / lengths) @ (steps / lengths).T).abs().fill_diagonal_(1)
        share = weights / (cosines @ weights)
        brake = _brake(measured.terms, values)
        slowed = torch.tensor([brake if term.budget is None else 1.0 for term in lacking.values()])
        push = ((share * slowed.to(share)) @ steps).view_as(measured.x_t)
        most = self.limit * schedule.sigma(measured.level)
        return push * min(1.0, most / max(_rms(push, measured.region).item(), 1e-20))

    def _step(self, measured: Measured, schedule: Schedule, place: int, value: float) -> Tensor:
        """One term's push on its own."""
        level, term = measured.level, measured.terms[place]
        gradient = measured.gradient(measured.energies[place])
        u = unit(gradient, measured.region)
        sigma = schedule.sigma(level)
        reach = schedule.alpha(level - 1) * sigma / schedule.alpha(level) - schedule.sigma(level - 1)
        aim = term.goal / 2 if term.budget is None else term.budget
        need = self.pace * (value - aim) / max(reach * float((gradient * u).sum()), 1e-20)
        return min(need, self.limit * sigma) * u


def _brake(terms: Mapping[int, Term], values: Mapping[int, float]) -> float:
    """What the hold terms leave of the others' strength, in [0, 1]."""
    used = [values[place] / term.budget for place, term in terms.items() if term.budget is not None]
    return min(1.0, max(0.0, 2 - 2 * max(used, default=0.0)))


def unit(gradient: Tensor, region: Tensor | None) -> Tensor:
    """The gradient over the region at unit root mean square, large values clipped; zero stays zero."""
    if region is not None:
        gradient = gradient * region
    rms = _rms(gradient, region)
    return (gradient / rms.clamp_min(1e-20)).clamp(-CLIP, CLIP) if rms > 0 else gradient


def _rms(x: Tensor, region: Tensor | None) -> Tensor:
    """Root mean square over the region, outside which ``x`` is 0."""
    if region is None:
        return x.square().mean().sqrt()
    return (x.square().sum() / region.expand_as(x).sum().clamp_min(1)).sqrt()
