"""An edit on the latent's grid: object, hole and surroundings, and which cell may attend to which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from guidance import Automatic, Combined, Strength, Transform
from guidance.pooling import pooled_mean
from realedit.compose.anchor import Anchor
from realedit.inverted.inversion import Inversion
from realedit.models.profile import Profile
from realedit.pixels.masks import grow
from realedit.pixels.unit import unit_of
from realedit.settings import FullSettings

OBJECT_SHARE = 0.3
"""If the object at its new place covers more than this share of an attention cell, the cell attends to the
object's old place (or to its lender); otherwise it does not. Not measured."""
CLOSED_SHARE = 0.15
"""If more than this share of an attention cell is hole, or an object's old place, the cell counts as such and
the hole does not attend to it; otherwise it counts as background. Low, so that cells at the edge do not leak
the object. Not measured."""
LENT_SHARE = 0.5
"""If a lender covers more than this share of an attention cell of its own photo, the cell is lent; otherwise
it is background there and is not. Not measured."""
SEAM_UNITS = 3
"""Pixels up to this far from the edit, in units, may be changed by the model, to settle the seam; pixels
beyond stay the photo's. Not measured."""
_AROUND_UNITS = 8
"""Pixels up to this far from an object at its new place, in units, count as its surroundings, whose
activations are taken along; pixels beyond do not. Not measured."""
_CORE_SHARE = 0.99
"""If the object covers more than this share of a latent cell, the cell belongs to the core, which is pinned
to the anchor; otherwise it is free to change. Set on 1, less what rounding takes."""


@dataclass(frozen=True)
class Subject:
    """A piece of the anchor as the model sees it.

    Args:
        tokens: positions of its words in the prompt; empty if the prompt does not name it.
        transform: how it is moved; None if it is removed.
        old: its mask in the photo, bool ``[H, W]``; None if it was not in the photo.
        matte: its matte in the anchor, float32 ``[H, W]`` in [0, 1].
    """

    tokens: tuple[int, ...]
    transform: Transform | None
    old: np.ndarray | None
    matte: np.ndarray


@dataclass(frozen=True)
class Lender:
    """An object of another photo, whose look a subject takes.

    Args:
        inversion: that photo's inversion.
        mask: the object there, bool ``[H', W']``.
    """

    inversion: Inversion
    mask: np.ndarray


def strength_rule(settings: FullSettings, profile: Profile) -> float | Strength:
    """Returns the settings' limit on the energies' push, as the guided sampler takes it."""
    limit = settings.self_guidance
    if not settings.automatic or limit == 0:
        return limit
    return Combined(limit) if profile.passes == "one" else Automatic(limit)


def as_leak_proof(masks: dict[int, Tensor], settings: FullSettings) -> dict[int, Tensor]:
    """Returns attention masks as given; if the settings allow leaks, masks that let all attend to all."""
    return masks if settings.leak_proof else {at: torch.ones_like(mask) for at, mask in masks.items()}


@dataclass(frozen=True)
class Regions:
    """An edit as masks ``[1, 1, h, w]`` in [0, 1] on the latent's grid.

    Args:
        region: 1 where the latent may change, else 0.
        core: 1 well inside the objects at their new places, else 0.
        target: the share of each cell that the objects cover at their new places.
        hole: the share of each cell that the objects left free.
        old: the share of each cell that the objects and their shadows covered in the photo.
        around: the share of each cell that is the objects' surroundings at their new places.
    """

    region: Tensor
    core: Tensor
    target: Tensor
    hole: Tensor
    old: Tensor
    around: Tensor

    @classmethod
    def of(cls, anchor: Anchor, subjects: Sequence[Subject], z: Tensor) -> Regions:
        """Brings an edit in pixels to the grid of a latent ``z`` ``[1, C, h, w]``."""

        def down(mask: np.ndarray) -> Tensor:
            return on_grid(mask, z)

        unit = unit_of(anchor.hole.shape)
        new = anchor.matte > 0.5
        old = np.zeros(new.shape, bool)
        for subject in subjects:
            if subject.old is not None:
                old |= subject.old
        inner = cv2.erode(new.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=max(1, round(unit))) > 0
        beside = (grow(new, _AROUND_UNITS * unit) | anchor.shadow_after) & ~new & ~anchor.hole
        return cls(
            region=(down(grow(anchor.changed, SEAM_UNITS * unit)) > 0).float(),
            core=(down(inner) > _CORE_SHARE).float(),
            target=down(new),
            hole=down(anchor.hole & ~new),
            old=down(grow(old | anchor.shadow_before, unit)),
            around=down(beside),
        )

    def attention_mask(self, size: tuple[int, int]) -> Tensor:
        """Returns which cell may attend to which, bool ``[L, 2 L]``, own cells first, then the source's.

        All attend to all their own cells; the hole only to background, its own and the source's; the object
        also to its old place in the source.

        Args:
            size: (height, width) of the layer's map; ``L`` is their product.
        """
        target, hole, old = (pooled_mean(m, size).flatten() for m in (self.target, self.hole, self.old))
        is_target = target > OBJECT_SHARE
        is_hole = (hole > CLOSED_SHARE) & ~is_target
        was_object = old > CLOSED_SHARE
        cells = target.numel()
        mask = torch.zeros(cells, 2 * cells, dtype=torch.bool, device=target.device)
        mask[:, :cells] = True
        background = torch.cat([~is_target & ~is_hole, ~was_object])
        if background.any():
            mask[is_hole] = background
        mask[is_target, cells:] = was_object
        return mask


def on_grid(mask: np.ndarray, z: Tensor) -> Tensor:
    """Averages a mask ``[H, W]`` over each cell of a latent ``[B, C, h, w]``; ``[1, 1, h, w]``."""
    return pooled_mean(as_tensor(mask, z), (z.shape[-2], z.shape[-1]))


def as_tensor(mask: np.ndarray, like: Tensor) -> Tensor:
    """Returns a mask ``[H, W]`` as ``[1, 1, H, W]`` in fp32, on another tensor's device."""
    return torch.as_tensor(mask.astype(np.float32)).to(like.device)[None, None]
