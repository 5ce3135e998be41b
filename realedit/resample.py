"""The anchored, self-guided resampling: the edit in pixels, seen through the model.

1. The anchor's latent is noised to an intermediate level with the photo's own inverted noise, carried along
   with the object; the hole gets fresh noise.
2. Outside the edited region every state is the source trajectory's.
3. Self-attention reads the source's keys and values through a leak-proof mask: the hole sees background
   alone, the moved object sees itself at its old place.
4. Self-guidance settles shape and size at the target, keeps the object out of the hole and takes the
   activations of its surroundings along.
5. What the model changes against the anchor as its own VAE shows it is added to the anchor's pixels, so that
   neither the VAE's blur nor the working size touches the photo's detail.

References: Epstein et al. 2023, arXiv 2306.00986; MasaCtrl, arXiv 2304.08465 (shared keys and
values); PixelMan, arXiv 2412.14283 (pixel-manipulated branch, leak-proof self-attention).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from guidance import (
    Absence,
    Anchors,
    Capture,
    Features,
    Shape,
    Size,
    Term,
    Trace,
    Transform,
    Window,
    self_guided_sample,
    warp,
)
from guidance.layers import map_size
from inversion import Guidance
from realedit.anchor import Anchor
from realedit.backbone import Backbone, Prompt
from realedit.inverted import Inversion
from realedit.shadow import grow


@dataclass(frozen=True)
class Settings:
    """The knobs of an edit; each ingredient has a switch, so that what it gives can be measured.

    Args:
        strength: share of the noise levels that the resampling goes back up, in [0, 0.7]; 0 keeps the anchor
            as it is.
        guidance_scale: classifier-free guidance of the resampling.
        self_guidance: ``v`` of the guided sampler; 0 turns the energies off.
        window: the guided steps, a share of the sampled ones from the first.
        attention: whether self-attention reads the source.
        pin: how firmly the moved object's predicted latent is held to the anchor's, in [0, 1].
        shadow: whether the object's shadow is looked for and taken along.
        resample: how much of the model's change is added to the anchor's pixels, in [0, 1].
        smooth: standard deviation, in latent cells, of the blur that the change is freed of the VAE's own
            texture with.
    """

    strength: float = 0.4
    guidance_scale: float = 2.0
    self_guidance: float = 1.0
    window: float = 0.4
    attention: bool = True
    pin: float = 0.8
    shadow: bool = True
    resample: float = 1.0
    smooth: float = 1.0


@dataclass(frozen=True)
class Resampled:
    """What the model made of the anchor, at its working size.

    Args:
        change: float32 ``[h, w, 3]``, to be added to the anchor's pixels (in 0..255).
        picture: float32 ``[h, w, 3]``, the decoded latent itself.
        trace: the energies along the way.
    """

    change: np.ndarray
    picture: np.ndarray
    trace: Trace


def resample(
    backbone: Backbone, capture: Capture, inversion: Inversion, prompt: Prompt, anchor: Anchor,
    old: np.ndarray, tokens: list[int], transform: Transform, settings: Settings, seed: int,
    callback: Callable[[int, int], None] | None = None,
) -> Resampled:  # fmt: skip
    """Run the anchor through the model.

    Args:
        backbone: the model.
        capture: the windows that the inversion was made with, injected.
        inversion: the source.
        prompt: of the inversion.
        anchor: the edit in pixels.
        old: the object's mask in the photo, bool ``[H, W]``.
        tokens: the object's token positions; none where it has no word.
        transform: where the object goes.
        settings: the knobs.
        seed: of the hole's fresh noise.
        callback: called after each step.
    """
    schedule, source = inversion.result.schedule, inversion.result
    start = max(1, round(settings.strength * schedule.steps))
    height, width = inversion.size
    z = backbone.encode(_resized(anchor.picture, (width, height)).round().astype(np.uint8))
    maps = _Regions.of(anchor, old, z)
    x = _noised(z, source.noise(start), schedule.alpha(start), schedule.sigma(start), maps, transform, seed)

    def recall(level: int):  # noqa: ANN202
        memory = inversion.observations[level].memory if settings.attention else {}
        sizes = {at: map_size((z.shape[-2], z.shape[-1]), at) for at in capture.levels} if memory else {}
        return capture.recall(memory, {at: maps.attention_mask(size) for at, size in sizes.items()})

    def constrain(x_0: Tensor, level: int) -> Tensor:
        # the last steps are free: they settle the seam
        return torch.lerp(x_0, z, settings.pin * maps.core) if level > 2 else x_0

    ties = Anchors(
        region=maps.region,
        source=lambda level: source.trajectory[level],
        reference=lambda level: inversion.observations.get(level),
        recall=recall,
        constrain=constrain,
    )
    guidance = Guidance(prompt.conditioning, prompt.null, settings.guidance_scale)
    out, trace = self_guided_sample(
        backbone, capture, schedule, x, guidance, _terms(tuple(tokens), transform, maps, settings),
        start=start, strength=settings.self_guidance, anchors=ties, callback=callback,
    )  # fmt: skip
    picture = backbone.decode(out)
    change = picture - backbone.decode(z)
    if settings.smooth > 0:
        change = cv2.GaussianBlur(change, (0, 0), settings.smooth * backbone.scale_factor)
    return Resampled(change, picture, trace)


@dataclass(frozen=True)
class _Regions:
    """Masks ``[1, 1, h, w]`` in [0, 1] on the latent's grid."""

    region: Tensor
    core: Tensor
    target: Tensor
    hole: Tensor
    old: Tensor
    around: Tensor

    @classmethod
    def of(cls, anchor: Anchor, old: np.ndarray, z: Tensor) -> _Regions:
        size = (z.shape[-2], z.shape[-1])

        def down(mask: np.ndarray) -> Tensor:
            return adaptive_avg_pool2d(
                torch.from_numpy(mask.astype(np.float32)).to(z.device)[None, None], size
            )

        unit = max(old.shape) / 256
        new = anchor.matte > 0.5
        inner = cv2.erode(new.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=max(1, round(unit))) > 0
        beside = (grow(new, 8 * unit) | anchor.shadow_after) & ~new & ~anchor.hole
        return cls(
            region=(down(grow(anchor.changed, 3 * unit)) > 0).float(),
            core=(down(inner) > 0.99).float(),
            target=down(new),
            hole=down(anchor.hole & ~new),
            old=down(grow(old | anchor.shadow_before, unit)),
            around=down(beside),
        )

    def attention_mask(self, size: tuple[int, int]) -> Tensor:
        """Who may look at whom, ``[L, 2 L]``: the hole at background alone, the object also at itself."""
        target, hole, old = (
            adaptive_avg_pool2d(m, size).flatten() for m in (self.target, self.hole, self.old)
        )
        is_target = target > 0.3
        is_hole = (hole > 0.15) & ~is_target
        was_object = old > 0.15
        cells = target.numel()
        mask = torch.zeros(cells, 2 * cells, dtype=torch.bool, device=target.device)
        mask[:, :cells] = True
        background = torch.cat([~is_target & ~is_hole, ~was_object])
        if background.any():
            mask[is_hole] = background
        mask[is_target, cells:] = was_object
        return mask


