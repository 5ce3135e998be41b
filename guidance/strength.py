r"""How hard the energies pull: rules from what was measured at a step to what is added to the noise.

A rule is called with the active terms' energies, still attached to their graph, and returns the push that is
added to the noise prediction, or None. A plain number ``v`` stands for :class:`NoiseShare`.

The rules differ in what has to be tuned by hand: :class:`GradientScale` needs a scale for every energy, model
and layer, :class:`NoiseShare` one number and the terms' weights, :class:`Automatic` nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from guidance.terms import Term
from inversion import Schedule
from inversion.half_precision import scaled_gradient

CLIP = 3.0
"""Largest size of a normalised gradient in one latent value, in root mean squares."""

MOST_GAIN = 64.0
"""Largest factor on a first-order step that has brought too little."""

ENOUGH = 0.5
"""Share of the expected progress from which on a step's gain is kept."""

_TINY = 1e-20


@dataclass(frozen=True)
class NoiseStep:
    """One step down the noise levels, in numbers.

    Args:
        level: where it starts, 1..N.
        alpha: sqrt(abar) there.
        sigma: sqrt(1 - abar) there.
        next_alpha: sqrt(abar) at the level below.
        next_sigma: sqrt(1 - abar) at the level below.
    """

    level: int
    alpha: float
    sigma: float
    next_alpha: float
    next_sigma: float

    @classmethod
    def of(cls, schedule: Schedule, level: int) -> NoiseStep:
        """The step of a schedule from ``level`` to the one below."""
        below = level - 1
        return cls(
            level, schedule.alpha(level), schedule.sigma(level), schedule.alpha(below), schedule.sigma(below)
        )

    @property
    def reach(self) -> float:
        r"""How far the next state moves against a push of one:
        :math:`c_t = \alpha_{t-1} \sigma_t / \alpha_t - \sigma_{t-1}`.
        """  # noqa: D205 - one sentence
        return self.next_alpha * self.sigma / self.alpha - self.next_sigma


@dataclass(frozen=True)
class Measured:
    """The active terms' energies at one step.

    Args:
        x_t: the latent ``[B, C, h, w]`` that the energies hang on.
        step: the step about to be taken.
        terms: the active terms by their place among all.
        energies: by the same places, scalars in the graph.
        left: what is left of the active terms' weighted sum, of what it was when each was measured first; in
            [0, 1].
        region: where the latent may change, ``[1, 1, h, w]`` in [0, 1]; None is everywhere.
        pulls: each term's latest push in this sampling, by its place; a rule with a memory writes it here.
    """

    x_t: Tensor
    step: NoiseStep
    terms: Mapping[int, Term]
    energies: Mapping[int, Tensor]
    left: float = 1.0
    region: Tensor | None = None
    pulls: dict[int, Pull] = field(default_factory=dict)

    @property
    def total(self) -> Tensor:
        """The weighted sum of the energies."""
        return weighted_sum(self.terms, self.energies)

    def gradient(self, energy: Tensor) -> Tensor:
        """The gradient of one of the energies, or of a sum, over the region; ``[B, C, h, w]``.

        Raises:
            FloatingPointError: it is not finite.
        """
        try:
            # kept, since several energies hang on one forward pass; it goes with the last reference to them
            gradient = scaled_gradient(energy, self.x_t, keep_graph=True)
        except FloatingPointError as error:
            raise FloatingPointError(
                f"the guidance energy at level {self.step.level} has no finite gradient"
            ) from error
        return gradient if self.region is None else gradient * self.region.to(gradient)


def weighted_sum(terms: Mapping[int, Term], energies: Mapping[int, Tensor]) -> Tensor:
    """Each term's weight times its energy, summed."""
    return torch.stack([term.weight * energies[place] for place, term in terms.items()]).sum()


class Strength(Protocol):
    """A rule for the strength of guidance."""

    def __call__(self, measured: Measured) -> Tensor | None:
        """What is added to the noise prediction, ``[B, C, h, w]``, or None."""
        ...


@dataclass(frozen=True)
class NoiseShare:
    r"""A share of the noise, from one normalised gradient, eased off with progress.

    .. math:: v\, \sigma_t\, \frac{E_t}{E_{first}}\, \mathrm{clip}\!\left(
        \frac{\nabla E}{\mathrm{rms}(\nabla E)}\right)

    with E_t the active terms' weighted sum, and E_first that of what each of them was when it was measured
    first. ``v`` means the same for every model, layer and energy.
    """

    v: float

    def __call__(self, measured: Measured) -> Tensor:
        """See :class:`Strength`."""
        gradient = measured.gradient(measured.total)
        return self.v * measured.left * measured.step.sigma * unit(gradient, measured.region)


@dataclass(frozen=True)
class GradientScale:
    r"""The gradient as it is, :math:`s\,\sigma_t \nabla E`: as self- and classifier guidance were published.

    References: Epstein et al. 2023, arXiv 2306.00986, equation 4; Dhariwal & Nichol 2021, arXiv 2105.05233,
    algorithm 2.
    """

    s: float = 1.0

    def __call__(self, measured: Measured) -> Tensor:
        """See :class:`Strength`."""
        gradient = measured.gradient(measured.total)
        # energies are averaged over the batch, whose pictures have nothing to do with each other
        return self.s * measured.step.sigma * gradient.shape[0] * gradient


