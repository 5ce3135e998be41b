"""LaMa: the network that fills holes of photographs, as its authors' checkpoints hold it.

Suvorov et al. 2022, *Resolution-robust Large Mask Inpainting with Fourier Convolutions*, arXiv 2109.07161;
the fast Fourier convolution is Chi et al.'s (NeurIPS 2020). It is written here so that no code that came with
a file is run; with the same random weights it gives what the authors' code gives (big-lama's 51 million,
commit 786f593: no difference). A layer's features are two tensors: local ones, seen by small kernels, and
global ones, of which each sees the whole picture by way of its Fourier transform.

**Convention:** features are ``[1, C, h, w]``; names of modules are the checkpoint's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from realedit.errors import ModelUnavailableError

MULTIPLE = 8
"""The picture's sides are multiples of it, which follows from three halvings."""
_HALVINGS = 3
"""Times that the picture is halved before the blocks; all published checkpoints have this many."""
_GLOBAL_SHARE = 0.75
"""Share of a block's features that are global; all published checkpoints have this share."""
_FIRST = "1.ffc.convl2l.weight"
"""Name of the weights that all checkpoints have; what stands before it is a checkpoint's own prefix."""


class Features(NamedTuple):
    """A layer's features.

    Args:
        near: local ones.
        wide: global ones; None where a layer has none.
    """

    near: Tensor
    wide: Tensor | None


class FourierUnit(nn.Module):
    """Mixes channels of the Fourier transform, real and imaginary parts apart, and goes back.

    Args:
        channels: of what goes in and comes out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_layer = nn.Conv2d(2 * channels, 2 * channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Returns ``[N, C, h, w]`` of the same."""
        n, channels, height, width = x.shape
        spectrum = torch.fft.rfft2(x, norm="ortho")
        # the parts of one channel lie side by side: real, imaginary
        parts = torch.view_as_real(spectrum).permute(0, 1, 4, 2, 3).reshape(n, 2 * channels, height, -1)
        mixed = torch.relu(self.bn(self.conv_layer(parts)))
        mixed = mixed.reshape(n, channels, 2, height, -1).permute(0, 1, 3, 4, 2).contiguous()
        return torch.fft.irfft2(torch.view_as_complex(mixed), s=(height, width), norm="ortho")


class SpectralTransform(nn.Module):
    """A Fourier unit between two mixings of channels, beside a way round it.

    Args:
        channels: of what goes in and comes out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Sequential(nn.Conv2d(channels, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU())
        self.fu = FourierUnit(half)
        self.conv2 = nn.Conv2d(half, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Returns ``[N, C, h, w]`` of the same."""
        x = self.conv1(x)
        return self.conv2(x + self.fu(x))


