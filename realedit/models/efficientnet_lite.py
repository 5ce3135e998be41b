"""EfficientNet-Lite0's features (Tan and Le 2019, https://arxiv.org/abs/1905.11946).

The network of the package ``efficientnet-lite-pytorch`` with its batch normalisation folded into the
convolutions, written here so that finding things needs no package and no download at run time.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MULTIPLE = 32
"""Pixels of which both sides of a picture must be multiples. Set by the architecture."""
PLACE_PIXELS = 16
"""Side in pixels of a place, which has one vector of features. Set by the architecture."""
FINE, _COARSE = 112, 320
"""Channels of the eleventh block's features and of the sixteenth's. Set by the architecture."""
CHANNELS = FINE + _COARSE
"""Channels of a place's features: those of both blocks."""
_STEM = 32
"""Channels of the first convolution. Set by the architecture."""
_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, FINE, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, _COARSE, 1),
)
"""Expansion, kernel, stride, channels and blocks of each stage. Set by the architecture."""
FINE_BLOCK = 10
"""Number from 0 of the last block at 1/16 of the picture's side, which gives the fine features; later ones
are at 1/32. Set by the architecture."""


class _Convolution(nn.Conv2d):
    """A convolution padded as TensorFlow pads when the stride divides the side: the odd pixel at the end."""

    def forward(self, input: Tensor) -> Tensor:
        """Pads and convolves ``[B, C, H, W]``."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        before = (kernel - stride) // 2
        after = kernel - stride - before
        return super().forward(F.pad(input, (before, after, before, after)))


class _Block(nn.Module):
    """An inverted residual: expand, filter each channel, project."""

    def __init__(self, channels: int, expansion: int, kernel: int, stride: int, out: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.expand = nn.Conv2d(channels, wide, 1) if expansion > 1 else None
        self.filter = _Convolution(wide, wide, kernel, stride, groups=wide)
        self.project = nn.Conv2d(wide, out, 1)
        self._adds = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``[B, C, H, W]`` to as many places, or to a quarter of them at stride 2."""
        wide = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        out = self.project(F.relu6(self.filter(wide), inplace=True))
        return x + out if self._adds else out


class Features(nn.Module):
    """Maps pixels ``[B, 3, H, W]`` in 0..255, sides multiples of 32, to ``[B, 432, H / 16, W / 16]``.

    The eleventh block's channels know outlines; the sixteenth's, enlarged to as many places, know things.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Convolution(3, _STEM, 3, 2)
        self.blocks = nn.ModuleList()
        channels = _STEM
        for expansion, kernel, stride, out, count in _STAGES:
            for k in range(count):
                self.blocks.append(_Block(channels, expansion, kernel, stride if k == 0 else 1, out))
                channels = out

    def after(self, pixels: Tensor, blocks: Sequence[int]) -> list[Tensor]:
        """Returns what comes out of some blocks.

        Args:
            pixels: see the class.
            blocks: their numbers from 0, rising; what is beyond the last one is not computed.
        """
        # a CPU convolves channels that lie side by side a fifth faster
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        x = F.relu6(self.stem((pixels - 127) / 128), inplace=True)
        found: list[Tensor] = []
        for number, block in enumerate(self.blocks[: blocks[-1] + 1]):
            x = block(x)
            if number in blocks:
                found.append(x)
        return found

    def forward(self, pixels: Tensor) -> Tensor:
        """See the class."""
        fine, coarse = self.after(pixels, (FINE_BLOCK, len(self.blocks) - 1))
        return torch.cat([fine, F.interpolate(coarse, fine.shape[-2:], mode="bilinear")], 1)
