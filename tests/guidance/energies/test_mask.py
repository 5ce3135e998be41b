from __future__ import annotations

import pytest
import torch
from torch import Tensor

from guidance import Mask, Observation, State

SOURCE = torch.randn(1, 4, 8, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
REGION = torch.zeros(1, 1, 8, 12)
REGION[..., 2:6, 3:8] = 1
INSIDE = (REGION > 0).expand_as(SOURCE)


def _state(x_0: Tensor) -> State:
    return State(torch.zeros_like(x_0), 2, Observation(), x_0=x_0)


def test_it_is_zero_if_and_only_if_the_latent_is_the_sources_outside() -> None:
    mask = Mask(REGION, SOURCE)
    inside = torch.where(INSIDE, SOURCE + 3, SOURCE)
    assert mask(_state(inside)).item() == 0
    for channel, y, x in ((0, 0, 0), (3, 7, 11), (2, 1, 3), (1, 6, 8)):
        z = inside.clone()
        z[0, channel, y, x] += 1e-3
        assert mask(_state(z)).item() > 0


def test_no_gradient_acts_inside_or_on_the_source() -> None:
    z = (SOURCE + 1).requires_grad_()
    source = SOURCE.clone().requires_grad_()
    Mask(REGION, source)(_state(z)).backward()
    assert z.grad is not None
    assert z.grad[INSIDE].abs().max() == 0
    assert (z.grad[~INSIDE] > 0).all()
    assert source.grad is None


@pytest.mark.parametrize("offset", [0.01, -0.05, 0.4, -2.0])
@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_a_constant_offset_has_hubers_distance(offset: float, beta: float) -> None:
    z = torch.where(INSIDE, SOURCE, SOURCE + offset)
    d = abs(offset)
    distance = d**2 / (2 * beta) if d < beta else d - beta / 2
    expected = distance / SOURCE[~INSIDE].abs().mean().item()
    assert Mask(REGION, SOURCE, beta)(_state(z)).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("factor", [2, 4])
def test_a_region_of_any_size_means_the_same(factor: int) -> None:
    larger = REGION.repeat_interleave(factor, -1).repeat_interleave(factor, -2)
    z = SOURCE + torch.randn_like(SOURCE)
    torch.testing.assert_close(Mask(larger, SOURCE)(_state(z)), Mask(REGION, SOURCE)(_state(z)))


def test_a_border_cell_counts_by_what_of_it_lies_outside() -> None:
    half = REGION.clone()
    half[..., 2:6, 3] = 0.5
    z = SOURCE.clone()
    z[..., 2:6, 3] += 1
    whole, part = (Mask(region, SOURCE, 0.0)(_state(z)) for region in (torch.zeros_like(REGION), half))
    magnitude = (SOURCE.abs() * (1 - half)).sum() / SOURCE.abs().sum()
    torch.testing.assert_close(part * magnitude, 0.5 * whole)


def test_the_noisy_latent_is_held_to_the_sources_state_of_the_level() -> None:
    asked = []

    def states(level: int) -> Tensor:
        asked.append(level)
        return SOURCE

    mask = Mask(REGION, states)
    x_t = (SOURCE + 1).requires_grad_()
    mask(State(x_t, 5, Observation())).backward()
    assert asked == [5]
    assert not mask.needs_x_0
    assert x_t.grad is not None
    assert x_t.grad[INSIDE].abs().max() == 0


def test_it_asks_for_the_predicted_latent() -> None:
    mask = Mask(REGION, SOURCE)
    assert mask.needs_x_0
    with pytest.raises(ValueError, match="needs_x_0=True"):
        mask(State(SOURCE, 2, Observation()))


def test_what_is_no_region_or_beta_is_refused() -> None:
    with pytest.raises(ValueError, match=r"region \[1, 1, H, W\], got \[8, 12\]"):
        Mask(REGION[0, 0], SOURCE)(_state(SOURCE))
    with pytest.raises(ValueError, match=r"beta must not be negative, got -0\.1"):
        Mask(REGION, SOURCE, -0.1)
