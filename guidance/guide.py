"""The terms of one sampling at work, from the first step to the report on the finished sample.

A :class:`Guide` knows no sampler. The sampler (:func:`guidance.sampler.self_guided_sample`, or diffusers' own
loop with a hook) asks it at each step for a push to add to the noise prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from guidance.capture import Capture, Observation
from guidance.combined import Combined
from guidance.cut import Cut
from guidance.energies.target import in_full
from guidance.strength import Measured, NoiseShare, NoiseStep, Pull, Strength, weighted_sum
from guidance.terms import State, Term

Branch = Callable[[Tensor], Tensor]
"""The conditional branch, run under the guide's windows: ``x_t [B, C, h, w]`` -> its noise prediction."""

MET = 0.8
"""Share of the way to its target, or of its budget over its energy, at or above which a term counts as met;
below it the term is reported as missed. Not measured."""

_LEAST_ENERGY = 1e-12
"""Sum of energies below which progress is measured against this instead, so that terms that begin at 0
are not divided by 0. Set far below any energy that matters."""


@dataclass(frozen=True)
class Target:
    """The result of one term.

    Args:
        name: the term's name.
        asked: the term's energy when first measured: how far off the property was.
        reached: how far the energy has fallen since; negative if it has risen.
        goal: the energy at or below which the term is content (:attr:`guidance.terms.Term.goal`).
        share: how far the energy came from ``asked`` to ``goal``, in [0, 1]; for a hold term, its budget over
            its energy, at most 1.
        hold: whether it is a hold term.
    """

    name: str
    asked: float
    reached: float
    goal: float
    share: float
    hold: bool = False

    @property
    def met(self) -> bool:
        """Whether it came near enough; true if the goal is 0, which no energy quite reaches."""
        return self.goal == 0 or self.share >= MET

    def __str__(self) -> str:
        """One line for a report."""
        if self.hold:
            return f"{self.name}: held to {self.asked - self.reached:.3g}, asked {self.goal:.3g}"
        return f"{self.name}: {self.share:.0%} of the way ({self.reached:.3g} of {self.asked:.3g})"


@dataclass
class Trace:
    """The energies during a sampling, and the result of each term.

    Args:
        energies: the weighted sum of the active terms, one for each guided step.
        levels: the noise levels of those steps.
        terms: by place among the terms, the term's own energy at each step in which it acted.
        last: by place, the term's energy when last measured: at the last step of its window, or on the
            finished sample after :meth:`Guide.remeasure`.
        targets: by place, the result of each term that acted.
    """

    energies: list[float] = field(default_factory=list[float])
    levels: list[int] = field(default_factory=list[int])
    terms: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    last: dict[int, float] = field(default_factory=dict[int, float])
    targets: dict[int, Target] = field(default_factory=dict[int, Target])

    @property
    def missed(self) -> tuple[Target, ...]:
        """The results of the terms that did not reach their target or did not hold it."""
        return tuple(target for target in self.targets.values() if not target.met)


