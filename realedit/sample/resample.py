"""Resamples the anchor under self-guidance: the edit in pixels, seen through the model.

1. The anchor's latent is noised to an intermediate level with the photo's own inverted noise, carried along
   with the object; the hole gets fresh noise.
2. Outside the edited region every state is the source trajectory's.
3. Self-attention reads the source's keys and values through a leak-proof mask: the hole sees background
   alone, the moved object sees itself at its old place.
4. Self-guidance settles shape and size at the target, keeps the object out of the hole and takes the
   activations of its surroundings along. If the prompt does not name the object (it was removed), these terms
   have no attention to read and are left out.
5. The model's change is the difference between its result and the anchor as its own VAE decodes it. Only this
   difference is added to the anchor's pixels, so that neither the VAE's blur nor the working size touches the
   photo's detail.

References: Epstein et al. 2023, arXiv 2306.00986; MasaCtrl, arXiv 2304.08465 (shared keys and
values); PixelMan, arXiv 2412.14283 (pixel-manipulated branch, leak-proof self-attention).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from guidance import (
    Absence,
    Capture,
    Features,
    Shape,
    Size,
    Term,
    Ties,
    Trace,
    Window,
    self_guided_sample,
    warp,
)
from guidance.layers import map_size
from inversion import Guidance
from realedit.compose.anchor import Anchor
from realedit.inverted.inversion import Inversion
from realedit.models.backbone import Backbone, Prompt
from realedit.pixels.resizing import at_size
from realedit.sample.regions import (
    LENT_SHARE,
    OBJECT_SHARE,
    Lender,
    Regions,
    Subject,
    as_leak_proof,
    as_tensor,
    on_grid,
    strength_rule,
)
from realedit.settings import FullSettings

_FREE_LEVELS = 2
"""At noise levels up to this one the objects' core is free, so that the seam can settle; above it the core is
pinned to the anchor. Not measured."""
_SIZE_WEIGHT = 0.2
"""Weight of the size energy against the shape's 1: a larger one lets the area outvote the outline, a smaller
one lets the area drift. Not measured."""


@dataclass(frozen=True)
class Resampled:
    """The anchor resampled, at the model's working size.

    Args:
        change: float32 ``[h, w, 3]``, to be added to the anchor's pixels (in 0..255).
        picture: float32 ``[h, w, 3]`` in 0..255, the decoded latent itself.
        trace: the energies along the way.
    """

    change: np.ndarray
    picture: np.ndarray
    trace: Trace


def resample(
    backbone: Backbone,
    capture: Capture,
    inversion: Inversion,
    prompt: Prompt,
    *,
    anchor: Anchor,
    subjects: Sequence[Subject],
    settings: FullSettings,
    seed: int,
    callback: Callable[[int, int], None] | None = None,
    lenders: Sequence[Lender] = (),
) -> Resampled:
    """Runs the anchor through the model.

    Args:
        backbone: the model.
        capture: the windows that the inversion was made with, injected.
        inversion: the source.
        prompt: the inversion's prompt.
        anchor: the edit in pixels.
        subjects: the anchor's pieces.
        settings: the knobs.
        seed: seed of the hole's fresh noise.
        callback: called after each step with (steps done, steps in all).
        lenders: one for each subject, whose keys and values it reads instead of the source's; none by
            default.
    """
    schedule, source = inversion.result.schedule, inversion.result
    start = max(1, round(settings.strength * schedule.steps))
    height, width = inversion.size
    z = backbone.encode(at_size(anchor.picture, (height, width)).clip(0, 255).round().astype(np.uint8))
    maps = Regions.of(anchor, subjects, z)

    def noise(level: int) -> Tensor:
        return _carried(source.noise(level), maps, subjects, seed)

    def recall(level: int) -> AbstractContextManager[None]:
        if lenders and settings.attention:
            return capture.recall(*_lent(capture, lenders, subjects, level=level, z=z))
        return capture.recall(*_own(capture, inversion, maps, level=level, z=z, settings=settings))

    out, trace = self_guided_sample(
        backbone,
        capture,
        schedule,
        schedule.add_noise(z, noise(start), start),
        guidance=Guidance(prompt.conditioning, prompt.null, settings.guidance_scale),
        terms=_terms(subjects, maps, settings),
        start=start,
        strength=strength_rule(settings),
        ties=_ties(inversion, prompt, maps, z=z, recall=recall, noise=noise, settings=settings),
        remeasure=True,
        callback=callback,
    )
    picture = backbone.decode(out)
    change = picture - backbone.decode(z)
    if settings.smooth > 0:
        change = cv2.GaussianBlur(change, (0, 0), settings.smooth * backbone.scale_factor)
    return Resampled(change, picture, trace)


def _ties(
    inversion: Inversion,
    prompt: Prompt,
    maps: Regions,
    *,
    z: Tensor,
    recall: Callable[[int], AbstractContextManager[None]],
    noise: Callable[[int], Tensor],
    settings: FullSettings,
) -> Ties:
    """Ties the sampling to the source outside the region, and to the anchor's latent ``z`` in the core."""
    source = inversion.result

    def constrain(x_0: Tensor, level: int) -> Tensor:
        return torch.lerp(x_0, z, settings.pin * maps.core) if level > _FREE_LEVELS else x_0

    return Ties(
        region=maps.region,
        source=(lambda level: source.trajectory[level]) if settings.hold else None,
        reference=inversion.observations.get,
        recall=recall,
        constrain=constrain,
        null=lambda level: source.null(prompt.null, level),
        noise=noise,
    )


