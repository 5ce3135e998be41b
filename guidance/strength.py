r"""How hard the energies pull: rules that turn the energies at a step into a push on the noise prediction.

A rule is called with the active terms' energies, still attached to their graph, and returns the push that is
added to the noise prediction, or None. A plain number ``v`` stands for :class:`NoiseShare`.

The rules differ in what has to be tuned by hand: :class:`GradientScale` needs a scale for every energy, model
and layer, :class:`NoiseShare` one number and the terms' weights, :class:`Automatic` nothing; it costs a
backward pass for every term, :class:`guidance.combined.Combined` of the same behaviour one for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from guidance.terms import Term
from inversion import Schedule
from inversion.half_precision import scaled_gradient
from inversion.linalg import vector_norm

if TYPE_CHECKING:
    from guidance.cut import Cut

CLIP = 3.0
"""A gradient's value in one latent value is cut off beyond this, in its root mean squares: a lower limit
distorts the direction, a higher one lets single values run away. Not measured."""

MOST_GAIN = 64.0
"""A term's gain grows no further than this factor on its first-order step: a lower one leaves stubborn terms
unreached, a higher one overshoots when a term gives way. Not measured."""

ENOUGH_PROGRESS = 0.5
"""Share of the expected progress at or above which a term keeps its gain; below it the gain doubles. Not
measured."""

TINY = 1e-20
"""Least divisor: smaller norms and slopes are replaced by it, so that 0 stays 0; larger ones are used as they
are. Set far below any slope that matters, and above fp32's least number."""


@dataclass(frozen=True)
class NoiseStep:
    """One step down the noise levels, in numbers.

    Args:
        level: the level at which it starts, 1..N.
        alpha: sqrt(abar) at this level.
        sigma: sqrt(1 - abar) at this level.
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
        """Returns the step of a schedule from ``level`` to the one below."""
        below = level - 1
        return cls(
            level, schedule.alpha(level), schedule.sigma(level), schedule.alpha(below), schedule.sigma(below)
        )

    @property
    def reach(self) -> float:
        r"""How far the next state moves against a push of 1: :math:`c_t`.

        .. math:: c_t = \alpha_{t-1} \sigma_t / \alpha_t - \sigma_{t-1}
        """
        return self.next_alpha * self.sigma / self.alpha - self.next_sigma


@dataclass(frozen=True)
class Measured:
    """The active terms' energies at one step.

    Args:
        x_t: the latent ``[B, C, h, w]`` that the energies depend on.
        step: the step about to be taken.
        terms: the active terms, by their place among all terms.
        energies: their energies by place, scalars in the graph.
        left: the weighted sum of the energies over the same sum when each was measured first, at most 1.
        region: where the latent may change, ``[1, 1, h, w]`` in [0, 1]; None is everywhere.
        pulls: each term's latest push in this sampling, by place; a rule with a memory writes it here.
        cut: where the energies are cut from the model's graph; None where they are still attached to it.
        factors: what :mod:`guidance.combined` has learnt of the terms in this sampling, by place.
    """

    x_t: Tensor
    step: NoiseStep
    terms: Mapping[int, Term]
    energies: Mapping[int, Tensor]
    left: float = 1.0
    region: Tensor | None = None
    pulls: dict[int, Pull] = field(default_factory=lambda: dict[int, Pull]())
    cut: Cut | None = None
    factors: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def total(self) -> Tensor:
        """The weighted sum of the energies."""
        return weighted_sum(self.terms, self.energies)

    def gradient(self, energy: Tensor) -> Tensor:
        """Returns the gradient of an energy, or of a sum of them, by x_t in the region; ``[B, C, h, w]``.

        Raises:
            FloatingPointError: it is not finite.
        """
        try:
            # the graph is kept, since several energies share one forward pass; it is freed with them
            gradient = scaled_gradient(energy, self.x_t, keep_graph=True)
        except FloatingPointError as error:
            raise FloatingPointError(
                f"the guidance energy at level {self.step.level} has no finite gradient"
            ) from error
        return gradient if self.region is None else gradient * self.region.to(gradient)


def weighted_sum(terms: Mapping[int, Term], energies: Mapping[int, Tensor]) -> Tensor:
    """Returns the sum of each term's weight times its energy."""
    return torch.stack([term.weight * energies[place] for place, term in terms.items()]).sum()


class Strength(Protocol):
    """A rule for the strength of guidance."""

    def __call__(self, measured: Measured) -> Tensor | None:
        """Returns what is added to the noise prediction, ``[B, C, h, w]``, or None."""
        ...


@dataclass(frozen=True)
class NoiseShare:
    r"""A share of the noise along one normalised gradient, reduced with progress.

    .. math:: v\, \sigma_t\, \frac{E_t}{E_{first}}\, \mathrm{clip}\!\left(
        \frac{\nabla E}{\mathrm{rms}(\nabla E)}\right)

    with E_t the weighted sum of the active terms' energies, and E_first the same sum of the energies when
    each was measured first. ``v`` means the same for every model, layer and energy.
    """

    v: float

    def __call__(self, measured: Measured) -> Tensor:
        """See :class:`Strength`."""
        gradient = measured.gradient(measured.total)
        return self.v * measured.left * measured.step.sigma * unit(gradient, measured.region)


