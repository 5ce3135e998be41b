r"""The self-guided sampler: DDIM steps whose noise prediction also descends the energies.

.. math::
    \hat\epsilon_t = \epsilon_\varnothing + s\,(\epsilon_{text} - \epsilon_\varnothing)
        + v\,\sigma_t\,\frac{E_t}{E_{first}}\,
        \mathrm{clip}\!\left(\frac{\nabla_{z_t} E}{\mathrm{rms}(\nabla_{z_t} E)}\right),
    \qquad E = \sum_i w_i\, g_i(z_t; t, y)

The first line is classifier-free guidance, the second Epstein et al. 2023 (arXiv 2306.00986, eq. 4) with the
gradient brought to unit root mean square, so that ``v`` is a share of the noise itself and means the same for
every model, layer and energy; and with the strength set from progress: what is left of the energy of the
first guided step scales the pull, so that it lets go of an object that has arrived. The gradient flows
through the conditional branch only, in one forward pass that ends behind the last captured layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor

from guidance.capture import Capture, Observation
from guidance.energies import State, Term
from inversion import Denoiser, Guidance, Schedule, predict

CLIP = 3.0
"""Largest size of a normalised gradient in one latent value, in root mean squares."""


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
    """What the energies did: one entry per guided step."""

    energies: list[float] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)


def energy_gradient(
    denoiser: Denoiser, capture: Capture, schedule: Schedule, x_t: Tensor, level: int, guidance: Guidance,
    terms: Sequence[Term], anchors: Anchors,
) -> tuple[float, Tensor]:  # fmt: skip
    """The weighted sum of the terms' energies at ``x_t``, and its gradient ``[B, C, h, w]``.

    Raises:
        FloatingPointError: an energy or its gradient is not finite.
    """
    whole = any(term.needs_x_0 for term in terms)
    tokens = guidance.text.embedding.shape[1]
    with torch.enable_grad():
        x = x_t.detach().requires_grad_()
        x_0 = None
        with (
            anchors.recall(level),
            capture.record((x.shape[-2], x.shape[-1]), tokens=tokens, partial=not whole) as seen,
        ):
            eps = denoiser(x, schedule.timestep(level), guidance.text.expand(x.shape[0]))
            x_0 = schedule.predict_x0(x, eps, level)
        state = State(x, level, seen, anchors.reference(level), x_0)
        energy = torch.stack([term.weight * term.energy(state) for term in terms]).sum()
        (gradient,) = torch.autograd.grad(energy, x)
    if not (torch.isfinite(energy) and torch.isfinite(gradient).all()):
        raise FloatingPointError(f"the guidance energy at level {level} is not finite")
    return energy.item(), gradient


def _unit(gradient: Tensor, region: Tensor | None) -> Tensor:
    """The gradient over the region at unit root mean square, large values clipped; zero stays zero."""
    if region is None:
        rms = gradient.square().mean().sqrt()
    else:
        gradient = gradient * region
        cells = region.expand_as(gradient).sum().clamp_min(1)
        rms = (gradient.square().sum() / cells).sqrt()
    return (gradient / rms.clamp_min(1e-20)).clamp(-CLIP, CLIP) if rms > 0 else gradient


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
    strength: float = 1.0,
    anchors: Anchors = Anchors(),
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
        strength: ``v`` of the equation above; 0 turns self-guidance off.
        anchors: what ties the sampling to a photo.
        callback: called after each step with (steps done, steps in all).

    Returns:
        The clean latent, and the energies along the way.
    """
    steps = schedule.steps if start is None else start
    trace = Trace()
    acting = [term for term in terms if strength > 0 and term.weight]
    x = anchors.hold(x, steps)
    for done, level in enumerate(range(steps, 0, -1)):
        active = [term for term in acting if term.window.contains(done, steps)]
        push = None
        if active:
            energy, gradient = energy_gradient(
                denoiser, capture, schedule, x, level, guidance, active, anchors
            )
            trace.energies.append(energy)
            trace.levels.append(level)
            left = min(1.0, energy / max(trace.energies[0], 1e-12))
            push = strength * left * schedule.sigma(level) * _unit(gradient, anchors.region)
        with anchors.recall(level):
            eps = predict(denoiser, x, schedule.timestep(level), guidance)
        if push is not None:
            eps = eps + push
        x_0 = anchors.constrain(schedule.predict_x0(x, eps, level), level)
        eps = (x - schedule.alpha(level) * x_0) / schedule.sigma(level)
        x = anchors.hold(schedule.add_noise(x_0, eps, level - 1), level - 1)
        if callback is not None:
            callback(done + 1, steps)
    return x, trace
