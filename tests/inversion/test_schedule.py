from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddim_inverse import DDIMInverseScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from inversion import Schedule
from realedit.errors import UsageError
from realedit.models.backbone import Backbone

MakeSchedule = Callable[[int], Schedule]
MakeScheduler = Callable[[int], DDIMScheduler]
SMALL = Schedule((10, 20), (0.9, 0.5, 0.1))


def _float64(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64)


@pytest.mark.parametrize("steps", [2, 7, 10, 50, 333])
def test_a_step_down_is_that_of_diffusers_ddim(
    steps: int, make_schedule: MakeSchedule, make_scheduler: MakeScheduler
) -> None:
    scheduler, schedule = make_scheduler(steps), make_schedule(steps)
    ours = theirs = _float64(2, 4, 3, 5)
    for level, t in zip(range(steps, 0, -1), scheduler.timesteps.tolist(), strict=True):
        assert schedule.timestep(level) == t
        eps = _float64(2, 4, 3, 5)
        theirs = scheduler.step(eps, t, theirs, return_dict=False)[0]
        ours = schedule.step(ours, eps, level, level - 1)
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("steps", [2, 7, 10, 50, 333])
def test_a_step_up_is_that_of_diffusers_inverse_ddim(
    steps: int, make_schedule: MakeSchedule, make_scheduler: MakeScheduler
) -> None:
    down, schedule = make_scheduler(steps), make_schedule(steps)
    inverse: Any = DDIMInverseScheduler.from_config(down.config)
    inverse.alphas_cumprod = down.alphas_cumprod
    inverse.initial_alpha_cumprod = down.alphas_cumprod[0]
    inverse.set_timesteps(steps)
    ours = theirs = _float64(2, 4, 3, 5)
    for level, t in enumerate(inverse.timesteps.tolist()):
        assert schedule.timestep(level + 1) == t
        eps = _float64(2, 4, 3, 5)
        theirs = inverse.step(eps, t, theirs, return_dict=False)[0]
        ours = schedule.step(ours, eps, level, level + 1)
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("steps", [2, 10, 50])
@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_a_noisy_step_is_that_of_diffusers_ddim(
    steps: int, eta: float, make_schedule: MakeSchedule, make_scheduler: MakeScheduler
) -> None:
    scheduler, schedule = make_scheduler(steps), make_schedule(steps)
    for level, t in zip(range(steps, 0, -1), scheduler.timesteps.tolist(), strict=True):
        x, eps, z = _float64(2, 4, 3, 5), _float64(2, 4, 3, 5), _float64(2, 4, 3, 5)
        theirs = scheduler.step(eps, t, x, eta=eta, variance_noise=z, return_dict=False)[0]
        ours = (
            schedule.step(x, eps, level, level - 1, eta=eta) + schedule.deviation(level, level - 1, eta) * z
        )
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("steps", [2, 10, 50])
def test_with_eta_1_it_is_that_of_diffusers_ddpm(
    steps: int, make_schedule: MakeSchedule, make_scheduler: MakeScheduler
) -> None:
    # clean=1: their DDPM ends there, not at the first training timestep
    theirs: Any = DDPMScheduler.from_config(make_scheduler(steps).config)
    theirs.alphas_cumprod, theirs.one = make_scheduler(steps).alphas_cumprod, torch.tensor(1.0).double()
    theirs.set_timesteps(steps)
    schedule = Schedule.from_training(theirs.alphas_cumprod, theirs.timesteps.tolist(), clean=1.0)
    for level, t in zip(range(steps, 0, -1), theirs.timesteps.tolist(), strict=True):
        x, eps = _float64(2, 4, 3, 5), _float64(2, 4, 3, 5)
        generator = torch.Generator().manual_seed(level)
        expected = theirs.step(eps, t, x, generator=generator, return_dict=False)[0]
        z = torch.randn(x.shape, generator=generator.manual_seed(level), dtype=torch.float64)
        deviation = schedule.deviation(level, level - 1)
        ours = schedule.step(x, eps, level, level - 1, eta=1.0) + deviation * z
        torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9)
        assert deviation > 0 or level == 1


def test_without_noise_the_mean_is_the_step() -> None:
    x, eps = _float64(1, 4, 3, 5), _float64(1, 4, 3, 5)
    assert SMALL.deviation(2, 1, 0.0) == 0
    assert torch.equal(SMALL.step(x, eps, 2, 1, eta=0.0), SMALL.step(x, eps, 2, 1))
    assert not torch.allclose(SMALL.step(x, eps, 2, 1, eta=1.0), SMALL.step(x, eps, 2, 1))


@pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan")])
def test_an_eta_out_of_range_is_refused(eta: float) -> None:
    with pytest.raises(ValueError, match=rf"^eta must lie in \[0, 1\], got {eta}$"):
        SMALL.deviation(2, 1, eta)