def _own(
    capture: Capture, inversion: Inversion, maps: Regions, *, level: int, z: Tensor, settings: FullSettings
) -> tuple[Mapping[str, tuple[Tensor, Tensor]], dict[int, Tensor]]:
    """Returns the source's keys and values, and by level of the UNet which cell may attend to which."""
    if not settings.attention:
        return {}, {}
    masks = {at: maps.attention_mask(map_size((z.shape[-2], z.shape[-1]), at)) for at in capture.levels}
    return inversion.observations[level].memory, as_leak_proof(masks, settings)


def _lent(
    capture: Capture, lenders: Sequence[Lender], subjects: Sequence[Subject], *, level: int, z: Tensor
) -> tuple[dict[str, tuple[Tensor, Tensor]], dict[int, Tensor]]:
    """Returns the lenders' keys and values in one row, and by level of the UNet who may attend to what.

    Each subject attends to its own lender and to no other, besides the sampling's own cells.
    """
    memories = [lender.inversion.observations[level].memory for lender in lenders]
    memory = {
        name: (torch.cat([m[name][0] for m in memories], 1), torch.cat([m[name][1] for m in memories], 1))
        for name in memories[0]
    }
    masks: dict[int, Tensor] = {}
    for at in capture.levels:
        size = map_size((z.shape[-2], z.shape[-1]), at)
        cells = size[0] * size[1]
        columns = [torch.ones(cells, cells, dtype=torch.bool, device=z.device)]
        for lender, subject in zip(lenders, subjects, strict=True):
            theirs = lender.inversion.result.x_0
            there = map_size((theirs.shape[-2], theirs.shape[-1]), at)
            lent = adaptive_avg_pool2d(as_tensor(lender.mask, z), there).flatten() > LENT_SHARE
            takes = adaptive_avg_pool2d(on_grid(subject.matte, z), size).flatten() > OBJECT_SHARE
            columns.append(takes[:, None] & lent[None])
        masks[at] = torch.cat(columns, 1)
    return memory, masks


def _carried(noise: Tensor, maps: Regions, subjects: Sequence[Subject], seed: int) -> Tensor:
    """Edits the photo's noise ``[B, C, h, w]``: objects take theirs along, the hole gets fresh noise."""
    generator = torch.Generator().manual_seed(seed)
    fresh = torch.randn(noise.shape, generator=generator).to(noise)
    hole = (maps.hole > 0.5).to(noise)
    eps = noise * (1 - hole) + fresh * hole
    for subject in subjects:
        if subject.transform is not None:
            carried = warp(noise.movedim(1, -1), subject.transform, mode="nearest").movedim(-1, 1)
            lands = (on_grid(subject.matte > 0.5, noise) > 0.5) & (carried != 0)
            eps = torch.where(lands, carried, eps)
    return eps


def _terms(subjects: Sequence[Subject], maps: Regions, settings: FullSettings) -> list[Term]:
    """Returns the terms that hold each subject's shape and size and keep it out of the hole.

    The activations of the surroundings are taken along if one object alone moves: those of several come from
    different places.
    """
    if settings.self_guidance == 0 or settings.window == 0:
        return []
    window = Window(0.0, settings.window)
    moved = [(subject, subject.transform) for subject in subjects if subject.transform is not None]
    terms = [Term(Features(maps.around, to), 1.0, window) for _, to in moved] if len(moved) == 1 else []
    for subject, to in moved:
        if subject.tokens and subject.old is not None:
            terms += [
                Term(Shape(subject.tokens, to), 1.0, window),
                Term(Size(subject.tokens, to.scale), _SIZE_WEIGHT, window),
            ]
    terms += [Term(Absence(s.tokens, maps.hole), 1.0, window) for s in subjects if s.tokens]
    return terms
