"""An edit on the latent's grid: what is object, hole and surroundings, and who may look at whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from guidance import (
    Automatic,
    Strength,
    Transform,
)
from realedit.compose.anchor import Anchor
from realedit.inverted.inversion import Inversion
from realedit.pixels.masks import grow
from realedit.pixels.unit import unit_of
from realedit.settings import Settings


@dataclass(frozen=True)
class Subject:
    """A piece of the anchor as the model sees it.

    Args:
        tokens: its token positions in the prompt; none where it has no word there.
        transform: where it goes; None where it goes away.
        old: where it was in the photo, bool ``[H, W]``; None where it was not in it.
        matte: where it is in the anchor, float32 ``[H, W]`` in [0, 1].
    """

    tokens: tuple[int, ...]
    transform: Transform | None
    old: np.ndarray | None
    matte: np.ndarray


@dataclass(frozen=True)
class Lender:
    """An object whose look a subject takes: its photo's inversion; where it is there, bool ``[H', W']``."""

    inversion: Inversion
    mask: np.ndarray


def strength_rule(settings: Settings) -> float | Strength:
    """How hard the energies may push, as the guided sampler takes it."""
    limit = settings.self_guidance
    return Automatic(limit) if settings.automatic and limit > 0 else limit


def as_leak_proof(masks: dict[int, Tensor], settings: Settings) -> dict[int, Tensor]:
    """Who may look at whom, as given; where the settings allow leaks, everyone at everything."""
    return masks if settings.leak_proof else {at: torch.ones_like(mask) for at, mask in masks.items()}


@dataclass(frozen=True)
class Regions:
    """Masks ``[1, 1, h, w]`` in [0, 1] on the latent's grid."""

    region: Tensor
    core: Tensor
    target: Tensor
    hole: Tensor
    old: Tensor
    around: Tensor

    @classmethod
    def of(cls, anchor: Anchor, subjects: Sequence[Subject], z: Tensor) -> Regions:
        """The regions of an edit in pixels, on the grid of a latent ``z`` ``[1, C, h, w]``."""

        def down(mask: np.ndarray) -> Tensor:
            return on_grid(mask, z)

        unit = unit_of(anchor.hole.shape)
        new = anchor.matte > 0.5
        old = np.zeros(new.shape, bool)
        for subject in subjects:
            if subject.old is not None:
                old |= subject.old
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


def on_grid(mask: np.ndarray, z: Tensor) -> Tensor:
    """A mask ``[H, W]`` as shares of a latent's cells, ``[1, 1, h, w]``."""
    whole = torch.from_numpy(mask.astype(np.float32)).to(z.device)[None, None]
    return adaptive_avg_pool2d(whole, (z.shape[-2], z.shape[-1]))
