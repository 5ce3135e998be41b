from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from guidance.properties import appearance, centroid, normalise, object_attention, shape, size

FRAMES = [(48, 48), (40, 64), (72, 32)]


def _grid(h: int, w: int) -> tuple[Tensor, Tensor]:
    y = (torch.arange(h, dtype=torch.float64) + 0.5) / h
    x = (torch.arange(w, dtype=torch.float64) + 0.5) / w
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    return rows, columns


def blob(h: int, w: int, x: float, y: float, spread: float = 0.05) -> Tensor:
    """A Gaussian at (x, y), [1, h, w]."""
    rows, columns = _grid(h, w)
    return torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * spread**2))[None]


def disc(h: int, w: int, radius: float) -> Tensor:
    """A binary disc amid the frame, radius in units of its height, [1, h, w]."""
    rows, columns = _grid(h, w)
    return (((columns - 0.5) * w / h) ** 2 + (rows - 0.5) ** 2 < radius**2).double()[None]


@pytest.mark.parametrize(("h", "w"), FRAMES)
@pytest.mark.parametrize("at", [(0.5, 0.5), (0.3, 0.6), (0.71, 0.35)])
def test_the_centroid_of_a_blob_is_its_centre(h: int, w: int, at: tuple[float, float]) -> None:
    torch.testing.assert_close(
        centroid(blob(h, w, *at))[0], torch.tensor(at, dtype=torch.float64), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(("h", "w"), FRAMES)
def test_moving_a_blob_moves_its_centroid_by_as_much(h: int, w: int) -> None:
    before, after = centroid(blob(h, w, 0.35, 0.6)), centroid(blob(h, w, 0.35 + 0.23, 0.6 - 0.17))
    expected = torch.tensor([[0.23, -0.17]], dtype=torch.float64)
    torch.testing.assert_close(after - before, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (2, 6), (3, 1)])
def test_the_centroid_of_one_cell_is_the_cells_centre_in_x_then_y(row: int, column: int) -> None:
    a = torch.zeros(1, 4, 8, dtype=torch.float64)
    a[0, row, column] = 0.01
    expected = torch.tensor([[(column + 0.5) / 8, (row + 0.5) / 4]], dtype=torch.float64)
    torch.testing.assert_close(centroid(a), expected)


def test_the_centroid_does_not_depend_on_the_maps_strength() -> None:
    a = blob(20, 30, 0.3, 0.4)
    torch.testing.assert_close(centroid(1e-3 * a), centroid(a))


@pytest.mark.parametrize(("h", "w"), [(64, 64), (64, 96), (80, 40)])
@pytest.mark.parametrize("radius", [0.1, 0.2])
def test_the_size_of_a_disc_is_its_area(h: int, w: int, radius: float) -> None:
    a = disc(h, w, radius)
    assert size(a).item() == pytest.approx(a.mean().item(), abs=1e-5)
    assert size(a).item() == pytest.approx(math.pi * radius**2 * h / w, rel=0.05)


@pytest.mark.parametrize("spread", [0.05, 0.1])
def test_the_size_of_a_blob_is_the_integral_over_its_rings(spread: float) -> None:
    # with u = exp(-r^2 / 2 spread^2): integral of f(u) 2 pi r dr = 2 pi spread^2 integral of f(u) / u du
    u = np.linspace(1e-9, 1, 100_001)
    soft = 1 / (1 + np.exp(-10 * (u - 0.5)))
    expected = 2 * math.pi * spread**2 * np.trapezoid((soft - soft[0]) / (soft[-1] - soft[0]) / u, u)
    assert size(blob(97, 121, 0.5, 0.5, spread)).item() == pytest.approx(expected, rel=5e-3)


def test_a_binary_disc_is_its_own_shape_whatever_its_strength() -> None:
    a = disc(40, 56, 0.25)
    torch.testing.assert_close(shape(a), a, rtol=0, atol=1e-5)
    torch.testing.assert_close(shape(0.2 + 0.3 * a), a, rtol=0, atol=1e-4)


