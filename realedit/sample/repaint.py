"""Samples a region anew under another prompt, while its surroundings stay the source's.

The state starts at a high noise level of the source's own trajectory, so that light and layout carry over
where they are wanted. Outside the region every state is replaced by the source's (Lugmayr et al. 2022,
*RePaint*, arXiv 2201.09865; Avrahami et al. 2023, *Blended Latent Diffusion*, arXiv 2206.02779). If the
object is to keep its outline, self-guidance holds the shape of its words' attention to the shape that the
source shows under the same new prompt (Epstein et al. 2023, arXiv 2306.00986).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from guidance import Capture, Observation, Shape, Term, Ties, Trace, Window, self_guided_sample
from guidance.layers import map_size
from guidance.pooling import pooled_max, pooled_mean
from inversion import Guidance
from realedit.inverted.inversion import Inversion
from realedit.models.backbone import Backbone, Prompt
from realedit.models.profile import Profile
from realedit.sample.regions import CLOSED_SHARE, as_leak_proof, as_tensor, strength_rule
from realedit.settings import FullSettings


@dataclass(frozen=True)
class Repainted:
    """A picture with a region sampled anew.

    Args:
        picture: the whole picture at the working size, float32 ``[h, w, 3]`` in 0..255.
        trace: the energies along the way.
    """

    picture: np.ndarray
    trace: Trace


def repaint(
    backbone: Backbone,
    capture: Capture,
    inversion: Inversion,
    prompt: Prompt,
    *,
    region: np.ndarray,
    settings: FullSettings,
    profile: Profile,
    seed: int,
    fresh: bool,
    tokens: tuple[int, ...] = (),
    callback: Callable[[int, int], None] | None = None,
) -> Repainted:
    """Samples a region anew.

    Args:
        backbone: the model.
        capture: the windows that the inversion was made with, injected.
        inversion: the source.
        prompt: what the picture is to show.
        region: where to sample, bool ``[H, W]``.
        settings: the knobs.
        profile: the model's.
        seed: seed of the fresh noise.
        fresh: whether the region starts from fresh noise; else from the source's state without its mean.
        tokens: positions in the prompt of the words whose attention keeps the source's shape.
        callback: called after each step with (steps done, steps in all).
    """
    source, schedule = inversion.result, inversion.result.schedule
    start = max(1, round(settings.repaint * schedule.steps))
    x = source.trajectory[start]
    inside = as_tensor(region, x)
    where = pooled_max(inside, (x.shape[-2], x.shape[-1]))
    x = _begun(x, where, schedule.sigma(start), seed if fresh else None)
    guided = [Term(Shape(tokens), 1.0, Window(0.0, settings.window))] if tokens and settings.window else []
    out, trace = self_guided_sample(
        backbone,
        capture,
        schedule,
        x,
        guidance=Guidance(prompt.conditioning, prompt.null, settings.repaint_scale),
        terms=guided,
        start=start,
        strength=strength_rule(settings, profile),
        ties=_ties(backbone, capture, inversion, prompt, inside=inside, where=where, settings=settings),
        remeasure=profile.remeasure,
        shared=profile.shared_pass,
        callback=callback,
    )
    return Repainted(backbone.decode(out), trace)


def _ties(
    backbone: Backbone,
    capture: Capture,
    inversion: Inversion,
    prompt: Prompt,
    *,
    inside: Tensor,
    where: Tensor,
    settings: FullSettings,
) -> Ties:
    """Ties the sampling to the source: its states outside the region, its attention, its noise.

    Args:
        backbone: the model.
        capture: the windows, injected.
        inversion: the source.
        prompt: what the picture is to show.
        inside: the region, ``[1, 1, H, W]``.
        where: the region on the latent's grid, ``[1, 1, h, w]``.
        settings: the knobs.
    """
    source, schedule = inversion.result, inversion.result.schedule
    size = (where.shape[-2], where.shape[-1])

    def recall(level: int) -> AbstractContextManager[None]:
        seen = inversion.observations.get(level)
        memory = seen.memory if seen is not None and settings.attention else {}
        sizes = {at: map_size(size, at) for at in capture.levels} if memory else {}
        masks = {at: _leak_proof(inside, cells) for at, cells in sizes.items()}
        return capture.recall(memory, as_leak_proof(masks, settings))

    def reference(level: int) -> Observation:
        with torch.no_grad(), capture.record(size, tokens=prompt.tokens, partial=True) as seen:
            backbone(source.trajectory[level], schedule.timestep(level), prompt.conditioning)
        return seen

    return Ties(
        region=where,
        source=(lambda level: source.trajectory[level]) if settings.hold else None,
        reference=reference,
        recall=recall,
        null=lambda level: source.null(prompt.null, level),
        noise=source.noise,
    )


def _begun(x: Tensor, where: Tensor, sigma: float, seed: int | None) -> Tensor:
    """Returns the state to start from: noise about the surroundings' mean in the region, else the source's.

    Args:
        x: the source's state ``[B, C, h, w]``.
        where: the region, ``[1, 1, h, w]``; above 0 inside.
        sigma: sqrt(1 - abar) at the level of ``x``.
        seed: seed of fresh noise; None takes the source's own state, less its mean in the region.
    """
    if seed is not None:
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)
        return torch.where(where > 0, noise * sigma + _around(x, where), x)
    # a mean over many cells shows through any noise: the old colour would come back with it
    mine = (x * (where > 0)).sum((-2, -1), keepdim=True) / (where > 0).sum().clamp_min(1)
    return torch.where(where > 0, x - mine + _around(x, where), x)


def _around(x: Tensor, where: Tensor) -> Tensor:
    """Returns a state's mean outside a region: the light of the place, without the object that stands there.

    If the region is most of the picture, the mean of all is taken: the rest is too little to go by.
    """
    outside = 1 - where if where.mean() < 0.5 else torch.ones_like(where)
    return (x * outside).sum((-2, -1), keepdim=True) / outside.sum().clamp_min(1)


def _leak_proof(inside: Tensor, size: tuple[int, int]) -> Tensor:
    """Returns which cell may attend to which, bool ``[L, 2 L]``: none to the region as the source has it."""
    old = pooled_mean(inside, size).flatten() > CLOSED_SHARE
    cells = old.numel()
    mask = torch.ones(cells, 2 * cells, dtype=torch.bool, device=inside.device)
    mask[:, cells:] = ~old
    return mask
