r"""CLIP guidance: pulls the picture towards a text's or another picture's embedding.

.. math:: g = 2 \arcsin^2\!\big(\lVert a - b \rVert_2 / 2\big) = \theta^2 / 2

half the squared angle between the unit embeddings ``a`` of the decoded predicted x_0 and ``b`` of the target.

References: Radford et al. 2021, arXiv 2103.00020; the spherical distance and the cutouts are Crowson's
(k-diffusion, ``sample_clip_guided.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from guidance.energies.target import in_full
from guidance.pooling import pooled_mean
from guidance.terms import State, predicted_x_0
from inversion.linalg import vector_norm

_EPS = 1e-6
"""Distance of the arc sine's argument from 1 at which it is cut off: nearer, the slope would overflow;
further, embeddings that are nearly opposite have no gradient. Set on fp32's rounding."""


def spherical_distance(a: Tensor, b: Tensor) -> Tensor:
    """Returns half the squared angle between vectors ``[..., D]``; ``[...]`` in [0, pi^2 / 2]."""
    chord = vector_norm(normalize(a, dim=-1) - normalize(b, dim=-1), -1)
    # the arc sine's slope is infinite at 1, where the vectors are opposite
    return 2 * (chord / 2).clamp(max=1 - _EPS).arcsin().square()


@dataclass(frozen=True)
class Cutouts:
    """Takes random square crops of one size, so that the guidance cannot please CLIP with a detail alone.

    Args:
        count: crops per picture.
        size: side in pixels to which the crops are averaged.
        power: shapes the distribution of the crops' sides between ``size`` and the shorter side of the
            picture: 1 is uniform, a larger one favours small crops.
        seed: seed of the places; they differ between levels and are the same at each run.
    """

    count: int
    size: int
    power: float = 1.0
    seed: int = 0

    def __call__(self, image: Tensor, level: int) -> Tensor:
        """Crops pictures ``[B, 3, H, W]``; ``[count * B, 3, size, size]``."""
        generator = torch.Generator().manual_seed(self.seed * 100_003 + level)
        h, w = image.shape[-2:]
        longest, shortest = min(h, w), min(h, w, self.size)
        crops: list[Tensor] = []
        for _ in range(self.count):
            share, y, x = (float(draw) for draw in torch.rand(3, generator=generator))
            side = shortest + int(share**self.power * (longest - shortest))
            top, left = int(y * (h - side + 1)), int(x * (w - side + 1))
            crops.append(
                pooled_mean(image[..., top : top + side, left : left + side], (self.size, self.size))
            )
        return torch.cat(crops)


@dataclass(frozen=True)
class Clip:
    """Half the squared angle between the embeddings of the decoded predicted x_0 and of a target.

    Args:
        decode: maps latents ``[B, C, h, w]`` to pictures ``[B, 3, H, W]`` in [-1, 1], differentiable.
        embed: maps pictures in [-1, 1] of any size to embeddings ``[B, D]``, differentiable.
        target: the text's or picture's embedding, ``[1, D]`` or ``[D]``.
        cutouts: random crops to embed instead of the whole picture.
    """

    tolerance: ClassVar[float] = 0.0
    needs_x_0: ClassVar[bool] = True
    decode: Callable[[Tensor], Tensor]
    embed: Callable[[Tensor], Tensor]
    target: Tensor
    cutouts: Cutouts | None = None

    def __call__(self, state: State) -> Tensor:
        """Scalar in [0, pi^2 / 2]; pi^2 / 8 at a right angle."""
        image = self.decode(predicted_x_0(state))
        views = image if self.cutouts is None else self.cutouts(image, state.level)
        embedding = in_full(self.embed(views))
        return spherical_distance(embedding, self.target.detach().to(embedding)).mean()
