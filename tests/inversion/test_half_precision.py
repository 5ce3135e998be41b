from __future__ import annotations

import pytest
import torch

from inversion.half_precision import scaled_gradient


class _Half(torch.autograd.Function):
    """The identity, whose gradient goes through half precision, as a half-precision model's does."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: object, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0].half().float()


@pytest.mark.parametrize("slope", [1e-9, 1e-4, 1.0, 3e3, 6e4])
def test_neither_small_nor_large_slopes_are_lost(slope: float) -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    (found,) = scaled_gradient((slope * _Half.apply(x)).sum(), x)[None]
    torch.testing.assert_close(found, torch.full((2,), slope), rtol=1e-2, atol=0)


def test_unscaled_the_smallest_would_be() -> None:
    x = torch.tensor([1.0], requires_grad=True)
    (found,) = torch.autograd.grad((1e-9 * _Half.apply(x)).sum(), x)
    assert found.item() == 0


def test_a_graph_can_be_kept() -> None:
    x = torch.tensor([3.0], requires_grad=True)
    loss = (x**2).sum()
    assert scaled_gradient(loss, x, keep_graph=True).item() == 6
    assert scaled_gradient(loss, x).item() == 6


def test_what_is_not_finite_is_told() -> None:
    x = torch.tensor([0.0], requires_grad=True)
    with pytest.raises(FloatingPointError):
        scaled_gradient(x.sqrt().sum(), x)
