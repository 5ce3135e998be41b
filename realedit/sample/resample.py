"""Resamples the anchor under self-guidance: the edit in pixels, seen through the model.

1. The anchor's latent is noised to an intermediate level with the photo's own inverted noise, carried along
   with the object; the hole gets fresh noise.
2. Outside the edited region every state is the source trajectory's.
3. Self-attention reads the source's keys and values through a leak-proof mask: the hole sees background
   alone, the moved object sees itself at its old place.
4. Self-guidance settles shape and size at the target, keeps the object out of the hole and takes the
   activations of its surroundings along. If the prompt does not name the object (it was removed), these terms
   have no attention to read and are left out.
5. Where the model's profile says so, the hole starts at a higher noise level than all else and is painted by
   the model (:mod:`realedit.sample.by_region`). 6. The model's change is the difference between its result
   and the anchor as its own VAE decodes it. Only this
   difference is added to the anchor's pixels, so that neither the VAE's blur nor the working size touches the
   photo's detail.

References: Epstein et al. 2023, arXiv 2306.00986; MasaCtrl, arXiv 2304.08465 (shared keys and
values); PixelMan, arXiv 2412.14283 (pixel-manipulated branch, leak-proof self-attention).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor

from guidance import (
    Absence,
    Capture,
    ClassifierFree,
    Features,
    Shape,
    Size,
    Term,
    Ties,
    Trace,
    self_guided_sample,
    warp,
)
from guidance.layers import map_size
from guidance.pooling import pooled_mean
from inversion import Guidance
from realedit.compose.anchor import Anchor
from realedit.inverted.inversion import Inversion
from realedit.models.backbone import Backbone, Prompt
from realedit.models.profile import Profile, general
from realedit.pixels.normalised_blur import normalised_blur
from realedit.pixels.resizing import at_size, scaled
from realedit.sample.by_region import Steps, guidance_of, painted_hole, pinned, seen_keys, starts
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
from realedit.sample.window import Window as PhotoWindow
from realedit.settings import FullSettings

_FREE_LEVELS = 2
"""At noise levels up to this one the objects' core is free, so that the seam can settle; above it the core is
pinned to the anchor. Not measured."""
_LIGHT_CELLS = 2.0
"""Standard deviation, in latent cells, of the blur by which what the model painted is fitted to the photo's
light: larger ones correct broad casts alone, smaller ones carry the photo's detail into the hole's edge. Not
measured."""
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
        painted: the picture in the photo's light, float32 ``[h, w, 3]`` in 0..255; None where the change is
            laid over the anchor everywhere.
        hole: where that is the edit, bool ``[H, W]`` at the anchor's size.
        window: the part of the photo that all of this is of; None for the whole.
    """

    change: np.ndarray
    picture: np.ndarray
    trace: Trace
    painted: np.ndarray | None = None
    hole: np.ndarray | None = None
    window: PhotoWindow | None = None


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
    profile: Profile | None = None,
    plain: Prompt | None = None,
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
        profile: the model's; the general one by default.
        plain: the prompt without the objects that leave a hole; None where it is the same.
        callback: called after each step with (steps done, steps in all).
        lenders: one for each subject, whose keys and values it reads instead of the source's; none by
            default.
    """
    profile = profile or general()
    schedule, source = inversion.result.schedule, inversion.result
    height, width = inversion.size
    z = backbone.encode(at_size(anchor.picture, (height, width)).clip(0, 255).round().astype(np.uint8))
    maps = Regions.of(anchor, subjects, z)
    old = [subject.old for subject in subjects if subject.old is not None]
    hole = painted_hole(anchor, old, profile.hole_margin)
    steps = Steps.of(settings, schedule, hole=bool(hole.any()))
    shown = _Shown(capture, inversion, maps, lenders, subjects, z, settings, profile, steps, on_grid(hole, z))

    def noise(level: int) -> Tensor:
        return _carried(source.noise(level), maps, subjects, seed)

    out, trace = self_guided_sample(
        backbone,
        capture,
        schedule,
        schedule.add_noise(z, noise(steps.top), steps.top),
        guidance=_told(prompt, plain, shown),
        terms=_terms(subjects, maps, settings, steps),
        start=steps.top,
        strength=strength_rule(settings, profile),
        ties=_ties(prompt, shown, noise),
        remeasure=profile.remeasure,
        shared=profile.shared_pass,
        callback=callback,
    )
    picture = backbone.decode(out)
    change = picture - backbone.decode(z)
    sigma = settings.smooth * backbone.scale_factor
    if not steps.apart:
        return Resampled(cv2.GaussianBlur(change, (0, 0), sigma) if sigma > 0 else change, picture, trace)
    change = _smoothed(change, hole, sigma)
    same = (
        at_size(anchor.picture, (height, width)),
        at_size(anchor.changed.astype(np.float32), (height, width)) == 0,
    )
    return Resampled(change, picture, trace, _in_light(picture, *same, backbone.scale_factor), hole)


@dataclass(frozen=True)
class _Shown:
    """One resampling: what the model is shown of source and anchor.

    Args:
        capture: the windows, injected.
        inversion: the source.
        maps: the edit on the latent's grid.
        lenders: see :func:`resample`.
        subjects: see :func:`resample`.
        z: the anchor's latent ``[1, C, h, w]``.
        settings: the knobs.
        profile: the model's.
        steps: where hole and object start.
        hole: the share of each cell that is painted from noise, ``[1, 1, h, w]``.
    """

    capture: Capture
    inversion: Inversion
    maps: Regions
    lenders: Sequence[Lender]
    subjects: Sequence[Subject]
    z: Tensor
    settings: FullSettings
    profile: Profile
    steps: Steps
    hole: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the latent."""
        return self.z.shape[-2], self.z.shape[-1]

    @cached_property
    def keys(self) -> dict[int, Tensor]:
        """The sampling's own keys that are seen, by level of the UNet."""
        if not (self.settings.mask_keys and self.settings.leak_proof and self.hole.any()):
            return {}
        return seen_keys(self.capture, self.hole, self.maps.target, self.size)

    def recall(self, level: int) -> AbstractContextManager[None]:
        """Lets self-attention at a noise level read what it may, and hides what it may not."""
        done = (self.steps.top - level) / self.steps.top
        keys = self.keys if done < self.profile.hole_free else {}
        if not self.settings.attention or done < self.profile.shared_from:
            return self.capture.recall({}, {}, keys)
        if self.lenders:
            lent = _lent(self.capture, self.lenders, self.subjects, level=level, z=self.z)
            return self.capture.recall(*lent, keys)
        masks = {at: self.maps.attention_mask(map_size(self.size, at)) for at in self.capture.levels}
        memory = self.inversion.observations[level].memory
        return self.capture.recall(memory, as_leak_proof(masks, self.settings), keys)


