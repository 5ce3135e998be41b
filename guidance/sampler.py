r"""The self-guided sampler: DDIM steps whose noise prediction also descends the energies.

.. math::
    \hat\epsilon_t = \epsilon_\varnothing + s\,(\epsilon_{text} - \epsilon_\varnothing)
        + v\,\sigma_t\,\frac{E_t}{E_{first}}\,
        \mathrm{clip}\!\left(\frac{\nabla_{z_t} E}{\mathrm{rms}(\nabla_{z_t} E)}\right),
    \qquad E = \sum_i w_i\, g_i(z_t; t, y)

The first line is classifier-free guidance, the second Epstein et al. 2023 (arXiv 2306.00986, eq. 4) with the
gradient brought to unit root mean square, so that ``v`` is a share of the noise itself and means the same for
every model, layer and energy; and with the strength set from progress: what is left of the energy of the
first guided step scales the pull, so that it lets go of an object that has arrived. Other rules for the
strength are in :mod:`guidance.strength`. The gradient flows through the conditional branch only, in one
forward pass that ends behind the last captured layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor

from guidance.capture import Capture, Observation
from guidance.strength import Measured, NoiseShare, Strength, weighted_sum
from guidance.terms import State, Term
from inversion import Denoiser, Guidance, Schedule, predict


@dataclass(frozen=True)
class Anchors:
    """What ties a resampling to a photo.

    Args:
        region: where the latent may change, ``[1, 1, h, w]`` in [0, 1]; elsewhere every state is the
            source's.
        source: level -> the source's state ``[B, C, h, w]``.
        reference: level -> the source's observation, for the energies.
        recall: level -> a context in which self-attention reads the source's keys and values.
        constrain: (predicted x_0, level) -> x_0, applied after guidance and before the step.
    """

    region: Tensor | None = None
    source: Callable[[int], Tensor] | None = None
    reference: Callable[[int], Observation | None] = lambda _: None
    recall: Callable[[int], AbstractContextManager[None]] = lambda _: nullcontext()
    constrain: Callable[[Tensor, int], Tensor] = lambda x_0, _: x_0

    def hold(self, x: Tensor, level: int) -> Tensor:
        """``x`` with everything outside the region taken from the source's state of the same level."""
        if self.region is None or self.source is None:
            return x
        return torch.lerp(self.source(level).to(x), x, self.region.to(x))


@dataclass
class Trace:
    """What the energies did.

    Args:
        energies: the weighted sum of the active terms, one for each guided step.
        levels: of those steps.
        terms: each term's own energy, by its place among the terms, one for each step in which it acted.
        last: each term's energy when it was measured last: at the end of its window, or of the sampling if
            that was asked for.
        reached: how far each had come by then from its first energy to its tolerance, in [0, 1]; of a hold
            term, its budget over its energy; 1 is within either.
    """

    energies: list[float] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    terms: dict[int, list[float]] = field(default_factory=dict)
    last: dict[int, float] = field(default_factory=dict)
    reached: dict[int, float] = field(default_factory=dict)


def measure(
    denoiser: Denoiser, capture: Capture, schedule: Schedule, x_t: Tensor, level: int, guidance: Guidance,
    terms: Mapping[int, Term], anchors: Anchors,
) -> tuple[Tensor, dict[int, Tensor]]:  # fmt: skip
    """Every term's energy at ``x_t``, by its place.

    Returns:
        ``x_t`` as a leaf of the graph (where gradients are enabled), and the energies.

    Raises:
        FloatingPointError: an energy is not finite.
    """
    whole = any(term.whole for term in terms.values())
    tokens = guidance.text.embedding.shape[1]
    x = x_t.detach().requires_grad_(torch.is_grad_enabled())
    x_0 = None
    with (
        anchors.recall(level),
        capture.record((x.shape[-2], x.shape[-1]), tokens=tokens, partial=not whole) as seen,
    ):
        eps = denoiser(x, schedule.timestep(level), guidance.text.expand(x.shape[0]))
        x_0 = schedule.predict_x0(x, eps, level)
    state = State(x, level, seen, anchors.reference(level), x_0)
    energies = {place: term.energy(state) for place, term in terms.items()}
    if not all(torch.isfinite(energy) for energy in energies.values()):
        raise FloatingPointError(f"the guidance energy at level {level} is not finite")
    return x, energies


