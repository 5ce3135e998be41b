"""EfficientNet-Lite0's features (Tan and Le 2019, https://arxiv.org/abs/1905.11946)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MULTIPLE = 32
"""Sides that it looks at are multiples of as many pixels."""
FINE, _COARSE = 112, 320
CHANNELS = FINE + _COARSE
"""Of the features that the nouns are read from."""
_STEM = 32
_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, FINE, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, _COARSE, 1),
)
"""EfficientNet-Lite0's: expansion, kernel, stride, channels, blocks."""
_FINE_BLOCKS = 11
"""Blocks at 1/16 of the picture; the others are at 1/32."""


class _Convolution(nn.Conv2d):
    """Padded as TensorFlow pads where the stride divides the side: what is left over at the end."""

    def forward(self, input: Tensor) -> Tensor:
        """Pad, and convolve."""
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
        """``[B, C, H, W]`` to as many places, or a quarter of them."""
        wide = x if self.expand is None else F.relu6(self.expand(x))
        out = self.project(F.relu6(self.filter(wide)))
        return x + out if self._adds else out


class Features(nn.Module):
    """Pixels ``[B, 3, H, W]`` in 0..255, sides multiples of 32, to ``[B, 432, H / 16, W / 16]``.

    The eleventh block's channels know outlines, the sixteenth's, brought to as many places, know things.
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

    def forward(self, pixels: Tensor) -> Tensor:
        """See the class."""
        x = F.relu6(self.stem((pixels - 127) / 128))
        for block in self.blocks[:_FINE_BLOCKS]:
            x = block(x)
        fine = x
        for block in self.blocks[_FINE_BLOCKS:]:
            x = block(x)
        return torch.cat([fine, F.interpolate(x, fine.shape[-2:], mode="bilinear")], 1)