class Guide:
    """Turns terms into pushes, and keeps a trace of what they do.

    Args:
        capture: windows on the model, injected.
        terms: the terms; those of weight 0 do not act.
        strength: ``v`` of :class:`guidance.strength.NoiseShare`, 0 turns the guide off; or another rule.
        reference: level -> the source's observation.
        region: where the latent may change, ``[1, 1, h, w]`` in [0, 1].
        tokens: how many of the prompt's token columns the terms may look at, from the first; all by default.
    """

    def __init__(
        self,
        capture: Capture,
        terms: Sequence[Term],
        strength: float | Strength = 1.0,
        *,
        reference: Callable[[int], Observation | None] = lambda _: None,
        region: Tensor | None = None,
        tokens: int | None = None,
    ) -> None:
        self.capture, self.reference, self.region, self.tokens = capture, reference, region, tokens
        self.rule = NoiseShare(strength) if isinstance(strength, int | float) else strength
        off = isinstance(self.rule, NoiseShare) and not self.rule.v > 0
        self.acting = {} if off else {place: term for place, term in enumerate(terms) if term.weight}
        self.trace = Trace()
        self._acted: dict[int, NoiseStep] = {}
        self._pulls: dict[int, Pull] = {}
        self._factors: dict[str, float] = {}

    def active(self, done: int, steps: int) -> dict[int, Term]:
        """Returns the terms, by place, that act in the step after ``done`` of ``steps`` steps."""
        return {place: term for place, term in self.acting.items() if term.window.contains(done, steps)}

    def measure(
        self, branch: Branch, x_t: Tensor, step: NoiseStep, terms: Mapping[int, Term]
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Measures the terms' energies at ``x_t``.

        Returns:
            ``x_t`` as a leaf of the graph (if gradients are enabled), and the energies by place.

        Raises:
            FloatingPointError: an energy is not finite.
        """
        state = self._look(branch, x_t, step, terms)
        return state.x_t, self._energies(state, terms)

    def _look(
        self, branch: Branch, x_t: Tensor, step: NoiseStep, terms: Mapping[int, Term], *, to_end: bool = False
    ) -> State:
        """Runs the branch as far as the terms need it, or to its end, and returns what it showed."""
        whole = any(term.whole for term in terms.values())
        x = in_full(x_t).detach().requires_grad_(torch.is_grad_enabled())
        x_0 = None
        size = (x.shape[-2], x.shape[-1])
        partial, ungraphed = not (whole or to_end), to_end and not whole
        with self.capture.record(size, tokens=self.tokens, partial=partial, ungraphed=ungraphed) as seen:
            x_0 = (x - step.sigma * branch(x)) / step.alpha
        return State(x, step.level, seen, self.reference(step.level), x_0 if whole else None)

    @staticmethod
    def _energies(state: State, terms: Mapping[int, Term]) -> dict[int, Tensor]:
        """Returns the terms' energies by place, all finite."""
        energies = {place: term.energy(state) for place, term in terms.items()}
        for place, energy in energies.items():
            if not torch.isfinite(energy):
                name = terms[place].title
                raise FloatingPointError(
                    f"the guidance energy at level {state.level} is not finite: {name} is {energy.item()}"
                )
        return energies

    def push(
        self,
        branch: Branch,
        x_t: Tensor,
        step: NoiseStep,
        terms: Mapping[int, Term],
        *,
        to_end: bool = False,
    ) -> Tensor | None:
        """Computes what the terms add to the noise prediction at ``x_t``.

        Args:
            branch: the conditional branch at the step's level.
            x_t: the state ``[B, C, h, w]``.
            step: the step about to be taken.
            terms: the active terms, by place.
            to_end: whether the branch runs to its end, so that its prediction can be used too.

        Returns:
            The push ``[B, C, h, w]`` in fp32, or None if there is nothing to add.

        Raises:
            FloatingPointError: an energy or its gradient is not finite.
        """
        if not terms:
            return None
        with torch.enable_grad():
            state = self._look(branch, x_t, step, terms, to_end=to_end)
            x, cut = state.x_t, None
            if isinstance(self.rule, Combined):
                cut, state = Cut.of(state)
            energies = self._energies(state, terms)
            trace = self.trace
            trace.levels.append(step.level)
            trace.energies.append(weighted_sum(terms, energies).item())
            trace.last |= _values(energies)
            for place in energies:
                trace.terms.setdefault(place, []).append(trace.last[place])
                self._acted[place] = step
            # of the active terms alone: those whose window is over would count as reached
            asked = sum(term.weight * trace.terms[place][0] for place, term in terms.items())
            left = min(1.0, trace.energies[-1] / max(asked, _LEAST_ENERGY))
            measured = Measured(
                x, step, terms, energies, left, self.region, self._pulls, cut=cut, factors=self._factors
            )
            return self.rule(measured)

    @torch.no_grad()
    def remeasure(
        self,
        branch_at: Callable[[int], Branch],
        x_0: Tensor,
        noise: Callable[[int], Tensor | None] = lambda _: None,
    ) -> None:
        """Measures every term on the finished sample, noised again to the last level at which the term acted.

        The steps after a term's window may undo what it has reached, so that its last energy in the window is
        not enough. Costs an evaluation, usually a partial one, for each such level. What the model sees also
        depends on the noise: where terms compare with the source, it has to be the source's own noise.

        Args:
            branch_at: level -> the conditional branch at this level.
            x_0: the finished sample ``[B, C, h, w]``.
            noise: level -> the noise in the source's state at this level; None takes noise of a fixed seed.
        """
        fresh = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(0)).to(x_0)
        for step in {step.level: step for step in self._acted.values()}.values():
            terms = {place: self.acting[place] for place, at in self._acted.items() if at.level == step.level}
            eps = noise(step.level)
            x_t = step.alpha * x_0 + step.sigma * (fresh if eps is None else eps.to(x_0))
            self.trace.last |= _values(self.measure(branch_at(step.level), x_t, step, terms)[1])

    def finish(self) -> Trace:
        """Returns the trace, completed by the result of each term."""
        for place, last in self.trace.last.items():
            term, first = self.acting[place], self.trace.terms[place][0]
            self.trace.targets[place] = Target(
                term.title, first, first - last, term.goal, _share(term, first, last), term.budget is not None
            )
        return self.trace


def _values(energies: Mapping[int, Tensor]) -> dict[int, float]:
    return {place: energy.item() for place, energy in energies.items()}


def _share(term: Term, first: float, last: float) -> float:
    """Computes :attr:`Target.share` from a term's first and last energy."""
    if last <= term.goal:
        return 1.0
    if term.budget is not None:
        return term.budget / last
    return max(0.0, (first - last) / (first - term.goal)) if first > term.goal else 0.0