@dataclass(frozen=True)
class Pull:
    """What one term was pushed by at a step, and what should have come of it.

    Args:
        value: its energy then.
        expected: its energy after the step, to first order.
        direction: its normalised gradient.
        gain: what the first-order step was multiplied by.
    """

    value: float
    expected: float
    direction: Tensor
    gain: float

    def next_gain(self, value: float, direction: Tensor) -> float:
        """The gain of the next step, from the progress that this one has made."""
        if float((direction * self.direction).sum()) < 0:  # it went past its target
            return max(1.0, self.gain / 2)
        share = (self.value - value) / max(self.value - self.expected, _TINY)
        return min(2 * self.gain, MOST_GAIN) if share < ENOUGH else self.gain


@dataclass(frozen=True)
class Automatic:
    r"""As much as each term needs to reach its goal, and no more than a limit: Polyak's step with feedback.

    To first order a push ``p`` changes a term's energy by :math:`-c_t \langle \nabla g_i, p \rangle`
    (:attr:`NoiseStep.reach`). Along the term's own normalised gradient ``u_i`` it therefore takes

    .. math:: p_i = \min\!\left(\mathrm{limit}\; \sigma_t,\;
        k_i \frac{g_i - g^*_i}{c_t\, \langle \nabla g_i, u_i \rangle}\right) u_i

    to close the gap; :math:`g^*` is half the term's tolerance, at which a term is left alone. The gain
    :math:`k_i \ge 1` starts at 1; it doubles after a step that brought less than half of what was expected,
    and halves when the gradient turns round, which is to say that the target was passed. Terms that pull
    along one line share it by their weights, :math:`w_i / \sum_j w_j |\cos(u_i, u_j)|`: two that agree do not
    go twice as far, of two that contend the heavier wins, independent ones do not slow each other.

    Fidelity: a hold term (:attr:`guidance.terms.Term.budget`) slows the others from half its budget on, to a
    stand at the budget; beyond, it is brought back to the budget in the same way.

    Args:
        limit: largest root mean square of the push as a share of the noise, and the one knob.

    References: Polyak 1987, *Introduction to Optimization*, section 5.3; Nocedal & Wright 2006, *Numerical
    Optimization*, section 4.1, for the comparison of expected and actual progress.

    Raises:
        ValueError: ``limit`` is not positive.
    """

    limit: float = 0.5

    def __post_init__(self) -> None:
        if not self.limit > 0:
            raise ValueError(f"limit must be positive, got {self.limit}")

    def __call__(self, measured: Measured) -> Tensor | None:
        """See :class:`Strength`."""
        values = {place: energy.item() for place, energy in measured.energies.items()}
        lacking = {place: term for place, term in measured.terms.items() if values[place] > term.goal}
        if not lacking:
            return None
        brake = _brake(measured.terms, values)
        steps = torch.stack([self._alone(measured, place, values[place]) for place in lacking]).flatten(1)
        slowed = [term.weight * (brake if term.budget is None else 1.0) for term in lacking.values()]
        weights = torch.tensor([term.weight for term in lacking.values()]).to(steps)
        lengths = steps.norm(dim=1, keepdim=True).clamp_min(_TINY)
        cosines = ((steps / lengths) @ (steps / lengths).T).abs().fill_diagonal_(1)
        push = ((torch.tensor(slowed).to(steps) / (cosines @ weights)) @ steps).view_as(measured.x_t)
        most = self.limit * measured.step.sigma
        return push * min(1.0, most / max(_rms(push, measured.region).max().item(), _TINY))

    def _alone(self, measured: Measured, place: int, value: float) -> Tensor:
        """The push that one term would take if there were no other."""
        step, term, before = measured.step, measured.terms[place], measured.pulls.get(place)
        gradient = measured.gradient(measured.energies[place])
        u = unit(gradient, measured.region)
        gain = 1.0 if before is None else before.next_gain(value, u)
        aim = term.goal / 2 if term.budget is None else term.budget
        need = (value - aim) / max(step.reach * float((gradient * u).sum()), _TINY)
        most = self.limit * step.sigma
        expected = value - min(1.0, most / max(need, _TINY)) * (value - aim)
        measured.pulls[place] = Pull(value, expected, u, gain)
        return min(gain * need, most) * u


def _brake(terms: Mapping[int, Term], values: Mapping[int, float]) -> float:
    """What the hold terms leave of the others' strength, in [0, 1]."""
    used = [values[place] / term.budget for place, term in terms.items() if term.budget is not None]
    return min(1.0, max(0.0, 2 - 2 * max(used, default=0.0)))


def unit(gradient: Tensor, region: Tensor | None) -> Tensor:
    """Each picture's gradient at unit root mean square over the region, outside which it is 0.

    Large values are clipped; zero stays zero.
    """
    return (gradient / _rms(gradient, region).clamp_min(_TINY)).clamp(-CLIP, CLIP)


def _rms(x: Tensor, region: Tensor | None) -> Tensor:
    """Root mean square over the region, outside which ``x [B, C, h, w]`` is 0; ``[B, 1, 1, 1]``."""
    # by the largest value first: the squares of small gradients are below what fp32 holds
    largest = x.abs().amax((1, 2, 3), keepdim=True).clamp_min(_TINY)
    total = (x / largest).square().sum((1, 2, 3), keepdim=True)
    cells = x[0].numel() if region is None else region.to(x).expand_as(x[:1]).sum().clamp_min(1)
    return largest * (total / cells).sqrt()
