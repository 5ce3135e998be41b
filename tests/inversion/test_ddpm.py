"""Edit-friendly noise maps: exact replay, and the statistics that their authors report (arXiv 2304.06140)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor

from gaussian import SPREAD, GaussianModel, drawn, told, variance
from inversion import Guidance, InversionResult, Schedule, ddpm, direct, predict, replay
from realedit.models.backbone import Backbone, Prompt

MakeSchedule = Callable[[int], Schedule]
MakeScheduler = Callable[[int], DDIMScheduler]
Model = Backbone | GaussianModel
MEAN = 0.4


def maps(result: InversionResult) -> Tensor:
    """z of levels 1..N, ``[N, B, C, h, w]``."""
    assert result.offsets is not None
    levels = range(1, result.schedule.steps + 1)
    return torch.stack([result.offsets[k - 1] / result.schedule.deviation(k, k - 1) for k in levels])


def native_maps(model: Model, x_0: Tensor, guidance: Guidance, schedule: Schedule) -> Tensor:
    """z of a photo that was noised step by step, as the model's own noising process does."""
    states = [x_0]
    for k in range(1, schedule.steps + 1):
        kept = schedule.alpha(k) / schedule.alpha(k - 1)
        added = math.sqrt(1 - schedule.alphas_cumprod[k] / schedule.alphas_cumprod[k - 1])
        states.append(kept * states[-1] + added * torch.randn_like(x_0))
    found = []
    for k in range(1, schedule.steps + 1):
        eps = predict(model, states[k], schedule.timestep(k), guidance)
        mean = schedule.step(states[k], eps, k, k - 1, eta=1.0)
        found.append((states[k - 1] - mean) / schedule.deviation(k, k - 1))
    return torch.stack(found)


def correlation(a: Tensor, b: Tensor) -> float:
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1].item()


def test_the_states_are_the_photo_under_independent_white_noise(make_schedule: MakeSchedule) -> None:
    schedule, x_0 = make_schedule(6), drawn(h=48, w=64)
    result = ddpm(GaussianModel(schedule), x_0, told(MEAN, 0.0, 1.0), schedule)
    noise = [result.noise(k) for k in range(1, 7)]
    for k, eps in enumerate(noise):
        assert eps.mean().item() == pytest.approx(0, abs=0.04)
        assert eps.std().item() == pytest.approx(1, abs=0.03)
        assert abs(correlation(eps, x_0)) < 0.04
        assert all(abs(correlation(eps, other)) < 0.04 for other in noise[:k])


