from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import pytest
import torch
from torch import Tensor

from gaussian import GaussianModel, drawn, gain, told
from inversion import Conditioning, Guidance, InversionResult, Schedule, ddim, fixed_point, predict, replay
from inversion.denoiser import Denoiser
from inversion.fixed_point import Solver
from realedit.models.backbone import Backbone, Prompt

MakeSchedule = Callable[[int], Schedule]
SOLVERS: list[Solver] = ["anderson", "empirical", "renoise"]
MEAN = 0.4


def contraction(schedule: Schedule, level: int) -> float:
    """By how much one application of f brings every value nearer to its fixed point."""
    lift = schedule.alpha(level) / schedule.alpha(level - 1)
    slope = lift * gain(schedule, level, level - 1)  # of the step down, brought up again
    return 1 - slope


def misses(result: InversionResult, model: Denoiser, guidance: Guidance) -> list[float]:
    """||x_k - f(x_k)|| / ||x_k|| of every level: what the step down would miss, brought up again."""
    schedule, out = result.schedule, list[float]()
    with torch.no_grad():
        for k in range(1, schedule.steps + 1):
            x = result.trajectory[k]
            eps = predict(model, x, schedule.timestep(k), guidance)
            again = schedule.step(result.trajectory[k - 1], eps, k - 1, k)
            out.append(((x - again).norm() / x.norm()).item())
    return out