@torch.no_grad()
def self_guided_sample(
    denoiser: Denoiser,
    capture: Capture,
    schedule: Schedule,
    x: Tensor,
    guidance: Guidance,
    terms: Sequence[Term] = (),
    *,
    start: int | None = None,
    strength: float | Strength = 1.0,
    anchors: Anchors = Anchors(),
    remeasure: bool = False,
    callback: Callable[[int, int], None] | None = None,
) -> tuple[Tensor, Trace]:
    """Sample from a level down to the clean one under classifier-free and self-guidance.

    Args:
        denoiser: the model.
        capture: windows on the same model, injected.
        schedule: the noise levels.
        x: the state at ``start``, ``[B, C, h, w]``.
        guidance: conditions and classifier-free scale.
        terms: energies; with none of them active a step is plain DDIM.
        start: the level of ``x``; the noisiest by default.
        strength: ``v`` of the equation above, 0 turns self-guidance off; or a rule of
            :mod:`guidance.strength`.
        anchors: what ties the sampling to a photo.
        remeasure: measure the terms whose window is over once more at the last step, so that the trace tells
            what the sample has reached; costs at most one evaluation.
        callback: called after each step with (steps done, steps in all).

    Returns:
        The clean latent, and the energies along the way.
    """
    steps = schedule.steps if start is None else start
    trace = Trace()
    rule = NoiseShare(strength) if isinstance(strength, int | float) else strength
    off = isinstance(rule, NoiseShare) and not rule.v > 0
    acting = {} if off else {place: term for place, term in enumerate(terms) if term.weight}
    x = anchors.hold(x, steps)
    for done, level in enumerate(range(steps, 0, -1)):
        active = {place: term for place, term in acting.items() if term.window.contains(done, steps)}
        push = None
        if active:
            push = _push(denoiser, capture, schedule, x, level, guidance, active, anchors, rule, trace)
        if remeasure and level == 1:
            over = {place: acting[place] for place in trace.terms if place not in active}
            trace.last |= _values(
                measure(denoiser, capture, schedule, x, level, guidance, over, anchors)[1] if over else {}
            )
        with anchors.recall(level):
            eps = predict(denoiser, x, schedule.timestep(level), guidance)
        if push is not None:
            eps = eps + push
        x_0 = anchors.constrain(schedule.predict_x0(x, eps, level), level)
        eps = (x - schedule.alpha(level) * x_0) / schedule.sigma(level)
        x = anchors.hold(schedule.add_noise(x_0, eps, level - 1), level - 1)
        if callback is not None:
            callback(done + 1, steps)
    trace.reached = {
        place: _reached(acting[place], trace.terms[place][0], last) for place, last in trace.last.items()
    }
    return x, trace


def _push(
    denoiser: Denoiser, capture: Capture, schedule: Schedule, x_t: Tensor, level: int, guidance: Guidance,
    terms: Mapping[int, Term], anchors: Anchors, rule: Strength, trace: Trace,
) -> Tensor | None:  # fmt: skip
    """What the active terms add to the noise prediction; the graph is gone when it returns."""
    with torch.enable_grad():
        x, energies = measure(denoiser, capture, schedule, x_t, level, guidance, terms, anchors)
        trace.levels.append(level)
        trace.energies.append(weighted_sum(terms, energies).item())
        trace.last |= _values(energies)
        for place in energies:
            trace.terms.setdefault(place, []).append(trace.last[place])
        left = min(1.0, trace.energies[-1] / max(trace.energies[0], 1e-12))
        return rule(Measured(x, level, terms, energies, left, anchors.region), schedule)


def _values(energies: Mapping[int, Tensor]) -> dict[int, float]:
    return {place: energy.item() for place, energy in energies.items()}


def _reached(term: Term, first: float, last: float) -> float:
    """How far a term came towards what it asks for, 1 if it is there."""
    if last <= term.goal:
        return 1.0
    if term.budget is not None:
        return term.budget / last
    return max(0.0, (first - last) / (first - term.goal)) if first > term.goal else 0.0
