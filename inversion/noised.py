r"""The photo noised to every level: no inversion at all.

.. math:: x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon

Self-guidance's authors read the features of a real photo in this way, from the model's view of the photo
noised to each step. It predicts nothing and costs no evaluation; but the states are not the model's own, so
that the replay is another picture that suits the prompt.

Reference: Epstein et al. 2023, *Diffusion Self-Guidance for Controllable Image Generation*, arXiv 2306.00986.
"""

from __future__ import annotations

import torch
from torch import Tensor

from inversion.denoiser import Denoiser, Guidance
from inversion.result import Callback, InversionResult
from inversion.schedule import Schedule

SEED = 230600986
"""Seed of the noise by default: any number does, but a common one could be the seed of a caller's own noise.
Set on the paper's arXiv number."""


def noised_trajectory(x_0: Tensor, schedule: Schedule, seed: int = SEED, *, independent: bool) -> Tensor:
    """Noises a photo's latent to every level; ``[N + 1, B, C, h, w]``.

    Args:
        x_0: the photo's latent ``[B, C, h, w]``.
        schedule: the noise levels.
        seed: seed of the noise. All photos of a batch get the same noise, so that none depends on the others.
        independent: whether every level has noise of its own.
    """
    generator = torch.Generator().manual_seed(seed)
    draws = schedule.steps if independent else 1
    # drawn on the CPU, for the same noise on every device
    noise = torch.randn(draws, 1, *x_0.shape[1:], generator=generator).to(x_0)
    levels = range(1, schedule.steps + 1)
    return torch.stack([x_0, *(schedule.add_noise(x_0, noise[(k - 1) % draws], k) for k in levels)])


@torch.no_grad()
def noised(
    denoiser: Denoiser,
    x_0: Tensor,
    guidance: Guidance,
    schedule: Schedule,
    *,
    inversion_scale: float = 1.0,
    seed: int = SEED,
    independent: bool = False,
    callback: Callback | None = None,
) -> InversionResult:
    """Noises the photo to every level; its replay is not the photo.

    Args:
        denoiser: not used.
        x_0: the photo's latent ``[B, C, h, w]``.
        guidance: the guidance of the replay; only its scale is kept.
        schedule: the noise levels.
        inversion_scale: without effect: nothing is predicted on the way up.
        seed: seed of the noise.
        independent: whether every level has noise of its own instead of one noise for all.
        callback: called after each level.
    """
    trajectory = noised_trajectory(x_0, schedule, seed, independent=independent)
    if callback is not None:
        for level in range(1, schedule.steps + 1):
            callback(level, schedule.steps)
    return InversionResult("noised", schedule, trajectory, guidance.scale)