def _told(prompt: Prompt, plain: Prompt | None, shown: _Shown) -> Guidance | ClassifierFree:
    """Returns what the model is told at each step."""
    result = shown.inversion.result
    if result.null_embeddings is not None:  # which stand for one guidance throughout
        return Guidance(prompt.conditioning, prompt.null, shown.settings.guidance_scale)
    return guidance_of(
        prompt, plain, shown.steps, schedule=result.schedule, settings=shown.settings, profile=shown.profile
    )


def _ties(prompt: Prompt, shown: _Shown, noise: Callable[[int], Tensor]) -> Ties:
    """Ties the sampling to the source outside the region, and to the anchor's latent ``z`` in the core."""
    source, settings, maps, z = shown.inversion.result, shown.settings, shown.maps, shown.z

    def constrain(x_0: Tensor, level: int) -> Tensor:
        if level <= _FREE_LEVELS:
            return x_0
        blur = shown.profile.pin_blur
        return pinned(x_0, z, maps.core, pin=settings.pin, low=settings.pin_low, blur=blur)

    def begun(level: int) -> Tensor:
        return source.schedule.add_noise(z, noise(level), level) if level else z

    return Ties(
        region=maps.region,
        source=(lambda level: source.trajectory[level]) if settings.hold else None,
        reference=shown.inversion.observations.get,
        recall=shown.recall,
        constrain=constrain,
        null=lambda level: source.null(prompt.null, level),
        noise=noise,
        starts=starts(shown.hole, maps.target, shown.steps) if shown.steps.apart else None,
        begun=begun,
    )


def _smoothed(change: np.ndarray, hole: np.ndarray, sigma: float) -> np.ndarray:
    """Blurs the model's change by a Gaussian of so many pixels; what was painted from noise takes no part."""
    painted = scaled(hole.astype(np.float32), change.shape[1::-1]) > 0
    if sigma == 0 or painted.all():
        return change
    return normalised_blur(change, ~painted, sigma)


def _in_light(picture: np.ndarray, photo: np.ndarray, known: np.ndarray, cell: int) -> np.ndarray:
    """Adds to a decoded picture what the autoencoder lost of the photo's light, so that no seam shows.

    Args:
        picture: float32 ``[h, w, 3]`` in 0..255.
        photo: float32 ``[h, w, 3]`` in 0..255.
        known: where the picture shows the photo, bool ``[h, w]``.
        cell: pixels a cell of the latent.
    """
    if not known.any():
        return picture
    return picture + normalised_blur((photo - picture).astype(np.float32), known, _LIGHT_CELLS * cell)


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
            lent = pooled_mean(as_tensor(lender.mask, z), there).flatten() > LENT_SHARE
            takes = pooled_mean(on_grid(subject.matte, z), size).flatten() > OBJECT_SHARE
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


def _terms(subjects: Sequence[Subject], maps: Regions, settings: FullSettings, steps: Steps) -> list[Term]:
    """Returns the terms that hold each subject's shape and size and keep it out of the hole.

    The activations of the surroundings are taken along if one object alone moves: those of several come from
    different places. Where the object starts below the hole, its own terms act in its own first steps,
    and its size is that of its pixels.
    """
    window, own = steps.window(settings.window), steps.own_window(settings.window)
    if settings.self_guidance == 0 or window is None:
        return []
    terms: list[Term] = []
    if own is not None:
        moved = [(subject, subject.transform) for subject in subjects if subject.transform is not None]
        terms = [Term(Features(maps.around, to), 1.0, own) for _, to in moved] if len(moved) == 1 else []
        for subject, to in moved:
            if subject.tokens and subject.old is not None:
                terms.append(Term(Shape(subject.tokens, to), 1.0, own))
                if not steps.apart:
                    terms.append(Term(Size(subject.tokens, to.scale), _SIZE_WEIGHT, own))
    terms += [Term(Absence(s.tokens, maps.hole), 1.0, window) for s in subjects if s.tokens]
    return terms
