r"""Null-text inversion: optimises one null embedding per step, so that the replay follows a DDIM trajectory.

.. math:: \varnothing_k = \arg\min_\varnothing
    \big\| x^*_{k-1} - \mathrm{step}\big(\bar x_k, \hat\epsilon(\bar x_k, t_k; text,\varnothing)\big)\big\|^2

Every step starts from the state that the replay has reached by then, and from the previous step's embedding
or the prompt's own, whichever lands nearer; it keeps the best embedding found. The paper starts from the
previous step's and keeps the last. But if a model heeds its text little, ten steps at the paper's rate do not
get as far as the prompt's embedding, which is negative-prompt inversion's approximation of the optimum. Under
SDXL the embedding is the concatenation of both text encoders'; the pooled embedding and the time ids stay
fixed.

References: Mokady et al. 2023, *Null-text Inversion for Editing Real Images using Guided Diffusion Models*,
arXiv 2211.09794; for the prompt's embedding Miyake et al. 2023, *Negative-prompt Inversion*,
arXiv 2305.16807.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from inversion.ddim import ddim_trajectory
from inversion.denoiser import Denoiser, Guidance
from inversion.half_precision import scaled_gradient
from inversion.result import Callback, InversionResult
from inversion.schedule import Schedule

_RATE_LEVELS = 100
"""Levels over which the learning rate would fall to 0: a larger number keeps the rate up longer, a smaller
one lets it fall sooner. Set on the authors' code."""
_LEAST_RATE = 0.01
"""Share of the learning rate that is left at the least, at the 99th level from the noise and below: a larger
one keeps late levels moving, a smaller one freezes them. Not measured; the authors' 50 levels do not get
there."""
_SLACK_A_LEVEL = 2e-5
"""Mean squared error by which the tolerance grows with each level from the noise: a level stops early below
its tolerance and goes on above it. Set on the authors' code."""


def null_text(
    denoiser: Denoiser,
    x_0: Tensor,
    guidance: Guidance,
    schedule: Schedule,
    *,
    inversion_scale: float = 1.0,
    inner_steps: int = 10,
    learning_rate: float = 1e-2,
    tolerance: float = 1e-5,
    from_prompt: bool = True,
    callback: Callback | None = None,
) -> InversionResult:
    """Inverts by DDIM and optimises the null embedding of each step of the replay.

    Args:
        denoiser: the model; must be differentiable with respect to the embedding.
        x_0: the photo's latent ``[B, C, h, w]``.
        guidance: the prompt's and the starting null conditioning, and the scale of the replay.
        schedule: the noise levels.
        inversion_scale: guidance scale on the way up.
        inner_steps: Adam steps per level.
        learning_rate: Adam's rate at the first level; the i-th level from the noise (from 0) uses
            ``learning_rate * (1 - i / 100)``.
        tolerance: mean squared error of the first level below which it stops early; the i-th level stops
            below ``tolerance + 2e-5 * i``.
        from_prompt: whether a level may start from the prompt's embedding; False starts each as published.
        callback: called after each step of either pass.

    Raises:
        ValueError: ``guidance.scale`` is 1: the null branch has no influence that could be optimised.
        FloatingPointError: the model returned a value that is not finite.
    """
    if guidance.scale == 1:
        raise ValueError(
            "null-text inversion needs a guidance scale other than 1: at 1 the null branch has no influence"
        )
    total = 2 * schedule.steps
    trajectory = ddim_trajectory(
        denoiser,
        x_0,
        Guidance(guidance.text, guidance.null, inversion_scale),
        schedule,
        callback=None if callback is None else lambda done, _: callback(done, total),
    )
    text = guidance.text.expand(x_0.shape[0])
    null = guidance.null.expand(x_0.shape[0])
    embedding, embeddings = null.embedding, list[Tensor]()
    x = trajectory[-1]
    for i, level in enumerate(range(schedule.steps, 0, -1)):
        rate = learning_rate * max(1 - i / _RATE_LEVELS, _LEAST_RATE)
        stop = tolerance + _SLACK_A_LEVEL * i
        landing = _landing(denoiser, schedule, Guidance(text, null, guidance.scale), x, level=level)
        with _diverging(schedule.timestep(level)):
            starts = (embedding, text.embedding) if from_prompt else (embedding,)
            embedding, x = _optimise(
                landing, starts, trajectory[level - 1], inner_steps=inner_steps, rate=rate, stop=stop
            )
            if not torch.isfinite(x).all():
                raise FloatingPointError("the step landed on a value that is not finite")
        embeddings.insert(0, embedding)
        if callback is not None:
            callback(schedule.steps + i + 1, total)
    return InversionResult(
        "null_text", schedule, trajectory, guidance.scale, null_embeddings=torch.stack(embeddings)
    )


def _landing(
    denoiser: Denoiser, schedule: Schedule, guidance: Guidance, x: Tensor, *, level: int
) -> Callable[[Tensor], Tensor]:
    """Returns null embedding -> state after the replay's step from ``x``; runs the text branch once."""
    t = schedule.timestep(level)
    with torch.no_grad():
        text_eps = denoiser(x, t, guidance.text)

    def landing(embedding: Tensor) -> Tensor:
        null_eps = denoiser(x, t, guidance.null.with_embedding(embedding))
        eps = null_eps + guidance.scale * (text_eps - null_eps)
        return schedule.step(x, eps, level, level - 1)

    return landing


@contextmanager
def _diverging(t: int) -> Generator[None]:
    """Adds the time to the error about a value that is not finite."""
    try:
        yield
    except FloatingPointError as error:
        raise FloatingPointError(f"null-text inversion diverged at t = {t}") from error


def _optimise(
    landing: Callable[[Tensor], Tensor],
    starts: Sequence[Tensor],
    target: Tensor,
    *,
    inner_steps: int,
    rate: float,
    stop: float,
) -> tuple[Tensor, Tensor]:
    """Optimises one level's null embedding by Adam, from the best of some starts.

    Returns:
        The best embedding found, and the state that it leads to.
    """
    with torch.no_grad():
        landed = [(start, landing(start)) for start in starts]
    best, best_x = min(landed, key=lambda pair: mse_loss(pair[1], target).item())
    least = mse_loss(best_x, target).item()
    embedding = best.detach().clone().requires_grad_()
    adam: Any = torch.optim.Adam([embedding], lr=rate)
    for step in range(inner_steps + 1):
        with torch.enable_grad():
            x = landing(embedding)
            loss = mse_loss(x, target)
        if step and loss.item() < least:
            best, best_x, least = embedding.detach().clone(), x.detach(), loss.item()
        if step == inner_steps or least < stop:
            break
        # backward() would also fill in the gradients of the model's weights
        embedding.grad = scaled_gradient(loss, embedding)
        adam.step()
    return best, best_x
