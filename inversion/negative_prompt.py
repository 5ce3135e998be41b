r"""Negative-prompt inversion: the source prompt in the place of the null text.

With :math:`\varnothing := text`, guidance has nothing to amplify, so that the photo's replay is the one at
scale 1, whatever scale the edit uses: an approximation of null-text inversion's optimum that costs nothing.
The whole conditioning is replaced: if SDXL's pooled embedding stayed the null text's, guidance would amplify
the difference.

Reference: Miyake et al. 2023, *Negative-prompt Inversion*, arXiv 2305.16807.
"""

from __future__ import annotations

from torch import Tensor

from inversion.ddim import ddim_trajectory
from inversion.denoiser import Denoiser, Guidance
from inversion.result import Callback, InversionResult
from inversion.schedule import Schedule


def negative_prompt(
    denoiser: Denoiser,
    x_0: Tensor,
    guidance: Guidance,
    schedule: Schedule,
    *,
    inversion_scale: float = 1.0,
    callback: Callback | None = None,
) -> InversionResult:
    """Inverts by DDIM for a replay with the prompt as null text; arguments as :func:`inversion.ddim.ddim`."""
    upward = Guidance(guidance.text, guidance.null, inversion_scale)
    trajectory = ddim_trajectory(denoiser, x_0, upward, schedule, callback=callback)
    prompt = guidance.text.expand(x_0.shape[0])
    null = prompt.embedding.expand(schedule.steps, *prompt.embedding.shape).clone()
    return InversionResult(
        "negative_prompt", schedule, trajectory, guidance.scale, null_embeddings=null, null_extra=prompt.extra
    )
