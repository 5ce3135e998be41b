"""The energies of one sampling, from the first step to the finished sample: what they push, what they reach.

A :class:`Guide` knows no sampler. Whoever takes the steps asks it, at each, what to add to the noise
prediction: :func:`guidance.sampler.self_guided_sample`, or diffusers' own loop with a hook in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from guidance.capture import Capture, Observation
from guidance.energies.target import in_full
from guidance.strength import Measured, NoiseShare, NoiseStep, Pull, Strength, weighted_sum
from guidance.terms import State, Term

Branch = Callable[[Tensor], Tensor]
"""The conditional branch: ``x_t [B, C, h, w]`` to its noise prediction, run under the guide's windows."""

MET = 0.8
"""Share of the way from which on a target counts as reached."""


@dataclass(frozen=True)
class Target:
    """What became of one term.

    Args:
        name: the term's.
        asked: its energy when it was measured first: how far off the property was.
        reached: how much of that is gone; negative if the property is further off than before.
        goal: the energy at which it has nothing left to ask for; 0 where there is no such.
        share: how far it came from ``asked`` to ``goal``, in [0, 1]; of a hold term, its budget over its
            energy; 1 is within either.
        hold: whether it was to be kept rather than reached.
    """

    name: str
    asked: float
    reached: float
    goal: float
    share: float
    hold: bool = False

    @property
    def met(self) -> bool:
        """Whether it came near enough; always, where there is nothing to reach or hold."""
        return self.goal == 0 or self.share >= MET

    def __str__(self) -> str:
        """One line."""
        if self.hold:
            return f"{self.name}: held to {self.asked - self.reached:.3g}, asked {self.goal:.3g}"
        return f"{self.name}: {self.share:.0%} of the way ({self.reached:.3g} of {self.asked:.3g})"


@dataclass
class Trace:
    """What the energies did.

    Args:
        energies: the weighted sum of the active terms, one for each guided step.
        levels: of those steps.
        terms: each term's own energy, by its place among the terms, one for each step in which it acted.
        last: each term's energy when it was measured last: at the last step of its window, or on the finished
            sample where that was asked for.
        targets: what became of each term that acted, by its place.
    """

    energies: list[float] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    terms: dict[int, list[float]] = field(default_factory=dict)
    last: dict[int, float] = field(default_factory=dict)
    targets: dict[int, Target] = field(default_factory=dict)

    @property
    def missed(self) -> tuple[Target, ...]:
        """The targets that were not reached, and what was not held."""
        return tuple(target for target in self.targets.values() if not target.met)


class Guide:
    """Terms at work.

    Args:
        capture: windows on the model, injected.
        terms: energies; those of weight 0 do not act.
        strength: ``v`` of :class:`guidance.strength.NoiseShare`, 0 turns the guide off; or another rule.
        reference: level -> the source's observation.
        region: where the latent may change, ``[1, 1, h, w]`` in [0, 1].
        tokens: how many of the prompt's token columns the terms may look at; all by default.
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

    def active(self, done: int, steps: int) -> dict[int, Term]:
        """The terms, by their place, that act in the done-th (from 0) of so many steps."""
        return {place: term for place, term in self.acting.items() if term.window.contains(done, steps)}

    def measure(
        self, branch: Branch, x_t: Tensor, step: NoiseStep, terms: Mapping[int, Term]
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """The terms' energies at ``x_t``, by their place.

        Returns:
            ``x_t`` as a leaf of the graph (where gradients are enabled), and the energies.

        Raises:
            FloatingPointError: an energy is not finite.
        """
        whole = any(term.whole for term in terms.values())
        x = in_full(x_t).detach().requires_grad_(torch.is_grad_enabled())
        x_0 = None
        size = (x.shape[-2], x.shape[-1])
        with self.capture.record(size, tokens=self.tokens, partial=not whole) as seen:
            x_0 = (x - step.sigma * branch(x)) / step.alpha
        state = State(x, step.level, seen, self.reference(step.level), x_0)
        energies = {place: term.energy(state) for place, term in terms.items()}
        for place, energy in energies.items():
            if not torch.isfinite(energy):
                name = terms[place].title
                raise FloatingPointError(
                    f"the guidance energy at level {step.level} is not finite: {name} is {energy.item()}"
                )
        return x, energies

    def push(self, branch: Branch, x_t: Tensor, step: NoiseStep, terms: Mapping[int, Term]) -> Tensor | None:
        """What the terms add to the noise prediction at ``x_t``, ``[B, C, h, w]`` in fp32, or None.

        Raises:
            FloatingPointError: an energy or its gradient is not finite.
        """
        if not terms:
            return None
        with torch.enable_grad():
            x, energies = self.measure(branch, x_t, step, terms)
            trace = self.trace
            trace.levels.append(step.level)
            trace.energies.append(weighted_sum(terms, energies).item())
            trace.last |= _values(energies)
            for place in energies:
                trace.terms.setdefault(place, []).append(trace.last[place])
                self._acted[place] = step
            # of the same terms: those whose window is over would count as reached
            asked = sum(term.weight * trace.terms[place][0] for place, term in terms.items())
            left = min(1.0, trace.energies[-1] / max(asked, 1e-12))
            return self.rule(Measured(x, step, terms, energies, left, self.region, self._pulls))

    @torch.no_grad()
    def remeasure(
        self,
        branch_at: Callable[[int], Branch],
        x_0: Tensor,
        noise: Callable[[int], Tensor | None] = lambda _: None,
    ) -> None:
        """Measure every term on the finished sample, noised again to the last level at which the term acted.

        What a term reads at the end of its window, the steps behind it may still undo. Costs an evaluation,
        most often a partial one, for each such level. What the model sees depends on the noise, too: compared
        with what it saw of the source, it must be the source's own.

        Args:
            branch_at: level -> the conditional branch there.
            x_0: the finished sample ``[B, C, h, w]``.
            noise: level -> the noise in the source's state there; None for some that is always the same.
        """
        fresh = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(0)).to(x_0)
        for step in {step.level: step for step in self._acted.values()}.values():
            terms = {place: self.acting[place] for place, at in self._acted.items() if at.level == step.level}
            eps = noise(step.level)
            x_t = step.alpha * x_0 + step.sigma * (fresh if eps is None else eps.to(x_0))
            self.trace.last |= _values(self.measure(branch_at(step.level), x_t, step, terms)[1])

    def finish(self) -> Trace:
        """The trace, with what became of each term."""
        for place, last in self.trace.last.items():
            term, first = self.acting[place], self.trace.terms[place][0]
            self.trace.targets[place] = Target(
                term.title, first, first - last, term.goal, _share(term, first, last), term.budget is not None
            )
        return self.trace


def _values(energies: Mapping[int, Tensor]) -> dict[int, float]:
    return {place: energy.item() for place, energy in energies.items()}


def _share(term: Term, first: float, last: float) -> float:
    if last <= term.goal:
        return 1.0
    if term.budget is not None:
        return term.budget / last
    return max(0.0, (first - last) / (first - term.goal)) if first > term.goal else 0.0
