r"""CLIP guidance: the picture towards a text's or another picture's embedding.

.. math:: g = 2 \arcsin^2\!\big(\lVert a - b \rVert_2 / 2\big) = \theta^2 / 2

half the squared angle between the unit embeddings of the decoded predicted x_0 and of the target.

References: Radford et al. 2021, arXiv 2103.00020; the spherical distance and the cutouts are Crowson's
(k-diffusion, ``sample_clip_guided.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from guidance.energies.target import in_full
from guidance.terms import State, predicted_x_0

_EPS = 1e-6


def spherical_distance(a: Tensor, b: Tensor) -> Tensor:
    """Half the squared angle between vectors ``[..., D]``; ``[...]`` in [0, pi^2 / 2]."""
    chord = (normalize(a, dim=-1) - normalize(b, dim=-1)).norm(dim=-1)
    # the arc sine's slope is infinite at 1, where the vectors are opposite
    return 2 * (chord / 2).clamp(max=1 - _EPS).arcsin().square()


@dataclass(frozen=True)
class Cutouts:
    """Random square crops, brought to one size: what is recognised in all of them is in the whole picture.

    Args:
        count: crops per picture.
        size: side in pixels that they are averaged to.
        power: of the side's distribution between ``size`` and the whole: 1 is uniform, above it small crops
            are favoured.
        seed: of the places; every level has its own, the same at each run.
    """

    count: int
    size: int
    power: float = 1.0
    seed: int = 0

    def __call__(self, image: Tensor, level: int) -> Tensor:
        """``[B, 3, H, W]`` to ``[count * B, 3, size, size]``."""
        generator = torch.Generator().manual_seed(self.seed * 100_003 + level)
        h, w = image.shape[-2:]
        longest, shortest = min(h, w), min(h, w, self.size)
        crops = []
        for _ in range(self.count):
            side, y, x = torch.rand(3, generator=generator).tolist()
            side = shortest + int(side**self.power * (longest - shortest))
            top, left = int(y * (h - side + 1)), int(x * (w - side + 1))
            crops.append(
                adaptive_avg_pool2d(image[..., top : top + side, left : left + side], (self.size, self.size))
            )
        return torch.cat(crops)


@dataclass(frozen=True)
class Clip:
    """The angle between the embedding of what the predicted x_0 shows and a target's.

    Args:
        decode: latent ``[B, C, h, w]`` to picture ``[B, 3, H, W]`` in [-1, 1], differentiable.
        embed: pictures in [-1, 1] of any size to embeddings ``[B, D]``, differentiable.
        target: the text's or picture's embedding, ``[1, D]`` or ``[D]``.
        cutouts: embed random crops rather than the whole.
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