def test_the_offset_is_what_a_step_misses(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(6)
    model, guidance = GaussianModel(schedule), told(MEAN, -0.2, 3.5)
    result = ddpm(model, drawn(), guidance, schedule)
    assert result.offsets is not None
    for k in range(1, 7):
        x, (a, b) = result.trajectory[k], schedule.alphas_cumprod[k - 1 : k + 1]
        x_0 = schedule.predict_x0(x, predict(model, x, schedule.timestep(k), guidance), k)
        # Ho et al. 2020, eq. 7, with alpha_t = b / a and beta_t = 1 - alpha_t
        mean = math.sqrt(a) * (1 - b / a) / (1 - b) * x_0 + math.sqrt(b / a) * (1 - a) / (1 - b) * x
        expected = result.trajectory[k - 1] - mean
        torch.testing.assert_close(result.offsets[k - 1], expected, rtol=1e-10, atol=1e-10)


def test_diffusers_sampler_draws_the_photo_from_the_maps(
    make_schedule: MakeSchedule, make_scheduler: MakeScheduler
) -> None:
    schedule, scheduler = make_schedule(10), make_scheduler(10)
    model, guidance, x_0 = GaussianModel(schedule), told(MEAN, -0.2, 3.5), drawn()
    result = ddpm(model, x_0, guidance, schedule)
    x, z = result.trajectory[-1], maps(result)
    for k, t in zip(range(10, 0, -1), scheduler.timesteps.tolist(), strict=True):
        eps = predict(model, x, t, guidance)
        x = scheduler.step(eps, t, x, eta=1.0, variance_noise=z[k - 1], return_dict=False)[0]
    torch.testing.assert_close(x, x_0, rtol=1e-10, atol=1e-10)


def test_the_maps_variance_is_the_known_one_and_above_the_native_noise_s(
    make_schedule: MakeSchedule,
) -> None:
    schedule, x_0 = make_schedule(10), drawn(h=96, w=96)
    model, guidance = GaussianModel(schedule), told(MEAN, 0.0, 1.0)
    z, native = maps(ddpm(model, x_0, guidance, schedule)), native_maps(model, x_0, guidance, schedule)
    for k in range(2, 11):
        a, b = schedule.alphas_cumprod[k - 1 : k + 1]
        # the mean is p x_0hat + q x_t, and x_0 - x_0hat is (1 - c alpha_t) (x_0 - m) - c sigma_t eps
        p, q = math.sqrt(a) * (1 - b / a) / (1 - b), math.sqrt(b / a) * (1 - a) / (1 - b)
        c = schedule.alpha(k) * SPREAD**2 / variance(schedule, k)
        unknown = SPREAD**2 * schedule.sigma(k) ** 2 / variance(schedule, k)  # of x_0, given x_t
        spread = schedule.deviation(k, k - 1) ** 2
        expected = (p * (1 - c * schedule.alpha(k)) * SPREAD) ** 2 + 1 - a
        expected = (expected + ((q + p * c) * schedule.sigma(k)) ** 2) / spread
        assert z[k - 1].var().item() == pytest.approx(expected, rel=0.04)
        assert native[k - 1].var().item() == pytest.approx(1 + p**2 * unknown / spread, rel=0.04)
        # at level 2 a single step spans most of the photo's detail, and both are the model's own uncertainty
        assert z[k - 1].var() > (1.7 if k > 2 else 1) * native[k - 1].var()


def test_neighbouring_maps_are_negatively_correlated_unlike_native_noise(make_schedule: MakeSchedule) -> None:
    schedule, x_0 = make_schedule(20), drawn(h=48, w=64)
    model, guidance = GaussianModel(schedule), told(MEAN, 0.0, 1.0)
    z, native = maps(ddpm(model, x_0, guidance, schedule)), native_maps(model, x_0, guidance, schedule)
    for k in range(1, 19):
        assert correlation(z[k], z[k + 1]) < -0.15
        assert abs(correlation(native[k], native[k + 1])) < 0.1


def test_on_the_real_model_the_maps_are_larger_than_native_noise_and_negatively_correlated(
    backbone: Backbone, prompt: Prompt, latent: Tensor
) -> None:
    guidance, schedule = Guidance(prompt.conditioning, prompt.null, 1.0), backbone.schedule(20)
    z = maps(ddpm(backbone, latent, guidance, schedule))
    with torch.no_grad():
        native = native_maps(backbone, latent, guidance, schedule)
    middle = slice(3, 17)
    assert (z[middle].var((1, 2, 3, 4)) > 1.5 * native[middle].var((1, 2, 3, 4))).all()
    assert native[middle].var().item() == pytest.approx(1, abs=0.15)
    neighbours = [correlation(z[k], z[k + 1]) for k in range(3, 16)]
    assert max(neighbours) < -0.2


@pytest.mark.parametrize("scale", [1.0, 3.5])
def test_it_replays_the_photo_to_rounding(
    backbone: Backbone, prompt: Prompt, latent: Tensor, scale: float
) -> None:
    guidance = Guidance(prompt.conditioning, prompt.null, scale)
    before = backbone.evaluations
    result = ddpm(backbone, latent, guidance, backbone.schedule(5))
    assert backbone.evaluations - before == (5 if scale == 1 else 10)
    assert (replay(backbone, result, guidance) - latent).abs().max() < 1e-5 * latent.abs().max()
    # the maps belong to DDPM's steps alone
    as_ddim = replay(backbone, replace(result, eta=0.0), guidance)
    assert (as_ddim - latent).abs().max() > 0.5 * latent.abs().max()


def test_it_survives_as_tensors_with_its_kind_of_step(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(4)
    model, guidance, x_0 = GaussianModel(schedule), told(MEAN, 0.0, 3.5), drawn()
    result = ddpm(model, x_0, guidance, schedule)
    again = InversionResult.from_tensors("ddpm", schedule, 3.5, result.tensors())
    assert again.eta == 1.0
    assert torch.equal(replay(model, again, guidance), replay(model, result, guidance))
    torch.testing.assert_close(replay(model, again, guidance), x_0)


def test_files_from_before_there_were_noisy_steps_are_read_as_ddim_s(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(4)
    model, guidance = GaussianModel(schedule), told(MEAN, 0.0, 3.5)
    result = direct(model, drawn(), guidance, schedule)
    assert "eta" not in result.tensors()
    assert InversionResult.from_tensors("direct", schedule, 3.5, result.tensors()).eta == 0.0


def test_the_noise_is_the_seed_s_alone(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(4)
    model, guidance, x_0 = GaussianModel(schedule), told(MEAN, 0.0, 1.0), drawn()
    state = torch.get_rng_state()
    first, second = (ddpm(model, x_0, guidance, schedule).trajectory for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)
    other = ddpm(model, x_0, guidance, schedule, seed=7)
    assert torch.equal(other.trajectory[0], x_0)
    assert (other.trajectory[1:] != first[1:]).float().mean() > 0.99
    torch.testing.assert_close(replay(model, other, guidance), x_0)


def test_no_gradient_is_kept(backbone: Backbone, prompt: Prompt, latent: Tensor) -> None:
    weight = backbone.unet.conv_in.weight
    try:
        weight.requires_grad_()
        x_0 = latent[..., :16, :24].clone().requires_grad_()
        result = ddpm(backbone, x_0, Guidance(prompt.conditioning, prompt.null, 1.0), backbone.schedule(2))
        assert not any(tensor.requires_grad for tensor in result.tensors().values())
    finally:
        weight.requires_grad_(False)
