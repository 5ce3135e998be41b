"""Typed linear algebra against its definitions."""

from __future__ import annotations

import pytest
import torch

from inversion.linalg import solve, vector_norm


@pytest.mark.parametrize("keepdim", [False, True])
def test_the_norm_is_the_root_of_the_sum_of_squares(keepdim: bool) -> None:
    x = torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
    expected = torch.tensor([5.0, 0.0])
    assert torch.equal(vector_norm(x, 1, keepdim=keepdim), expected[:, None] if keepdim else expected)


def test_a_solution_solves_each_system_of_a_batch() -> None:
    a = torch.tensor([[[2.0, 0.0], [1.0, 4.0]], [[1.0, 1.0], [0.0, 1.0]]], dtype=torch.float64)
    x = torch.tensor([[[1.0], [2.0]], [[-3.0], [0.5]]], dtype=torch.float64)
    torch.testing.assert_close(solve(a, a @ x), x)
