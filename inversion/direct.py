r"""Direct inversion: stores the replay's miss at each step and adds it back.

.. math:: o_k = x^*_{k-1} - \mathrm{step}\big(x^*_k,\ \hat\epsilon(x^*_k, t_k)\big)

The replay then passes through every state of the trajectory, at any guidance scale and with no optimisation;
it differs from the photo's latent by rounding alone. An edit reads its reference features from the
evaluations at :math:`(x^*_k, t_k)`, which can be recorded on the way.

Reference: Ju et al. 2024, *PnP Inversion: Boosting Diffusion-based Editing with 3 Lines of Code*,
arXiv 2310.01506.
"""

from __future__ import annotations

import torch
from torch import Tensor

from inversion.ddim import ddim_trajectory
from inversion.denoiser import Denoiser, Guidance, predict
from inversion.result import Callback, InversionResult
from inversion.schedule import Schedule


@torch.no_grad()
def direct(
    denoiser: Denoiser,
    x_0: Tensor,
    guidance: Guidance,
    schedule: Schedule,
    *,
    inversion_scale: float = 1.0,
    callback: Callback | None = None,
) -> InversionResult:
    """Inverts by DDIM and stores each replayed step's offset; arguments as :func:`inversion.ddim.ddim`."""
    total = 2 * schedule.steps

    def upward(done: int, _: int) -> None:
        if callback is not None:
            callback(done, total)

    trajectory = ddim_trajectory(
        denoiser, x_0, Guidance(guidance.text, guidance.null, inversion_scale), schedule, callback=upward
    )
    offsets = torch.empty_like(trajectory[1:])
    x = trajectory[-1]
    for level in range(schedule.steps, 0, -1):
        eps = predict(denoiser, x, schedule.timestep(level), guidance)
        x = schedule.step(x, eps, level, level - 1)
        offsets[level - 1] = trajectory[level - 1] - x
        # the replay's own state, not the trajectory's: it then meets the same inputs, rounding included
        x = x + offsets[level - 1]
        if callback is not None:
            callback(total - level + 1, total)
    return InversionResult("direct", schedule, trajectory, guidance.scale, offsets=offsets)
