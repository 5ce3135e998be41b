from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gaussian import GaussianModel, drawn, gain, told
from inversion import Conditioning, Schedule, noised, replay

MakeSchedule = Callable[[int], Schedule]


def refuses(x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
    raise AssertionError("nothing is to be predicted")


def test_one_noise_joins_all_levels_by_ddim_steps_without_a_prediction(make_schedule: MakeSchedule) -> None:
    schedule, x_0 = make_schedule(6), drawn()
    result = noised(refuses, x_0, told(0.4, 0.0, 1.0), schedule)
    eps = result.noise(6)
    for k in range(1, 7):
        torch.testing.assert_close(result.noise(k), eps, rtol=1e-9, atol=1e-9)
    for k in range(2, 7):
        below = schedule.step(result.trajectory[k], eps, k, k - 1)
        torch.testing.assert_close(result.trajectory[k - 1], below, rtol=1e-9, atol=1e-9)
    assert torch.equal(result.x_0, x_0)


def test_independent_noise_differs_from_level_to_level(make_schedule: MakeSchedule) -> None:
    schedule, x_0 = make_schedule(6), drawn(h=48, w=64)
    result = noised(refuses, x_0, told(0.4, 0.0, 1.0), schedule, independent=True)
    noise = torch.stack([result.noise(k).flatten() for k in range(1, 7)])
    assert (torch.corrcoef(noise) - torch.eye(6)).abs().max() < 0.04
    assert noise.std(1).tolist() == pytest.approx([1] * 6, abs=0.03)


@pytest.mark.parametrize("independent", [False, True])
def test_the_noise_is_the_seed_s_alone(make_schedule: MakeSchedule, independent: bool) -> None:
    schedule, x_0, guidance = make_schedule(4), drawn(batch=2), told(0.4, 0.0, 1.0)
    state = torch.get_rng_state()
    first, second = (
        noised(refuses, x_0, guidance, schedule, independent=independent).trajectory for _ in range(2)
    )
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)
    other = noised(refuses, x_0, guidance, schedule, seed=7, independent=independent)
    assert (other.trajectory[1:] != first[1:]).float().mean() > 0.99
    # callers draw with small seeds of their own, and are not to meet the same numbers
    callers = torch.randn(1, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(noised(refuses, x_0, guidance, schedule).noise(1)[:1].float(), callers, atol=1)


def test_the_replay_is_a_sample_from_that_noise_and_not_the_photo(make_schedule: MakeSchedule) -> None:
    schedule, x_0, guidance = make_schedule(20), drawn(h=16, w=16), told(0.4, 0.0, 1.0)
    model = GaussianModel(schedule)
    result = noised(model, x_0, guidance, schedule)
    whole = torch.tensor([gain(schedule, k, k - 1) for k in range(1, 21)], dtype=torch.float64).prod()
    start = result.trajectory[-1] - schedule.alpha(20) * 0.4
    replayed = replay(model, result, guidance)
    torch.testing.assert_close(replayed, schedule.alpha(0) * 0.4 + whole * start, rtol=1e-9, atol=1e-9)
    assert (replayed - x_0).std() > 0.8 * x_0.std()


def test_no_gradient_is_kept(make_schedule: MakeSchedule) -> None:
    x_0 = drawn().requires_grad_()
    assert not noised(refuses, x_0, told(0.4, 0.0, 1.0), make_schedule(2)).trajectory.requires_grad
