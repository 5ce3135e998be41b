"""Pooling that is right on every device: nothing of ours pools adaptively where Apple's GPUs cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from guidance import pooling

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("side", "size"), [(7, (3, 2)), (64, (16, 16)), (10, (7, 9))])
def test_it_is_torchs_own(side: int, size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, side, side + 1, requires_grad=True)
    for ours, theirs in (
        (pooling.pooled_mean, functional.adaptive_avg_pool2d),
        (pooling.pooled_max, functional.adaptive_max_pool2d),
    ):
        assert torch.equal(ours(x, size), theirs(x, size))


def test_on_the_host_it_is_the_same_and_gradients_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way by the host, taken here as if the CPU were Apple's GPU."""
    x = torch.randn(1, 1, 10, 11, requires_grad=True)
    plain = torch.autograd.grad(pooling.pooled_mean(x, (3, 4)).square().sum(), x)[0]
    monkeypatch.setattr(pooling, "_ON_HOST", ("cpu",))
    there = torch.autograd.grad(pooling.pooled_mean(x, (3, 4)).square().sum(), x)[0]
    assert torch.equal(plain, there)


def test_nothing_of_ours_pools_otherwise() -> None:
    files = [path for top in ("realedit", "guidance", "inversion") for path in (ROOT / top).rglob("*.py")]
    # the bench's differential method pools numpy's pictures, on the host
    others = [path for path in files if path.name not in ("pooling.py", "differential.py")]
    assert len(others) > 100
    assert not [path for path in others if "adaptive_" in path.read_text(encoding="utf-8")]