def test_shape_is_the_papers_soft_threshold() -> None:
    a = torch.rand(2, 5, 7, dtype=torch.float64)
    for i in range(2):
        flat = [v.item() for v in a[i].flatten()]
        low, high = min(flat), max(flat)
        soft = [1 / (1 + math.exp(-10 * ((v - low) / (high - low) - 0.5))) for v in flat]
        low, high = min(soft), max(soft)
        expected = torch.tensor([(v - low) / (high - low) for v in soft], dtype=torch.float64).view(5, 7)
        torch.testing.assert_close(shape(a)[i], expected, rtol=0, atol=1e-4)


def test_normalise_spans_0_to_1_map_by_map() -> None:
    a = torch.stack([torch.linspace(-3, 5, 12).view(3, 4), torch.linspace(0.01, 0.02, 12).view(3, 4)])
    out = normalise(a)
    assert out.amin((1, 2)).tolist() == [0, 0]
    torch.testing.assert_close(out.amax((1, 2)), torch.ones(2), rtol=0, atol=2e-4)


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_constant_map_has_no_shape(value: float) -> None:
    a = torch.full((1, 4, 6), value)
    assert normalise(a).abs().max() == 0
    assert shape(a).abs().max() == 0
    assert torch.isfinite(centroid(a)).all()


def test_the_appearance_of_constant_features_is_their_value() -> None:
    value = torch.randn(6, dtype=torch.float64)
    features = value.expand(1, 12, 20, 6)
    torch.testing.assert_close(appearance(blob(12, 20, 0.4, 0.5), features)[0], value)


def test_the_appearance_is_the_mean_over_the_object_alone() -> None:
    a = disc(32, 48, 0.2)
    features = torch.where(a[..., None] > 0, 3.0, -50.0).double().expand(1, 32, 48, 2)
    torch.testing.assert_close(appearance(a, features), torch.full((1, 2), 3.0).double(), rtol=1e-3, atol=0)


def test_no_gradient_of_the_appearance_moves_the_attention() -> None:
    a = blob(8, 12, 0.4, 0.5).requires_grad_()
    features = torch.randn(1, 8, 12, 3, dtype=torch.float64, requires_grad=True)
    appearance(a, features).sum().backward()
    assert a.grad is None
    assert features.grad is not None
    assert features.grad.abs().max() > 0


def test_the_appearance_keeps_the_features_own_precision() -> None:
    features = torch.randn(1, 8, 12, 3, dtype=torch.bfloat16)
    assert appearance(blob(8, 12, 0.4, 0.5).float(), features).dtype == torch.bfloat16


@pytest.mark.parametrize("term", [centroid, size, shape, normalise])
def test_gradcheck(term: object) -> None:
    a = torch.rand(2, 4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(term, (a,))  # pyright: ignore[reportArgumentType]


def test_gradcheck_of_the_appearance_in_its_features() -> None:
    a = torch.rand(2, 3, 4, dtype=torch.float64)
    features = torch.randn(2, 3, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f: appearance(a, f), (features,))


def test_gradcheck_of_the_mean_over_tokens() -> None:
    a = torch.rand(1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: object_attention(x, [1, 3]), (a,))


def test_several_tokens_are_averaged() -> None:
    a = torch.rand(2, 3, 4, 8)
    torch.testing.assert_close(object_attention(a, [2, 5]), (a[..., 2] + a[..., 5]) / 2)
    assert torch.equal(object_attention(a, (7,)), a[..., 7])


@pytest.mark.parametrize("tokens", [[8], [0, 9], [-1]])
def test_tokens_outside_the_attention_are_refused(tokens: list[int]) -> None:
    with pytest.raises(IndexError, match=r"^tokens \[.*\] lie outside the 8 columns of the attention$"):
        object_attention(torch.rand(1, 3, 4, 8), tokens)


def test_an_object_without_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^an object needs at least one token$"):
        object_attention(torch.rand(1, 3, 4, 8), [])
