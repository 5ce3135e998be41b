"""ImageNet's thousand classes read place by place: EfficientNet-Lite0's last layers without their pooling.

A classifier of pictures averages its last features over the picture and multiplies. Left unaveraged, the same
product says of every place how much it speaks for each class (class activation maps, Zhou et al. 2016,
https://arxiv.org/abs/1512.04150)::

    z(p) = W relu6(H f(p) + b) + c,        P(class | place p) = softmax z(p)

with f the sixteenth block's 320 channels at a place of 32 x 32 pixels, H the head's convolution with its
batch normalisation folded in, W the classifier. Its mean over all places, before the softmax, is what the
network says of the picture. The blocks are those that the recogniser holds already
(:mod:`realedit.models.efficientnet_lite`); here are only the layers after them.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from realedit.errors import ModelUnavailableError
from realedit.models.efficientnet_lite import CHANNELS, FINE, FINE_BLOCK, MULTIPLE, Features

CLASSES = 1000
"""ImageNet's."""
_HEAD = 1280
_WEIGHTS = "model.safetensors"
FOLDER = Path(__file__).parents[1] / "assets" / "imagenet"
"""Where the package holds the layers' weights."""
LONGEST = 4
"""Times its shorter side that a photo's longer one is seen at, at most: longer panoramas are squeezed, since
what compares all places with all takes memory with the square of their number."""


class Imagenet(nn.Module):
    """Says of every place how much it speaks for each of ImageNet's classes."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(CHANNELS - FINE, _HEAD, 1)
        self.classifier = nn.Linear(_HEAD, CLASSES)

    def forward(self, coarse: Tensor) -> Tensor:
        """Logits ``[B, 1000, h, w]`` of the sixteenth block's channels ``[B, 320, h, w]``."""
        known = F.relu6(self.head(coarse)).movedim(1, -1)
        return self.classifier(known).movedim(-1, 1)

    def save(self, folder: Path) -> None:
        """Write the weights in float16."""
        folder.mkdir(parents=True, exist_ok=True)
        halves = {name: value.half().contiguous() for name, value in self.state_dict().items()}
        save_file(halves, folder / _WEIGHTS)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Imagenet:
        """The layers in ``folder``, float32.

        Raises:
            ModelUnavailableError: they cannot be read.
        """
        found = cls()
        try:
            weights = load_file(folder / _WEIGHTS)
            found.load_state_dict({name: value.float() for name, value in weights.items()})
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise ModelUnavailableError(
                f"the classifier in {folder} cannot be read ({type(error).__name__})",
                "install realedit again",
            ) from error
        return found.eval().requires_grad_(False)


def stages(features: Features, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """The eleventh and the sixteenth block's channels, each at its own places.

    Args:
        features: the blocks.
        pixels: ``[B, 3, H, W]`` in 0..255, sides multiples of 32.

    Returns:
        ``[B, 112, H / 16, W / 16]`` and ``[B, 320, H / 32, W / 32]``.
    """
    fine, coarse = features.after(pixels, (FINE_BLOCK, len(features.blocks) - 1))
    return fine, coarse


def pixels_of(rgb: np.ndarray, short: int) -> Tensor:
    """A photo as the blocks take it, float32 ``[1, 3, H', W']`` in 0..255.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        short: pixels that its shorter side is brought to; both sides go to the nearest multiples of 32.
    """
    h, w = rgb.shape[:2]
    scale = short / min(h, w)
    width, height = (
        max(1, round(min(side * scale, LONGEST * short) / MULTIPLE)) * MULTIPLE for side in (w, h)
    )
    smaller = width * height < w * h
    seen = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return torch.from_numpy(np.ascontiguousarray(seen)).permute(2, 0, 1)[None].float()
