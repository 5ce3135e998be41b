r"""Edit-friendly DDPM inversion: finds the noise maps with which the stochastic sampler draws the photo.

.. math::
    x_t &= \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \tilde\epsilon_t,
    \qquad \tilde\epsilon_1, \dots, \tilde\epsilon_T \text{ independent}

    \sigma_t z_t &= x_{t-1} - \hat\mu_t(x_t)

where mu is the mean of DDPM's step (eta = 1). In one noising process neighbouring levels would share their
noise; here each level has its own. The maps are therefore not white noise of unit variance: they are larger,
negatively correlated from step to step, and hold the photo's structure. The replay passes through every
state, at any guidance scale.

Reference: Huberman-Spiegelglas et al. 2024, *An Edit Friendly DDPM Noise Space: Inversion and Manipulations*,
arXiv 2304.06140. Their code sets the last map, where sigma is small, to 0; here it is kept, so that the
replay is exact.
"""

from __future__ import annotations

import torch
from torch import Tensor

from inversion.denoiser import Denoiser, Guidance, predict
from inversion.noised import SEED, noised_trajectory
from inversion.result import Callback, InversionResult
from inversion.schedule import Schedule

ETA = 1.0
"""eta of the steps: at 1 they are DDPM's and the maps carry the most of the photo; below it the maps carry
less, and at 0 there are none (DDIM). Set on the paper."""


@torch.no_grad()
def ddpm(
    denoiser: Denoiser,
    x_0: Tensor,
    guidance: Guidance,
    schedule: Schedule,
    *,
    inversion_scale: float = 1.0,
    seed: int = SEED,
    callback: Callback | None = None,
) -> InversionResult:
    """Noises the photo to each level with its own noise, and stores each DDPM step's miss: ``sigma_t z_t``.

    Args:
        denoiser: the model.
        x_0: the photo's latent ``[B, C, h, w]``.
        guidance: the prompt's and the null conditioning, and the scale of the replay.
        schedule: the noise levels.
        inversion_scale: without effect: nothing is predicted on the way up.
        seed: seed of the noise.
        callback: called after each step.

    Raises:
        FloatingPointError: the model returned a value that is not finite.
    """
    trajectory = noised_trajectory(x_0, schedule, seed, independent=True)
    offsets = torch.empty_like(trajectory[1:])
    x = trajectory[-1]
    for level in range(schedule.steps, 0, -1):
        eps = predict(denoiser, x, schedule.timestep(level), guidance)
        mean = schedule.step(x, eps, level, level - 1, eta=ETA)
        offsets[level - 1] = trajectory[level - 1] - mean
        # the replay's own state, not the trajectory's: it then meets the same inputs, rounding included
        x = mean + offsets[level - 1]
        if callback is not None:
            callback(schedule.steps - level + 1, schedule.steps)
    return InversionResult("ddpm", schedule, trajectory, guidance.scale, offsets=offsets, eta=ETA)
