r"""Fixed-point inversion: solves each DDIM step up for the noise at its own end.

.. math:: x_k = f(x_k), \qquad
    f(x) = \mathrm{step}\big(x_{k-1},\ \hat\epsilon(x, t_k),\ k-1 \to k\big)

DDIM inversion stops at :math:`f(x_{k-1})`. Here that is only the first guess, and f is applied again and
again. Once this has converged, the step down returns to :math:`x_{k-1}`, so that at the guidance scale of the
way up the replay no longer drifts. f contracts slowest at the lowest levels, where one step multiplies the
noise several times over. The solvers differ in how they weigh the results of f so far:

.. math:: x^{(n+1)} = \sum_i w_i\, f(x^{(i)}), \qquad \sum_i w_i = 1

``anderson`` (AIDI_A)
    the weights under which the residuals f(x) - x of up to the last four cancel best (Anderson 1965).
``empirical`` (AIDI_E)
    one half each for the last two; damps an f that overshoots, and is slower for one that does not.
``renoise`` (ReNoise)
    the last alone; at the end, the mean of the last two, which is the step by their mean prediction.

ReNoise's regularisation of the predictions towards white noise is left out: it takes gradients, and trades
fidelity of the replay for freedom of the edit. Its noise correction is left out too: it is for stochastic
samplers.

References: Pan et al. 2023, *Effective Real Image Editing with Accelerated Iterative Diffusion Inversion*,
arXiv 2309.04907; Garibi et al. 2024, *ReNoise: Real Image Inversion Through Iterative Noising*, arXiv
2403.14602.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from inversion.denoiser import Denoiser, Guidance, predict
from inversion.linalg import solve, vector_norm
from inversion.result import Callback, InversionResult
from inversion.schedule import Schedule

Solver = Literal["anderson", "empirical", "renoise"]

MEMORY = 4
"""Number of last iterates that Anderson's weights combine: more converge in fewer steps until the system
becomes ill-conditioned, fewer lose speed. Not measured."""

_RIDGE = 1e-6
"""Added to the diagonal of Anderson's system, whose own diagonal is 1: more damps the weights towards the
last iterate, less lets iterates that are nearly alike blow them up. Set on fp32's rounding."""


@torch.no_grad()
def fixed_point(
    denoiser: Denoiser,
    x_0: Tensor,
    guidance: Guidance,
    schedule: Schedule,
    *,
    inversion_scale: float = 1.0,
    iterations: int = 5,
    solver: Solver = "anderson",
    callback: Callback | None = None,
) -> InversionResult:
    """Inverts by DDIM with every step up iterated; the replay is plain DDIM sampling at ``guidance.scale``.

    Args:
        denoiser: the model.
        x_0: the photo's latent ``[B, C, h, w]``.
        guidance: the prompt's and the null conditioning, and the scale of the replay.
        schedule: the noise levels.
        inversion_scale: guidance scale on the way up; at this scale the replay is exact.
        iterations: iterations of each step after its first guess, one evaluation each; 0 is DDIM inversion.
            ReNoise's authors take 1 for SDXL in 50 steps, and 9 for SDXL Turbo in 4.
        solver: how the iterates are weighed; see above.
        callback: called after each step.

    Raises:
        ValueError: the iterations are negative, or there is no such solver.
        FloatingPointError: the model returned a value that is not finite.
    """
    if iterations < 0:
        raise ValueError(f"iterations must not be negative, got {iterations}")
    if solver not in get_args(Solver):
        raise ValueError(f"no solver {solver!r}: expected one of {', '.join(get_args(Solver))}")
    upward = Guidance(guidance.text, guidance.null, inversion_scale)
    states = [x_0]
    for level in range(1, schedule.steps + 1):

        def f(x: Tensor, below: Tensor = states[-1], level: int = level) -> Tensor:
            eps = predict(denoiser, x, schedule.timestep(level), upward)
            return schedule.step(below, eps, level - 1, level)

        states.append(_solve(f, states[-1], iterations, solver))
        if callback is not None:
            callback(level, schedule.steps)
    return InversionResult("fixed_point", schedule, torch.stack(states), guidance.scale)


def _solve(f: Callable[[Tensor], Tensor], guess: Tensor, iterations: int, solver: Solver) -> Tensor:
    """Approaches the fixed point of ``f`` near ``guess`` ``[B, ...]`` in ``iterations + 1`` evaluations."""
    x, values, residuals = guess, list[Tensor](), list[Tensor]()
    for n in range(iterations + 1):
        values.append(f(x))
        residuals.append(values[-1] - x)
        if solver == "anderson":
            x = _anderson(values[-MEMORY:], residuals[-MEMORY:])
        elif solver == "empirical" or n == iterations:
            x = torch.stack(values[-2:]).mean(0)
        else:
            x = values[-1]
    return x


def _anderson(values: list[Tensor], residuals: list[Tensor]) -> Tensor:
    """Averages the values by the weights that minimise the residuals' average; each picture on its own."""
    if len(values) == 1:
        return values[0]
    # relative to the last, and of unit length: residuals of different iterates differ by orders of magnitude
    change = torch.stack([r - residuals[-1] for r in residuals[:-1]], 1).flatten(2)
    length = vector_norm(change, 2, keepdim=True).clamp_min(torch.finfo(change.dtype).tiny)
    change = change / length
    gram = change @ change.mT + _RIDGE * torch.eye(change.shape[1], dtype=change.dtype, device=change.device)
    along = change @ residuals[-1].flatten(1)[..., None]
    weights = solve(gram, along) / length
    moved = torch.stack([v - values[-1] for v in values[:-1]], 1).flatten(2)
    return values[-1] - (weights.mT @ moved).view_as(values[-1])
