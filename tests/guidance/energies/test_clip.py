"""CLIP guidance without CLIP: the distance and the crops against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from guidance import Clip, Cutouts, Observation, State
from guidance.energies import spherical_distance


def _at(angle: float) -> Tensor:
    """A unit vector of the plane, in five dimensions."""
    return torch.tensor([math.cos(angle), 0.0, math.sin(angle), 0.0, 0.0], dtype=torch.float64)


def test_orthogonal_embeddings_are_an_eighth_of_pi_squared_apart() -> None:
    assert spherical_distance(_at(0), _at(math.pi / 2)).item() == pytest.approx(math.pi**2 / 8, rel=1e-12)


@pytest.mark.parametrize("angle", [0.0, 0.1, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("length", [1.0, 3.7])
def test_the_distance_is_half_the_squared_angle_at_any_length(angle: float, length: float) -> None:
    distance = spherical_distance(length * _at(0.3), _at(0.3 + angle)).item()
    assert distance == pytest.approx(angle**2 / 2, rel=1e-9, abs=1e-12)


def test_its_slope_is_finite_where_the_vectors_are_equal_or_opposite() -> None:
    for other in (1.0, -1.0):
        a = _at(0.3).requires_grad_()
        spherical_distance(a, other * _at(0.3)).backward()
        assert a.grad is not None
        assert torch.isfinite(a.grad).all()


def _mean_colour(pictures: Tensor) -> Tensor:
    return pictures.mean((2, 3)) + torch.tensor([0.1, 0.2, 0.3], dtype=pictures.dtype)


def _doubled(latent: Tensor) -> Tensor:
    """Three of the latent's channels at twice the size, as a VAE would."""
    return latent[:, :3].repeat_interleave(2, -1).repeat_interleave(2, -2).tanh()


def _state(z: Tensor, level: int = 3) -> State:
    return State(torch.zeros_like(z), level, Observation(), x_0=z)


def _latent() -> Tensor:
    return torch.randn(2, 4, 6, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_the_energy_is_the_mean_distance_of_the_decoded_pictures_embeddings() -> None:
    z, target = _latent(), torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    expected = spherical_distance(_mean_colour(_doubled(z)), target).mean()
    for shape in ((3,), (1, 3)):
        energy = Clip(_doubled, _mean_colour, target.view(shape))
        torch.testing.assert_close(energy(_state(z)), expected)
    assert energy.needs_x_0


def test_no_gradient_reaches_the_target() -> None:
    z, target = _latent().requires_grad_(), torch.ones(1, 3, requires_grad=True)
    Clip(_doubled, _mean_colour, target)(_state(z)).backward()
    assert target.grad is None
    assert z.grad is not None
    assert z.grad[:, :3].abs().max() > 0


@pytest.mark.parametrize("frame", [(32, 32), (20, 48), (40, 12)])
def test_cutouts_are_squares_of_the_picture_at_one_size(frame: tuple[int, int]) -> None:
    h, w = frame
    y, x = torch.meshgrid(torch.arange(h) / h, torch.arange(w) / w, indexing="ij")
    picture = torch.stack([y * h, x * w, torch.ones(h, w)])[None].double()
    views = Cutouts(12, 8)(picture, level=5)
    assert views.shape == (12, 3, 8, 8)
    # a crop's side is the distance between its outer cells' means, the same along both axes
    down = (views[:, 0, -1, 0] - views[:, 0, 0, 0]) * 8 / 7
    across = (views[:, 1, 0, -1] - views[:, 1, 0, 0]) * 8 / 7
    torch.testing.assert_close(down, across, rtol=0.2, atol=0.5)
    assert (views[:, 2] - 1).abs().max() < 1e-9
    assert views[:, 0].min() >= 0
    assert views[:, 0].max() <= h - 1


def test_cutouts_of_a_level_are_the_same_at_every_run_and_others_at_another() -> None:
    picture = torch.rand(2, 3, 24, 40)
    assert torch.equal(Cutouts(4, 8)(picture, 5), Cutouts(4, 8)(picture, 5))
    assert not torch.equal(Cutouts(4, 8)(picture, 5), Cutouts(4, 8)(picture, 6))
    assert not torch.equal(Cutouts(4, 8)(picture, 5), Cutouts(4, 8, seed=1)(picture, 5))


def test_a_crop_of_an_even_picture_changes_nothing() -> None:
    z = torch.full((1, 4, 6, 9), 0.3, dtype=torch.float64)
    target = torch.tensor([1.0, 0.0, 0.0])
    whole = Clip(_doubled, _mean_colour, target)(_state(z))
    cut = Clip(_doubled, _mean_colour, target, Cutouts(5, 4))(_state(z))
    torch.testing.assert_close(whole, cut)