class Crossing(nn.Module):
    """A convolution from local and global features to both: a fast Fourier convolution.

    Args:
        before: channels that go in, (local, global).
        after: channels that come out.
        kernel: side of its kernels.
        stride: 2 halves the picture.
        padding: pixels added about it, mirrored.
    """

    def __init__(
        self,
        before: tuple[int, int],
        after: tuple[int, int],
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        super().__init__()

        def convolution(into: int, out: int) -> nn.Conv2d | None:
            if not (into and out):
                return None
            return nn.Conv2d(into, out, kernel, stride, padding, bias=False, padding_mode="reflect")

        self.convl2l = convolution(before[0], after[0])
        self.convl2g = convolution(before[0], after[1])
        self.convg2l = convolution(before[1], after[0])
        self.convg2g = SpectralTransform(before[1]) if before[1] and after[1] else None

    def forward(self, x: Features) -> tuple[Tensor | None, Tensor | None]:
        """Returns the local and the global features; None for those that it does not make."""
        near = _sum(self.convl2l, x.near, self.convg2l, x.wide)
        return near, _sum(self.convl2g, x.near, self.convg2g, x.wide)


def _sum(one: nn.Module | None, near: Tensor, other: nn.Module | None, wide: Tensor | None) -> Tensor | None:
    first: Tensor | None = None if one is None else one(near)
    second: Tensor | None = None if other is None or wide is None else other(wide)
    return second if first is None else first if second is None else first + second


class Layer(nn.Module):
    """A :class:`Crossing`, normalised and rectified; arguments as there."""

    def __init__(
        self,
        before: tuple[int, int],
        after: tuple[int, int],
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        super().__init__()
        self.ffc = Crossing(before, after, kernel, stride=stride, padding=padding)
        self.bn_l = nn.BatchNorm2d(after[0])
        self.bn_g = nn.BatchNorm2d(after[1]) if after[1] else None

    def forward(self, x: Features | Tensor) -> Features:
        """Returns the layer's features."""
        near, wide = self.ffc(x if isinstance(x, Features) else Features(x, None))
        return Features(
            torch.relu(self.bn_l(near)), None if self.bn_g is None else torch.relu(self.bn_g(wide))
        )


class Block(nn.Module):
    """Two layers, whose outcome is added to what went in.

    Args:
        channels: (local, global).
    """

    def __init__(self, channels: tuple[int, int]) -> None:
        super().__init__()
        self.conv1 = Layer(channels, channels, 3, padding=1)
        self.conv2 = Layer(channels, channels, 3, padding=1)

    def forward(self, x: Features) -> Features:
        """Returns the block's features."""
        near, wide = self.conv2(self.conv1(x))
        return Features(x.near + near, x.wide + wide)


class _Joined(nn.Module):
    """Puts local and global features together."""

    def forward(self, x: Features) -> Tensor:
        return x.near if x.wide is None else torch.cat((x.near, x.wide), 1)


class Lama(nn.Sequential):
    """The generator: a picture with a hole and the hole, to a picture.

    Args:
        width: channels before the first halving.
        blocks: number of blocks; 18 in big-lama, 9 in lama-fourier.
    """

    def __init__(self, width: int = 64, blocks: int = 18) -> None:
        wide = width * 2**_HALVINGS
        parted = (wide - int(wide * _GLOBAL_SHARE), int(wide * _GLOBAL_SHARE))
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), Layer((4, 0), (width, 0), 7)]
        for step in range(_HALVINGS):
            into = width * 2**step
            out = parted if step == _HALVINGS - 1 else (2 * into, 0)
            layers.append(Layer((into, 0), out, 3, stride=2, padding=1))
        layers += [Block(parted) for _ in range(blocks)]
        layers.append(_Joined())
        for step in range(_HALVINGS, 0, -1):
            into = width * 2**step
            up = nn.ConvTranspose2d(into, into // 2, 3, stride=2, padding=1, output_padding=1)
            layers += [up, nn.BatchNorm2d(into // 2), nn.ReLU()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Sigmoid()]
        super().__init__(*layers)

    @classmethod
    def of(cls, weights: Mapping[str, Tensor], label: str) -> Lama:
        """Returns the network that a checkpoint's weights belong to, with them in it.

        Args:
            weights: by their names, under any prefix; others beside them play no part.
            label: what to call the file in error lines.

        Raises:
            ModelUnavailableError: they are no LaMa's, or some are missing or of another shape.
        """
        prefix = next((name.removesuffix(_FIRST) for name in sorted(weights) if name.endswith(_FIRST)), None)
        own = {} if prefix is None else _under(weights, prefix)
        first = own.get(_FIRST)
        if first is None or first.ndim != 4 or first.shape[1:] != (4, 7, 7):
            raise ModelUnavailableError(
                f"{label} holds no LaMa: it has no weights '{_FIRST}' of a 7 x 7 kernel over 4 channels",
                "bring big-lama (or lama-fourier) as safetensors or as its authors' checkpoint",
            )
        blocks = sum(name.endswith(".conv1.ffc.convl2l.weight") for name in own)
        with torch.device("meta"):
            network = cls(first.shape[0], blocks)
        wanted = {name: value.shape for name, value in network.state_dict().items()}
        # how many batches a normalisation has seen is not needed, and some files leave it out
        counts = {name: torch.zeros((), dtype=torch.long) for name in wanted if name.endswith("_tracked")}
        own = counts | {name: value for name, value in own.items() if name in wanted}
        wrong = [name for name, shape in wanted.items() if name not in own or own[name].shape != shape]
        if wrong:
            raise ModelUnavailableError(
                f"{label} is not a LaMa that realedit knows: {len(wrong)} weights are missing or of another "
                f"shape, such as {wrong[0]}",
                "bring big-lama (or lama-fourier) as safetensors or as its authors' checkpoint",
            )
        network.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in own.items()},
            assign=True,
        )
        return network.eval().requires_grad_(False)


def _under(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
