"""A region sampled anew under another prompt, while everything about it stays the source's.

The state starts at a high noise level of the source's own trajectory, so that light and layout carry over
where they are wanted; outside the region every state is the source's (RePaint's and blended latent
diffusion's replacement: Lugmayr et al. 2022; Avrahami et al. 2023). Where the object is to keep its outline,
self-guidance holds the shape of its words' attention to what the source shows under the same new prompt
(Epstein et al. 2023, arXiv 2306.00986).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, adaptive_max_pool2d

from guidance import Capture, Observation, Shape, Term, Ties, Trace, Window, self_guided_sample
from guidance.layers import map_size
from inversion import Guidance
from realedit.inverted.inversion import Inversion
from realedit.models.backbone import Backbone, Prompt
from realedit.sample.regions import as_leak_proof, strength_rule
from realedit.settings import Settings


@dataclass(frozen=True)
class Repainted:
    """What the model made of a region.

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
    settings: Settings,
    seed: int,
    fresh: bool,
    tokens: tuple[int, ...] = (),
    callback: Callable[[int, int], None] | None = None,
) -> Repainted:
    """Sample a region anew.

    Args:
        backbone: the model.
        capture: the windows that the inversion was made with, injected.
        inversion: the source.
        prompt: what the picture is to show.
        region: bool ``[H, W]``.
        settings: the knobs.
        seed: of fresh noise.
        fresh: start the region from fresh noise, not from the source's state without its mean.
        tokens: positions in the prompt of words whose attention keeps the source's shape.
        callback: called after each step.
    """
    source, schedule = inversion.result, inversion.result.schedule
    start = max(1, round(settings.repaint * schedule.steps))
    x = source.trajectory[start]
    size = (x.shape[-2], x.shape[-1])
    inside = torch.from_numpy(region.astype(np.float32)).to(x.device)[None, None]
    where = adaptive_max_pool2d(inside, size)
    x = _begun(x, where, schedule.sigma(start), seed if fresh else None)

    def recall(level: int):  # noqa: ANN202
        seen = inversion.observations.get(level)
        memory = seen.memory if seen is not None and settings.attention else {}
        sizes = {at: map_size(size, at) for at in capture.levels} if memory else {}
        masks = {at: _leak_proof(inside, cells) for at, cells in sizes.items()}
        return capture.recall(memory, as_leak_proof(masks, settings))

    def reference(level: int) -> Observation:
        with torch.no_grad(), capture.record(size, tokens=prompt.tokens, partial=True) as seen:
            backbone(source.trajectory[level], schedule.timestep(level), prompt.conditioning)
        return seen

    ties = Ties(
        region=where,
        source=(lambda level: source.trajectory[level]) if settings.hold else None,
        reference=reference,
        recall=recall,
        null=lambda level: source.null(prompt.null, level),
        noise=source.noise,
    )
    guided = [Term(Shape(tokens), 1.0, Window(0.0, settings.window))] if tokens and settings.window else []
    out, trace = self_guided_sample(
        backbone,
        capture,
        schedule,
        x,
        Guidance(prompt.conditioning, prompt.null, settings.repaint_scale),
        guided,
        start=start,
        strength=strength_rule(settings),
        ties=ties,
        remeasure=True,
        callback=callback,
    )
    return Repainted(backbone.decode(out), trace)


def _begun(x: Tensor, where: Tensor, sigma: float, seed: int | None) -> Tensor:
    """The state to start from: in the region noise about the light of the place, elsewhere the source's.

    Args:
        x: the source's state.
        where: the region, ``[1, 1, h, w]``; above 0 inside.
        sigma: the level's.
        seed: of fresh noise; None for the source's own state about another mean.
    """
    if seed is not None:
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)
        return torch.where(where > 0, noise * sigma + _around(x, where), x)
    # a mean over many cells shows through any noise, and with it the colour that is to go
    mine = (x * (where > 0)).sum((-2, -1), keepdim=True) / (where > 0).sum().clamp_min(1)
    return torch.where(where > 0, x - mine + _around(x, where), x)


def _around(x: Tensor, where: Tensor) -> Tensor:
    """The mean of a state outside a region: the light of the place, without what stands there.

    Of a region that is most of the picture, the mean of all: what is left is no surroundings.
    """
    outside = 1 - where if where.mean() < 0.5 else torch.ones_like(where)
    return (x * outside).sum((-2, -1), keepdim=True) / outside.sum().clamp_min(1)


def _leak_proof(inside: Tensor, size: tuple[int, int]) -> Tensor:
    """Who may look at whom, ``[L, 2 L]``: all at their own, nobody at the source's old region."""
    old = adaptive_avg_pool2d(inside, size).flatten() > 0.15
    cells = old.numel()
    mask = torch.ones(cells, 2 * cells, dtype=torch.bool, device=inside.device)
    mask[:, cells:] = ~old
    return mask
