"""LPIPS and ST-LPIPS against their equation, written out on the networks' own features."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench_data import scene
from realedit.bench.metrics.missing import MetricUnavailableError
from realedit.bench.metrics.perceptual import Backbone, PerceptualDistance, lpips, st_lpips

A, MASK = scene()
B = scene(20)[0]


def by_hand(network: Any, weights: list[Tensor], a: np.ndarray, b: np.ndarray) -> float:
    """Zhang et al. 2018, eq. 1."""
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])

    def features(rgb: np.ndarray) -> list[Tensor]:
        x = torch.from_numpy(rgb.astype(np.float32)) / 127.5 - 1
        maps = network.net(((x - shift) / scale).permute(2, 0, 1)[None])
        return [m / (m.square().sum(1, keepdim=True).sqrt() + 1e-10) for m in maps]

    layers = zip(features(a), features(b), weights, strict=True)
    return sum(float(((x - y).square() * w).sum(1).mean()) for x, y, w in layers)


def linear(network: Any) -> list[Tensor]:
    return [lin.model[-1].weight for lin in network.lins]


@pytest.fixture(scope="module")
def random_lpips() -> Any:
    """LPIPS with its own linear weights on a backbone of random ones: no download."""
    torch.manual_seed(0)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lpips as package

        return package.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()


def test_lpips_by_hand(random_lpips: Any) -> None:
    distance = PerceptualDistance(random_lpips)
    with torch.no_grad():
        expected = by_hand(random_lpips, linear(random_lpips), A, B)
    assert expected > 0
    assert distance.whole(A, B) == pytest.approx(expected, rel=1e-4)
    assert distance.whole(A, A) == 0


def test_the_map_is_zero_where_nothing_differs(random_lpips: Any) -> None:
    distance = PerceptualDistance(random_lpips)
    spread = distance.map(A, B)
    assert spread.shape == A.shape[:2]
    assert spread[MASK].mean() > spread[:8].mean()
    assert not distance.map(A, A).any()


def test_st_lpips_by_hand() -> None:
    distance = st_lpips()
    network: Any = distance._network
    with torch.no_grad():
        expected = by_hand(network, linear(network), A, B)
    assert distance.whole(A, B) == pytest.approx(expected, rel=1e-4)
    assert distance.whole(A, A) == 0
    # tolerant of shifts: a pixel to the side is nearer than another picture
    assert distance.whole(A, scene(13)[0]) < 0.5 * distance.whole(A, scene(None)[0])


@pytest.mark.parametrize("backbone", ["alex", "vgg", "squeeze"])
def test_lpips_without_weights_is_missing(
    backbone: Backbone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MetricUnavailableError, match="torch hub's cache"):
        lpips(backbone)
