"""The cut-out network: places that are like the hint, settled into the thing that is meant.

The features of a photo are those of a frozen EfficientNet-Lite0 at strides 2, 4, 8, 16 and 32. What is
learned sees them in two ways: as *similarities*, the cosine of every place's features to those under the hint
(and to those that the hint rules out), and through narrow projections, of which it loses some at random
while it is trained, so that it cannot learn textures by heart. At stride 16 places attend to each other
(Vaswani et al. 2017, https://arxiv.org/abs/1706.03762), then a decoder goes up to stride 2. As in Segment
Anything (Kirillov et al. 2023, https://arxiv.org/abs/2304.02643) there are several answers, each with its own
expected IoU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from guidance.pooling import pooled_max, pooled_mean
from realedit.cutout.features import Features
from realedit.cutout.hints import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

ANSWERS = 3
STRIDES = (2, 4, 8, 16, 32)
MULTIPLE = 32
"""Sides of a window are multiples of as many pixels."""
_TAPS = (0, 2, 4, 10, 15)
"""Blocks of EfficientNet-Lite0 whose outputs are read, one a stride."""
_SEEN = (16, 24, 40, 112, 320)
"""Their channels."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Channels of the parts that are learned.

    Args:
        projected: Of the projections of the features, one a stride.
        tokens: Of a place at stride 16.
        layers: Of attention.
        heads: Of each of them.
        decoder: At strides 2, 4 and 8.
    """

    projected: tuple[int, ...] = (6, 12, 24, 64, 64)
    tokens: int = 128
    layers: int = 3
    heads: int = 4
    decoder: tuple[int, ...] = (12, 32, 64)


class Pyramid(nn.Module):
    """Pixels ``[B, 3, H, W]`` in 0..255 to five maps ``[B, C, H / s, W / s]``, s in `STRIDES`; frozen."""

    def __init__(self, features: Features) -> None:
        super().__init__()
        self.features = features.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, pixels: Tensor) -> list[Tensor]:
        """See the class."""
        return self.features.after(pixels, _TAPS)


class _Mixed(nn.Module):
    """Two 3 x 3 convolutions, each normalised by groups."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, out, 3, padding=1)
        self.second = nn.Conv2d(out, out, 3, padding=1)
        groups = max(1, out // 8)
        self.norms = nn.ModuleList(nn.GroupNorm(groups, out) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """``[N, channels, h, w]`` to ``[N, out, h, w]``."""
        x = F.gelu(self.norms[0](self.first(x)))
        return x + F.gelu(self.norms[1](self.second(x)))


class _Attending(nn.Module):
    """A transformer's layer, normalised first."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(2))
        self.into = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.wide = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, places, C]`` to the same."""
        count, places, channels = x.shape
        parts = self.into(self.norms[0](x)).view(count, places, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(x.shape)
        x = x + self.out(seen)
        return x + self.narrow(F.gelu(self.wide(self.norms[1](x))))


class CutOutNetwork(nn.Module):
    """What is learned: a pyramid of features and the maps of hints to answers.

    Args:
        sizes: Channels.
    """

    def __init__(self, sizes: Sizes | None = None) -> None:
        super().__init__()
        self.sizes = sizes = sizes or Sizes()
        for number, channels in enumerate(_SEEN):
            self.register_buffer(f"mean{number}", torch.zeros(channels))
            self.register_buffer(f"scale{number}", torch.ones(channels))
        self.projections = nn.ModuleList(
            nn.Conv2d(channels, out, 1) for channels, out in zip(_SEEN, sizes.projected, strict=True)
        )
        told = CHANNELS + 2
        fine, middle, coarse = sizes.decoder
        # Similarities at strides 16 and 32, and at the finer ones averaged; where a place is.
        self.enter = nn.Conv2d(sum(sizes.projected[3:]) + 2 * len(STRIDES) + told + _PLACE, sizes.tokens, 1)
        self.around = _Mixed(sizes.tokens, sizes.tokens)
        self.answers = nn.Parameter(torch.randn(ANSWERS, sizes.tokens) * 0.02)
        self.attending = nn.ModuleList(_Attending(sizes.tokens, sizes.heads) for _ in range(sizes.layers))
        self.last = nn.LayerNorm(sizes.tokens)
        self.leave = nn.Conv2d(sizes.tokens, coarse, 1)
        self.coarse = _Mixed(coarse + sizes.projected[2] + 2 + told, coarse)
        self.to_middle = nn.Conv2d(coarse, middle, 1)
        self.middle = _Mixed(middle + sizes.projected[1] + 2 + told, middle)
        self.to_fine = nn.Conv2d(middle, fine, 1)
        self.rough = nn.Conv2d(middle, ANSWERS, 1)
        self.fine = _Mixed(fine + sizes.projected[0] + 2 + 3, fine)
        self.finest = nn.Conv2d(fine, ANSWERS, 3, padding=1)
        # An answer's own token weighs the middle's channels.
        self.weighing = nn.Linear(sizes.tokens, middle)
        self.sure = nn.Sequential(nn.Linear(sizes.tokens + 2, 64), nn.GELU(), nn.Linear(64, 1))

    def forward(
        self, pixels: Tensor, pyramid: Sequence[Tensor], maps: Tensor, dropout: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Answers to some hints about each picture.

        Args:
            pixels: ``[B, 3, H, W]`` in 0..255.
            pyramid: `Pyramid`'s, of these pixels.
            maps: `Hint.maps` of K hints a picture, ``[B, K, CHANNELS, H / 4, W / 4]``.
            dropout: Share of the features' projections that is left out, while training.

        Returns:
            Logits ``[B, K, ANSWERS, H / 2, W / 2]`` and the logit of each answer's IoU ``[B, K, ANSWERS]``.
        """
        batch, hints = maps.shape[:2]
        known = [
            (level - getattr(self, f"mean{n}")[:, None, None]) * getattr(self, f"scale{n}")[:, None, None]
            for n, level in enumerate(pyramid)
        ]
        likes = _similarities(known, *_seeds(maps))

        def each(x: Tensor) -> Tensor:
            return x[:, None].expand(-1, hints, -1, -1, -1).flatten(0, 1)

        seen = [
            each(F.dropout2d(F.gelu(layer(x)), dropout, self.training))
            for layer, x in zip(self.projections, known, strict=True)
        ]
        told = maps.flatten(0, 1)
        colours = F.avg_pool2d(pixels, 2) / 128 - 1
        if self.training and dropout:
            likes = [F.dropout2d(like, dropout / 2, True) for like in likes]

        grid = seen[3].shape[-2:]
        here = _place(grid, told).expand(len(told), -1, -1, -1)
        parts = [seen[3], _to(seen[4], grid), *(_to(like, grid) for like in likes), _told(told, grid), here]
        x = self.around(self.enter(torch.cat([part.to(seen[3].dtype) for part in parts], 1)))
        places = x.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.answers.expand(len(places), -1, -1).to(places.dtype), places], 1)
        for layer in self.attending:
            tokens = layer(tokens)
        tokens = self.last(tokens)
        own, places = tokens[:, :ANSWERS], tokens[:, ANSWERS:]
        x = self.leave(places.transpose(1, 2).unflatten(2, grid))

        x = self._up(self.coarse, x, seen[2], likes[2], told)
        x = self._up(self.middle, self.to_middle(x), seen[1], likes[1], told)
        rough = torch.einsum("nchw,nac->nahw", x, self.weighing(own).to(x.dtype)) / x.shape[1] ** 0.5
        rough = rough + self.rough(x)
        size = colours.shape[-2:]
        fine = [_to(self.to_fine(x), size), seen[0], likes[0], each(colours)]
        x = self.fine(torch.cat([part.to(rough.dtype) for part in fine], 1))
        logits = (_to(rough, size) + self.finest(x)).float()

        # How sure it is: what its token says, how decided its places are, how large it is.
        share = logits.detach().sigmoid()
        decided = (share * share).sum((2, 3)) / (share.sum((2, 3)) + 1e-3)
        facts = torch.stack([decided, share.mean((2, 3)).sqrt()], -1)
        sure = self.sure(torch.cat([own.float(), facts], -1)).squeeze(-1).float()
        return logits.unflatten(0, (batch, hints)), sure.unflatten(0, (batch, hints))

    @staticmethod
    def _up(mixed: nn.Module, x: Tensor, seen: Tensor, likes: Tensor, told: Tensor) -> Tensor:
        size = seen.shape[-2:]
        parts = (_to(x, size), seen, likes, _told(told, size))
        return mixed(torch.cat([part.to(x.dtype) for part in parts], 1))


_PLACE = 6
"""Channels of `_place`."""


def _place(grid: Sequence[int], like: Tensor) -> Tensor:
    """Where a place is, ``[1, _PLACE, h, w]``: waves of one and two periods, and how far from the middle."""
    height, width = grid
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height, device=like.device),
        torch.linspace(-1, 1, width, device=like.device),
        indexing="ij",
    )
    return torch.stack([y, x, y * y, x * x, torch.sin(3 * y), torch.sin(3 * x)])[None].to(like.dtype)


def _to(x: Tensor, size: Sequence[int]) -> Tensor:
    """``[N, C, h, w]`` brought to a size: averaged where it shrinks, bilinear where it grows."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    if x.shape[-1] > size[-1]:
        return pooled_mean(x, (size[0], size[1]))
    return F.interpolate(x, (size[0], size[1]), mode="bilinear")


def _told(maps: Tensor, size: Sequence[int]) -> Tensor:
    """The hints' maps at a size, with their sharpest parts kept: a point is not averaged away."""
    if tuple(maps.shape[-2:]) == tuple(size):
        return torch.cat([maps, maps[:, :3:2]], 1)
    return torch.cat([_to(maps, size), pooled_max(maps[:, :3:2], (size[0], size[1]))], 1)


def _seeds(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Weights of the places under the hint, and of those that it rules out, ``[B, K, h, w]``.

    Each kind of hint that is given has the same weight; a box speaks for its middle and against what is
    outside it.
    """

    def shares(weights: Tensor, given: Tensor) -> Tensor:
        return given * weights / (weights.sum((-2, -1), keepdim=True) + 1e-6)

    point, box, mask, heat = (maps[:, :, channel] for channel in range(8, 12))
    sure = maps[:, :, 6] ** 2
    chosen = (
        shares(maps[:, :, 0], point)
        + shares(maps[:, :, 5] ** 2, box)
        + shares(sure, mask)
        + shares(maps[:, :, 7] ** 4, heat)
    )
    refused = (
        shares(maps[:, :, 2], torch.ones_like(point))
        + shares(1 - maps[:, :, 4], box)
        + shares((1 - maps[:, :, 6]) ** 2, mask)
    )
    return chosen, refused


def _similarities(levels: Sequence[Tensor], chosen: Tensor, refused: Tensor) -> list[Tensor]:
    """Cosines of every place to the mean under each weight, ``[B K, 2, h, w]`` a level."""
    found: list[Tensor] = []
    for level in levels:
        unit = F.normalize(level.float(), dim=1)
        size = level.shape[-2:]
        weights = torch.stack([chosen, refused], 2).flatten(1, 2)
        weights = _to(weights, size)
        means = F.normalize(torch.einsum("bkhw,bchw->bkc", weights.float(), unit), dim=2)
        likes = torch.einsum("bkc,bchw->bkhw", means, unit)
        batch, pairs = likes.shape[:2]
        found.append(likes.reshape(batch * pairs // 2, 2, *size))
    return found
