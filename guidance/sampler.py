r"""The self-guided sampler: DDIM steps whose noise prediction also descends the energies.

.. math::
    \hat\epsilon_t = \epsilon_\varnothing + s\,(\epsilon_{text} - \epsilon_\varnothing)
        + v\,\sigma_t\,\frac{E_t}{E_{first}}\,
        \mathrm{clip}\!\left(\frac{\nabla_{z_t} E}{\mathrm{rms}(\nabla_{z_t} E)}\right),
    \qquad E = \sum_i w_i\, g_i(z_t; t, y)

The first line is classifier-free guidance. The second is Epstein et al. 2023 (arXiv 2306.00986, eq. 4) with
two changes. The gradient is brought to unit root mean square, so that ``v`` is a share of the noise itself
and means the same for every model, layer and energy. And the ratio of the active terms' energy to their
energy at first scales the pull, so that an object that has arrived is let go. Other rules for the strength
are in :mod:`guidance.strength`. The gradient flows through the conditional branch only, in one forward pass
that ends after the last captured layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from guidance.capture import Capture, Observation
from guidance.classifier_free import ClassifierFree
from guidance.guide import Branch, Guide, Trace
from guidance.strength import NoiseStep, Strength
from guidance.terms import Term
from inversion import Conditioning, Denoiser, Guidance, Schedule, predict


@dataclass(frozen=True)
class Ties:
    """Ties a resampling to a photo, the source.

    Args:
        region: where the latent may change, ``[1, 1, h, w]`` in [0, 1]; elsewhere every state is the
            source's.
        source: level -> the source's state ``[B, C, h, w]``.
        reference: level -> the source's observation, for the energies.
        recall: level -> a context in which self-attention reads the source's keys and values.
        constrain: (predicted x_0, level) -> x_0, applied after guidance and before the step.
        null: level -> the null conditioning that replaces the plain one, as in the source's replay; None
            keeps the plain one. Not used under :class:`ClassifierFree`, which has conditions of its own.
        noise: level -> the noise in the source's state, under which the finished sample is measured
            (:meth:`guidance.guide.Guide.remeasure`); None takes noise of a fixed seed.
        starts: the level from which each cell is sampled, ``[1, 1, h, w]``, so that one region may be painted
            from noise and another only touched (Levin & Fried 2023, *Differential Diffusion*,
            arXiv 2306.00950); None samples all from the start.
        begun: level -> the state ``[B, C, h, w]`` that a cell is given at the levels from its start up.
    """

    region: Tensor | None = None
    source: Callable[[int], Tensor] | None = None
    reference: Callable[[int], Observation | None] = lambda _: None
    recall: Callable[[int], AbstractContextManager[None]] = lambda _: nullcontext()
    constrain: Callable[[Tensor, int], Tensor] = lambda x_0, _: x_0
    null: Callable[[int], Conditioning | None] = lambda _: None
    noise: Callable[[int], Tensor | None] = lambda _: None
    starts: Tensor | None = None
    begun: Callable[[int], Tensor] | None = None

    def free(self, level: int) -> Tensor | None:
        """Returns where a step from a level may change the state, ``[1, 1, h, w]``; None is everywhere."""
        if self.starts is None:
            return self.region
        begun = (self.starts >= level).to(self.starts.dtype)
        return begun if self.region is None else self.region.to(begun) * begun

    def hold(self, x: Tensor, level: int) -> Tensor:
        """Replaces what is not sampled at a level.

        Cells whose start is yet to come, or is this level, get the state that they begin with, and everything
        outside the region the source's.
        """
        if self.starts is not None and self.begun is not None:
            x = torch.where(self.starts.to(x.device) > level, x, self.begun(level).to(x))
        if self.region is None or self.source is None:
            return x
        return torch.lerp(self.source(level).to(x), x, self.region.to(x))


@torch.no_grad()
def self_guided_sample(
    denoiser: Denoiser,
    capture: Capture,
    schedule: Schedule,
    x: Tensor,
    *,
    guidance: Guidance | ClassifierFree,
    terms: Sequence[Term] = (),
    start: int | None = None,
    strength: float | Strength = 1.0,
    ties: Ties = Ties(),
    remeasure: bool = False,
    shared: bool = False,
    callback: Callable[[int, int], None] | None = None,
) -> tuple[Tensor, Trace]:
    """Samples from a level down to the clean one under classifier-free and self-guidance.

    Args:
        denoiser: the model.
        capture: windows on the same model, injected.
        schedule: the noise levels.
        x: the state at ``start``, ``[B, C, h, w]``.
        guidance: conditions and classifier-free scale, or several conditions with weights and windows.
        terms: energies with weights and windows; a step at which none is active is plain DDIM.
        start: the level of ``x``; the noisiest by default.
        strength: ``v`` of the equation above, 0 turns self-guidance off; or a rule of
            :mod:`guidance.strength`.
        ties: ties to a photo; none by default.
        remeasure: whether the terms are measured on the finished sample
            (:meth:`guidance.guide.Guide.remeasure`); costs an evaluation for each level at which a window
            ends.
        shared: whether a guided step's prediction under the prompt is that of the pass that its energies look
            at, instead of one of its own: saves an evaluation a guided step, and differs by rounding.
        callback: called after each step with (steps done, steps in all).

    Returns:
        The clean latent, and the energies along the way.

    Raises:
        FloatingPointError: the model's prediction, an energy or its gradient is not finite.
    """
    steps = schedule.steps if start is None else start
    guide = Guide(
        capture,
        terms,
        strength,
        reference=ties.reference,
        region=ties.region,
        tokens=guidance.text.embedding.shape[1],
    )
    branch_at = _conditional(denoiser, schedule, guidance, ties)
    x = ties.hold(x, steps)
    for done, level in enumerate(range(steps, 0, -1)):
        guide.region = ties.free(level)
        branch = _Noted(branch_at(level))
        active = guide.active(done, steps)
        push = guide.push(branch, x, NoiseStep.of(schedule, level), active, to_end=shared)
        with ties.recall(level):
            known = branch.predicted if shared else None
            if isinstance(guidance, ClassifierFree):
                t = schedule.timestep(level)
                eps = guidance.predict(denoiser, x, t, done=done, steps=steps, known=known)
            else:
                null = ties.null(level) or guidance.null
                now = replace(guidance, null=null)
                eps = predict(denoiser, x, schedule.timestep(level), now, known=known)
        if push is not None:
            eps = eps + push.to(eps)
        x = _step(schedule, x, eps, level, ties)
        if callback is not None:
            callback(done + 1, steps)
    if remeasure:
        guide.remeasure(branch_at, x, ties.noise)
    return x, guide.finish()


class _Noted:
    """A branch that keeps its latest prediction, where it ran to its end."""

    def __init__(self, branch: Branch) -> None:
        self._branch = branch
        self.predicted: Tensor | None = None

    def __call__(self, x_t: Tensor) -> Tensor:
        eps = self._branch(x_t)
        self.predicted = eps.detach()
        return eps


def _conditional(
    denoiser: Denoiser, schedule: Schedule, guidance: Guidance | ClassifierFree, ties: Ties
) -> Callable[[int], Branch]:
    """Returns level -> the conditional branch at this level, whose self-attention reads the source."""

    def branch_at(level: int) -> Branch:
        def branch(x_t: Tensor) -> Tensor:
            with ties.recall(level):
                return denoiser(x_t, schedule.timestep(level), guidance.text.expand(x_t.shape[0]))

        return branch

    return branch_at


def _step(schedule: Schedule, x: Tensor, eps: Tensor, level: int, ties: Ties) -> Tensor:
    """Takes a DDIM step to the next cleaner level, by the predicted x_0 as the ties constrain it."""
    x_0 = ties.constrain(schedule.predict_x0(x, eps, level), level)
    eps = (x - schedule.alpha(level) * x_0) / schedule.sigma(level)
    return ties.hold(schedule.add_noise(x_0, eps, level - 1), level - 1)