def _noised(
    z: Tensor, noise: Tensor, alpha: float, sigma: float, maps: _Regions, transform: Transform, seed: int
) -> Tensor:
    """The anchor's latent at a level: the photo's noise, the object's carried along, fresh in the hole."""
    carried = warp(noise.movedim(1, -1), transform).movedim(-1, 1)
    generator = torch.Generator().manual_seed(seed)
    fresh = torch.randn(z.shape, generator=generator).to(z)
    target = (maps.target > 0.5).to(z)
    hole = (maps.hole > 0.5).to(z) * (1 - target)
    eps = noise * (1 - target) * (1 - hole) + carried * target + fresh * hole
    return alpha * z + sigma * eps


def _terms(tokens: tuple[int, ...], transform: Transform, maps: _Regions, settings: Settings) -> list[Term]:
    if settings.self_guidance == 0:
        return []
    window = Window(0.0, settings.window)
    terms = [Term(Features(maps.around, transform), 1.0, window)]
    if tokens:
        terms += [
            Term(Shape(tokens, transform), 1.0, window),
            Term(Size(tokens, transform.scale), 0.2, window),
            Term(Absence(tokens, maps.hole), 1.0, window),
        ]
    return terms


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """To (width, height), averaging on the way down."""
    if image.shape[1::-1] == size:
        return image
    smaller = size[0] < image.shape[1] or size[1] < image.shape[0]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC).clip(0, 255)