@pytest.mark.parametrize("to", [1, 2])
def test_a_noisy_step_up_is_refused(to: int) -> None:
    with pytest.raises(ValueError, match=rf"^a step with eta > 0 goes down, not from level 1 to {to}$"):
        SMALL.step(_float64(1, 4, 3, 5), _float64(1, 4, 3, 5), 1, to, eta=1.0)


def test_the_backbones_schedule_is_that_of_its_own_scheduler(
    backbone: Backbone, make_scheduler: MakeScheduler
) -> None:
    schedule = backbone.schedule(10)
    assert list(schedule.timesteps) == sorted(make_scheduler(10).timesteps.tolist())
    assert schedule.timesteps[0] == 1
    expected = backbone.pipeline.scheduler.alphas_cumprod
    assert schedule.alphas_cumprod == tuple(float(expected[t]) for t in (0, *schedule.timesteps))


@pytest.mark.parametrize("steps", [1, 1001])
def test_the_backbone_refuses_step_counts_that_the_model_cannot_take(backbone: Backbone, steps: int) -> None:
    with pytest.raises(UsageError, match=rf"steps must lie in 2\.\.500, got {steps}"):
        backbone.schedule(steps)


def test_add_noise_is_that_of_diffusers(make_schedule: MakeSchedule, make_scheduler: MakeScheduler) -> None:
    scheduler: Any = make_scheduler(20)
    schedule = make_schedule(20)
    x_0, eps = _float64(1, 4, 6, 5), _float64(1, 4, 6, 5)
    for level in (1, 7, 20):
        expected = scheduler.add_noise(x_0, eps, torch.tensor([schedule.timestep(level)]))
        torch.testing.assert_close(schedule.add_noise(x_0, eps, level), expected, rtol=1e-11, atol=1e-11)


def test_predict_x0_undoes_add_noise(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(20)
    x_0, eps = _float64(1, 4, 6, 5), _float64(1, 4, 6, 5)
    for level in range(21):
        noisy = schedule.add_noise(x_0, eps, level)
        torch.testing.assert_close(schedule.predict_x0(noisy, eps, level), x_0, rtol=1e-10, atol=1e-10)


def test_a_step_back_with_the_same_noise_returns(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(10)
    x, eps = _float64(1, 4, 6, 5), _float64(1, 4, 6, 5)
    there = schedule.step(x, eps, 3, 9)
    assert not torch.allclose(there, x)
    torch.testing.assert_close(schedule.step(there, eps, 9, 3), x, rtol=1e-11, atol=1e-11)


def test_alpha_and_sigma_are_the_shares_of_photo_and_noise() -> None:
    assert SMALL.steps == 2
    assert [SMALL.alpha(k) for k in range(3)] == [math.sqrt(0.9), math.sqrt(0.5), math.sqrt(0.1)]
    for k in range(3):
        assert SMALL.alpha(k) ** 2 + SMALL.sigma(k) ** 2 == pytest.approx(1, abs=1e-15)


def test_from_training_takes_timesteps_in_any_order_and_the_clean_level_from_timestep_0() -> None:
    training = torch.tensor([0.99, 0.9, 0.7, 0.2])
    schedule = Schedule.from_training(training, [3, 1])
    assert schedule.timesteps == (1, 3)
    assert schedule.alphas_cumprod == pytest.approx((0.99, 0.9, 0.2))
    assert Schedule.from_training(training, [3, 1], clean=1.0).alphas_cumprod[0] == 1.0


@pytest.mark.parametrize(
    ("timesteps", "alphas", "message"),
    [
        ((), (1.0,), "a schedule needs at least one step"),
        ((1, 2), (0.9, 0.5), r"expected 3 values of alphas_cumprod \(levels 0\.\.N\), got 2"),
        ((2, 1), (0.9, 0.5, 0.1), "timesteps must ascend"),
        ((1, 1), (0.9, 0.5, 0.1), "timesteps must ascend"),
        ((1, 2), (0.9, 0.5, 0.5), "alphas_cumprod must descend from the photo to the noise"),
        ((1, 2), (0.1, 0.5, 0.9), "alphas_cumprod must descend from the photo to the noise"),
        ((1,), (1.1, 0.5), r"alphas_cumprod must lie in \(0, 1\]"),
        ((1,), (0.9, 0.0), r"alphas_cumprod must lie in \(0, 1\]"),
    ],
)
def test_levels_that_make_no_schedule_are_refused(
    timesteps: tuple[int, ...], alphas: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Schedule(timesteps, alphas)


@pytest.mark.parametrize("level", [-1, 0, 3])
def test_a_level_without_a_timestep_is_refused(level: int) -> None:
    with pytest.raises(IndexError, match=rf"^level {level} has no timestep: expected 1\.\.2$"):
        SMALL.timestep(level)
