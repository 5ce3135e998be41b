"""A classifier of rendered objects, independent of the diffusion model whose pictures it judges."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from examples.tabletop.image_features import CHANNELS, halves, scaled
from examples.tabletop.object_crops import NOTHING
from examples.tabletop.working_precision import autocast

WEIGHTS, LABELS = "classifier.safetensors", "classifier.json"
_FROZEN_BLOCKS, _KEPT = 11, 112  # of sixteen, and the channels that the last of them gives
_PATCH = 4  # pixels
_HEADS, _SHADES, _HIDDEN = 4, 64, 128


class Paint(nn.Module):
    """The colours of a crop where the object is: attention from what was recognised over patches of pixels.

    ImageNet's features hardly know colours, but they know where the object is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.where = nn.Conv2d(_KEPT, _HEADS, 1)
        self.shade = nn.Sequential(
            nn.Conv2d(3, _SHADES, 1), nn.GELU(), nn.Conv2d(_SHADES, _SHADES, 1), nn.GELU()
        )

    def forward(self, pixels: Tensor, kept: Tensor) -> Tensor:
        """``[B, 256]`` of pixels ``[B, 3, 96, 96]`` and the frozen blocks' features ``[B, 112, 6, 6]``."""
        shades = self.shade(F.avg_pool2d(pixels, _PATCH))
        places = F.interpolate(self.where(kept), shades.shape[-2:], mode="bilinear")
        shares = places.flatten(2).softmax(-1)
        return torch.einsum("bhn,bcn->bhc", shares, shades.flatten(2)).flatten(1)


class Network(nn.Module):
    """EfficientNet-Lite0, its first blocks frozen and its last ones trained, with heads for noun and colour.

    Args:
        nouns: How many nouns.
        colours: How many colours.
    """

    def __init__(self, nouns: int, colours: int) -> None:
        super().__init__()
        self.front, self.tail = halves(_FROZEN_BLOCKS)
        self.front.requires_grad_(False)
        self.paint = Paint()
        self.noun = nn.Sequential(nn.Dropout(0.2), nn.Linear(CHANNELS, nouns))
        self.colour = nn.Sequential(
            nn.Linear(_HEADS * _SHADES + CHANNELS, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, colours)
        )

    def train(self, mode: bool = True) -> Self:
        """Let all but the frozen blocks train."""
        super().train(mode)
        self.front.eval()
        return self

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of nouns and colours for crops ``[B, 3, 96, 96]`` in [-1, 1]."""
        # bfloat16 is twice as fast, but not for the gradients of depthwise convolutions.
        with torch.no_grad(), autocast("cpu"):
            kept = self.front(pixels)
        kept = kept.float()
        features = self.tail(kept).mean((2, 3))
        seen = torch.cat([self.paint(pixels, kept), features.detach()], 1)
        return self.noun(features), self.colour(seen)


@dataclass(frozen=True, slots=True)
class Classifier:
    """A network and the words that its outputs stand for; the last noun is "nothing"."""

    network: Network
    nouns: tuple[str, ...]
    colours: tuple[str, ...]

    @classmethod
    def new(cls, nouns: Sequence[str], colours: Sequence[str]) -> Self:
        """A network that is still to be trained."""
        network = Network(len(nouns) + 1, len(colours)).to(memory_format=torch.channels_last)
        return cls(network, (*nouns, NOTHING), tuple(colours))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote, for use."""
        labels = json.loads((folder / LABELS).read_text(encoding="utf-8"))
        classifier = cls.new(labels["nouns"][:-1], labels["colours"])
        classifier.network.load_state_dict(load_file(folder / WEIGHTS))
        classifier.network.eval()
        return classifier

    def save(self, folder: Path) -> None:
        """Write weights and words."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(
            {name: value.contiguous() for name, value in self.network.state_dict().items()}, folder / WEIGHTS
        )
        labels = {"nouns": self.nouns, "colours": self.colours}
        (folder / LABELS).write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")

    @torch.inference_mode()
    def probabilities(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of nouns ``[B, nouns]`` and of colours ``[B, colours]``, for crops uint8 ``[B, 96, 96, 3]``."""
        found = [self.network(as_pixels(part)) for part in np.array_split(crops, -(-len(crops) // 256))]
        nouns, colours = (torch.cat(part).softmax(-1).numpy() for part in zip(*found, strict=True))
        return nouns, colours


def as_pixels(crops: np.ndarray) -> Tensor:
    """Crops uint8 ``[B, H, W, 3]`` as the network takes them."""
    pixels = scaled(torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2))
    return pixels.contiguous(memory_format=torch.channels_last)