@dataclass(frozen=True)
class GradientScale:
    r"""The plain gradient, :math:`s\,\sigma_t \nabla E`, as self- and classifier guidance were published.

    References: Epstein et al. 2023, arXiv 2306.00986, equation 4; Dhariwal & Nichol 2021, arXiv 2105.05233,
    algorithm 2.
    """

    s: float = 1.0

    def __call__(self, measured: Measured) -> Tensor:
        """See :class:`Strength`."""
        gradient = measured.gradient(measured.total)
        # undoes the energies' mean over the batch: each picture gets the gradient that it would have alone
        return self.s * measured.step.sigma * gradient.shape[0] * gradient


@dataclass(frozen=True)
class Pull:
    """One term's push at a step, and its expected result.

    Args:
        value: the term's energy before the step.
        expected: its energy after the step, to first order.
        direction: its normalised gradient ``[B, C, h, w]``.
        gain: the factor on the first-order step.
    """

    value: float
    expected: float
    direction: Tensor
    gain: float

    def next_gain(self, value: float, direction: Tensor) -> float:
        """Returns the gain of the next step, from the energy and the direction found after this one."""
        if float((direction * self.direction).sum()) < 0:  # it went past its target
            return max(1.0, self.gain / 2)
        share = (self.value - value) / max(self.value - self.expected, TINY)
        return min(2 * self.gain, MOST_GAIN) if share < ENOUGH_PROGRESS else self.gain


@dataclass(frozen=True)
class Automatic:
    r"""As much as each term needs to reach its goal, up to a limit: Polyak's step with feedback.

    To first order a push ``p`` changes a term's energy by :math:`-c_t \langle \nabla g_i, p \rangle`
    (:attr:`NoiseStep.reach`). Along the term's own normalised gradient ``u_i`` the push that closes the gap
    is

    .. math:: p_i = \min\!\left(\mathrm{limit}\; \sigma_t,\;
        k_i \frac{g_i - g^*_i}{c_t\, \langle \nabla g_i, u_i \rangle}\right) u_i

    where :math:`g^*` is half the term's tolerance; a term within its tolerance is left alone. The gain
    :math:`k_i \ge 1` starts at 1. It doubles after a step that brought less than half of the expected
    progress, and halves when the gradient turns round, that is when the target was passed. Terms that pull
    along one line share it by their weights, :math:`w_i / \sum_j w_j |\cos(u_i, u_j)|`: two that agree do not
    go twice as far, of two that contend the heavier wins, independent ones do not slow each other.

    Fidelity: a hold term (:attr:`guidance.terms.Term.budget`) above half of its budget slows the others. At
    its budget they stand still, and above it the hold term is brought back to the budget in the same way.

    Args:
        limit: largest root mean square of the push, as a share of the noise; the one knob.

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
        brake = brake_of(measured.terms, values)
        steps = torch.stack([self._alone(measured, place, values[place]) for place in lacking]).flatten(1)
        slowed = [term.weight * (brake if term.budget is None else 1.0) for term in lacking.values()]
        weights = torch.tensor([term.weight for term in lacking.values()]).to(steps)
        lengths = vector_norm(steps, 1, keepdim=True).clamp_min(TINY)
        cosines = ((steps / lengths) @ (steps / lengths).T).abs().fill_diagonal_(1)
        push = ((torch.tensor(slowed).to(steps) / (cosines @ weights)) @ steps).view_as(measured.x_t)
        most = self.limit * measured.step.sigma
        return push * min(1.0, most / max(rms(push, measured.region).max().item(), TINY))

    def _alone(self, measured: Measured, place: int, value: float) -> Tensor:
        """Returns the push that one term would take alone."""
        step, term, before = measured.step, measured.terms[place], measured.pulls.get(place)
        gradient = measured.gradient(measured.energies[place])
        u = unit(gradient, measured.region)
        gain = 1.0 if before is None else before.next_gain(value, u)
        aim = term.goal / 2 if term.budget is None else term.budget
        need = (value - aim) / max(step.reach * float((gradient * u).sum()), TINY)
        most = self.limit * step.sigma
        expected = value - min(1.0, most / max(need, TINY)) * (value - aim)
        measured.pulls[place] = Pull(value, expected, u, gain)
        return min(gain * need, most) * u


def brake_of(terms: Mapping[int, Term], values: Mapping[int, float]) -> float:
    """Returns the share of the other terms' strength that the hold terms allow, in [0, 1]."""
    used = [values[place] / term.budget for place, term in terms.items() if term.budget is not None]
    return min(1.0, max(0.0, 2 - 2 * max(used, default=0.0)))


def unit(gradient: Tensor, region: Tensor | None) -> Tensor:
    """Scales each picture's gradient to unit root mean square over the region, outside which it is 0.

    Values beyond :data:`CLIP` are cut off; a gradient of 0 stays 0.
    """
    return (gradient / rms(gradient, region).clamp_min(TINY)).clamp(-CLIP, CLIP)


def rms(x: Tensor, region: Tensor | None) -> Tensor:
    """Returns the root mean square over the region of ``x [B, C, h, w]``, 0 outside it; ``[B, 1, 1, 1]``."""
    # divided by the largest value first: the squares of small gradients underflow in fp32
    largest = x.abs().amax((1, 2, 3), keepdim=True).clamp_min(TINY)
    total = (x / largest).square().sum((1, 2, 3), keepdim=True)
    cells = x[0].numel() if region is None else region.to(x).expand_as(x[:1]).sum().clamp_min(1)
    return largest * (total / cells).sqrt()