def test_the_trajectory_is_the_sampler_s_known_map_inverted(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(10)
    trajectory = fixed_point(GaussianModel(schedule), drawn(), told(MEAN, 0.0, 1.0), schedule).trajectory
    for k in range(1, 11):
        below = trajectory[k - 1] - schedule.alpha(k - 1) * MEAN
        exact = schedule.alpha(k) * MEAN + below / gain(schedule, k, k - 1)
        torch.testing.assert_close(trajectory[k], exact, rtol=1e-9, atol=1e-9)


def test_anderson_solves_a_uniform_contraction_with_one_iteration(make_schedule: MakeSchedule) -> None:
    # two residuals along one direction cancel entirely
    schedule = make_schedule(10)
    guidance, x_0 = told(MEAN, 0.0, 1.0), drawn()
    one = fixed_point(GaussianModel(schedule), x_0, guidance, schedule, iterations=1)
    assert max(misses(one, GaussianModel(schedule), guidance)) < 1e-5
    plain = fixed_point(GaussianModel(schedule), x_0, guidance, schedule, iterations=0)
    assert max(misses(plain, GaussianModel(schedule), guidance)) > 1e-2


@pytest.mark.parametrize("iterations", [0, 1, 2, 5])
@pytest.mark.parametrize("solver", ["empirical", "renoise"])
def test_a_step_errs_as_the_solver_s_recurrence_says(
    solver: Literal["empirical", "renoise"], iterations: int, make_schedule: MakeSchedule
) -> None:
    schedule = make_schedule(4)
    rate = contraction(schedule, 2)
    assert 0.1 < rate < 1
    errors, applied = [1.0], list[float]()
    for n in range(iterations + 1):
        applied.append(rate * errors[-1])
        mixed = solver == "empirical" or n == iterations
        errors.append(sum(applied[-2:]) / len(applied[-2:]) if mixed else applied[-1])
    model, guidance = GaussianModel(schedule), told(MEAN, 0.0, 1.0)
    _, start, reached, *_ = fixed_point(
        model, drawn(), guidance, schedule, iterations=iterations, solver=solver
    ).trajectory
    below = start - schedule.alpha(1) * MEAN
    exact = schedule.alpha(2) * MEAN + below / gain(schedule, 2, 1)
    torch.testing.assert_close(reached, exact + errors[-1] * (start - exact), rtol=1e-10, atol=1e-10)


def test_renoise_steps_by_the_mean_of_the_last_predictions(make_schedule: MakeSchedule) -> None:
    schedule, x_0 = make_schedule(4), drawn()
    model, guidance = GaussianModel(schedule), told(MEAN, 0.0, 1.0)
    first = predict(model, x_0, schedule.timestep(1), guidance)
    second = predict(model, schedule.step(x_0, first, 0, 1), schedule.timestep(1), guidance)
    expected = schedule.step(x_0, (first + second) / 2, 0, 1)
    result = fixed_point(model, x_0, guidance, schedule, iterations=1, solver="renoise")
    torch.testing.assert_close(result.trajectory[1], expected, rtol=1e-12, atol=1e-12)


def test_anderson_is_nearest_where_channels_contract_at_rates_of_their_own(
    make_schedule: MakeSchedule,
) -> None:
    schedule, guidance, x_0 = make_schedule(10), told(MEAN, 0.0, 1.0), drawn()
    model = GaussianModel(schedule, torch.tensor([0.1, 0.4, 0.7, 1.5], dtype=torch.float64).view(4, 1, 1))
    worst = {
        solver: max(misses(fixed_point(model, x_0, guidance, schedule, solver=solver), model, guidance))
        for solver in SOLVERS
    }
    assert worst["anderson"] < worst["renoise"] / 5 < worst["empirical"] / 5


def test_the_empirical_solver_tames_an_f_that_overshoots() -> None:
    # f' = -1.2: applied alone it runs away from the fixed point, its mean with the one before nears it
    schedule = Schedule((1,), (0.9, 0.2))
    slope = schedule.sigma(1) - schedule.alpha(1) / schedule.alpha(0) * schedule.sigma(0)

    def turned(x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        return (-1.2 / slope) * (x_t - 1)

    guidance, x_0 = told(MEAN, 0.0, 1.0), drawn()
    misses_by = {
        solver: [
            misses(
                fixed_point(turned, x_0, guidance, schedule, iterations=n, solver=solver), turned, guidance
            )[0]
            for n in (4, 20)
        ]
        for solver in SOLVERS
    }
    assert misses_by["empirical"][1] < misses_by["empirical"][0] / 10
    assert misses_by["renoise"][1] > misses_by["renoise"][0]
    assert max(misses_by["anderson"]) < 1e-6


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_iteration_is_ddim(solver: Solver, make_schedule: MakeSchedule) -> None:
    schedule, guidance, x_0 = make_schedule(6), told(MEAN, -0.2, 3.0), drawn()
    model = GaussianModel(schedule)
    plain = ddim(model, x_0, guidance, schedule, inversion_scale=2.0)
    none = fixed_point(model, x_0, guidance, schedule, inversion_scale=2.0, iterations=0, solver=solver)
    assert torch.equal(none.trajectory, plain.trajectory)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("iterations", [0, 3])
def test_every_iteration_is_one_evaluation(
    solver: Solver, iterations: int, make_schedule: MakeSchedule
) -> None:
    schedule = make_schedule(6)
    model = GaussianModel(schedule)
    fixed_point(model, drawn(), told(MEAN, 0.0, 1.0), schedule, iterations=iterations, solver=solver)
    assert model.evaluations == 6 * (iterations + 1)


def test_a_start_that_is_the_fixed_point_already_stays() -> None:
    schedule = Schedule((1,), (0.9, 0.2))
    x_0 = torch.zeros(1, 4, 2, 2)

    def same(x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        return x_t

    result = fixed_point(same, x_0, told(0.0, 0.0, 1.0), schedule)
    assert torch.equal(result.trajectory, torch.zeros(2, 1, 4, 2, 2))


def test_options_out_of_range_are_refused(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(4)
    model, guidance, x_0 = GaussianModel(schedule), told(MEAN, 0.0, 1.0), drawn()
    with pytest.raises(ValueError, match=r"^iterations must not be negative, got -1$"):
        fixed_point(model, x_0, guidance, schedule, iterations=-1)
    with pytest.raises(
        ValueError, match=r"^no solver 'newton': expected one of anderson, empirical, renoise$"
    ):
        fixed_point(model, x_0, guidance, schedule, solver="newton")  # pyright: ignore[reportArgumentType]


def test_an_iteration_that_diverges_is_named() -> None:
    schedule = Schedule((1,), (0.9, 0.2))

    def leaping(x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        return -1e9 * x_t

    with pytest.raises(FloatingPointError, match=r"^the model's noise prediction at t = 1 is not finite$"):
        fixed_point(leaping, drawn(), told(0.0, 0.0, 1.0), schedule, iterations=60, solver="renoise")


@pytest.mark.parametrize("solver", SOLVERS)
def test_on_the_real_model_the_residual_falls_with_every_iteration(
    solver: Solver, backbone: Backbone, prompt: Prompt, latent: Tensor
) -> None:
    guidance, schedule = Guidance(prompt.conditioning, prompt.null, 1.0), backbone.schedule(5)
    means = []
    for n in range(4):
        result = fixed_point(backbone, latent, guidance, schedule, iterations=n, solver=solver)
        found = misses(result, backbone, guidance)
        means.append(sum(found) / len(found))
    assert all(after < before for before, after in pairwise(means)), means
    assert means[-1] < means[0] / (3 if solver == "empirical" else 4), means


def test_on_the_real_model_it_replays_clearly_better_than_ddim(
    backbone: Backbone, prompt: Prompt, latent: Tensor
) -> None:
    guidance, schedule = Guidance(prompt.conditioning, prompt.null, 1.0), backbone.schedule(10)
    error = {
        method: (replay(backbone, method(backbone, latent, guidance, schedule), guidance) - latent)
        .square()
        .mean()
        .item()
        for method in (ddim, fixed_point)
    }
    assert error[fixed_point] < error[ddim] / 100  # 20 dB


def test_no_gradient_is_kept(backbone: Backbone, prompt: Prompt, latent: Tensor) -> None:
    weight = backbone.unet.conv_in.weight
    try:
        weight.requires_grad_()
        x_0 = latent[..., :16, :24].clone().requires_grad_()
        guidance = Guidance(prompt.conditioning, prompt.null, 1.0)
        result = fixed_point(backbone, x_0, guidance, backbone.schedule(2), iterations=2)
        assert not result.trajectory.requires_grad
    finally:
        weight.requires_grad_(False)
