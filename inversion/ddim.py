r"""DDIM inversion: the deterministic sampler run backwards.

.. math:: x_{k+1} = \mathrm{step}\big(x_k,\ \epsilon_\theta(x_k, t_{k+1}),\ k \to k+1\big)

The noise should be predicted at ``x_{k+1}``, which is not known yet; the method predicts it at ``x_k``. This
approximation makes its replay drift, the more so under classifier-free guidance.

References: Song et al. 2021, arXiv 2010.02502; Dhariwal & Nichol 2021, arXiv 2105.05233.
"""

from __future__ import annotations

import torch
from torch import Tensor

from inversion.denoiser import Denoiser, Guidance, predict
from inversion.result import Callback, InversionResult
from inversion.schedule import Schedule


@torch.no_grad()
def ddim_trajectory(
    denoiser: Denoiser,
    x_0: Tensor,
    guidance: Guidance,
    schedule: Schedule,
    *,
    callback: Callback | None = None,
) -> Tensor:
    """Carries the photo's latent ``[B, C, h, w]`` up to the noisiest level; ``[N + 1, B, C, h, w]``."""
    states = [x_0]
    for level in range(schedule.steps):
        eps = predict(denoiser, states[-1], schedule.timestep(level + 1), guidance)
        states.append(schedule.step(states[-1], eps, level, level + 1))
        if callback is not None:
            callback(level + 1, schedule.steps)
    return torch.stack(states)


def ddim(
    denoiser: Denoiser,
    x_0: Tensor,
    guidance: Guidance,
    schedule: Schedule,
    *,
    inversion_scale: float = 1.0,
    callback: Callback | None = None,
) -> InversionResult:
    """Inverts by DDIM; the replay is plain DDIM sampling at ``guidance.scale``.

    Args:
        denoiser: the model.
        x_0: the photo's latent ``[B, C, h, w]``.
        guidance: the prompt's and the null conditioning, and the scale of the replay.
        schedule: the noise levels.
        inversion_scale: guidance scale on the way up; 1 is the usual and the most stable choice.
        callback: called after each step.

    Raises:
        FloatingPointError: the model returned a value that is not finite.
    """
    upward = Guidance(guidance.text, guidance.null, inversion_scale)
    trajectory = ddim_trajectory(denoiser, x_0, upward, schedule, callback=callback)
    return InversionResult("ddim", schedule, trajectory, guidance.scale)
