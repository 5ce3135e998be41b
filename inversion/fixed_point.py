r"""Fixed-point inversion: the DDIM step up solved for the noise at its own end.

.. math:: x_k = f(x_k), \qquad
    f(x) = \mathrm{step}\big(x_{k-1},\ \hat\epsilon(x, t_k),\ k-1 \to k\big)

DDIM inversion stops at :math:`f(x_{k-1})`. Here that is only the first guess: f is applied again and again,
and where that has converged, the step down returns to :math:`x_{k-1}`: at the guidance scale of the way up
the replay no longer drifts. f contracts slowest at the lowest levels, where one step multiplies the noise
several times over. The solvers differ in how they weigh what f has given so far:

.. math:: x^{(n+1)} = \sum_i w_i\, f(x^{(i)}), \qquad \sum_i w_i = 1

``anderson`` (AIDI_A)
    the weights under which the residuals f(x) - x of up to the last four cancel best (Anderson 1965).
``empirical`` (AIDI_E)
    one half each for the last two; damps an f that overshoots, and is slower where it does not.
``renoise`` (ReNoise)
    the last alone; at the end, the mean of the last two, which is the step by their mean prediction.

ReNoise's regularisation of the predictions towards white noise is left out: it takes gradients, and gives up
some of the replay for the edit's freedom. So is its noise correction, which is for stochastic samplers.

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
from inversion.result import Callback, InversionResult
from inversion.schedule import Schedule

Solver = Literal["anderson", "empirical", "renoise"]

MEMORY = 4
"""How many of the last iterates Anderson's weights reach back to."""


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
    """Invert by DDIM with every step up iterated; the replay is plain DDIM sampling at ``guidance.scale``.

    Args:
        denoiser: the model.
        x_0: the photo's latent ``[B, C, h, w]``.
        guidance: the prompt's and the null conditioning, and the scale of the replay.
        schedule: the noise levels.
        inversion_scale: guidance scale on the way up: the one that the replay is exact at.
        iterations: of each step after its first guess, one evaluation each; 0 is DDIM inversion. ReNoise's
            authors take 1 for SDXL in 50 steps, and 9 for SDXL Turbo in 4.
        solver: how the iterates are weighed.
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
    """The fixed point of ``f`` near ``guess`` ``[B, ...]``, after ``iterations + 1`` evaluations."""
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
    """The values' mean, weighed so that the same mean of the residuals is smallest; each item on its own."""
    if len(values) == 1:
        return values[0]
    # against the last, and of unit length: residuals of different iterates differ by orders of magnitude
    change = torch.stack([r - residuals[-1] for r in residuals[:-1]], 1).flatten(2)
    length = torch.linalg.vector_norm(change, dim=2, keepdim=True).clamp_min(torch.finfo(change.dtype).tiny)
    change = change / length
    gram = change @ change.mT + 1e-6 * torch.eye(change.shape[1], dtype=change.dtype, device=change.device)
    along = change @ residuals[-1].flatten(1)[..., None]
    weights = torch.linalg.solve(gram, along) / length
    moved = torch.stack([v - values[-1] for v in values[:-1]], 1).flatten(2)
    return values[-1] - (weights.mT @ moved).view_as(values[-1])
