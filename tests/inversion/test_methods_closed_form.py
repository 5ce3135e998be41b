"""The methods on a model that is known exactly: see `gaussian`."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gaussian import GaussianModel, drawn, gain, told, variance
from inversion import METHODS, Conditioning, InversionResult, Schedule, invert, null_text, replay

MakeSchedule = Callable[[int], Schedule]


@pytest.mark.parametrize("steps", [2, 10, 50])
def test_the_replay_is_the_known_linear_map(steps: int, make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(steps)
    guidance = told(0.4, 0.0, 1.0)
    result = invert("ddim", GaussianModel(schedule), drawn(), guidance, schedule=schedule)
    whole = math.prod(gain(schedule, level, level - 1) for level in range(1, steps + 1))
    start = result.trajectory[-1] - schedule.alpha(steps) * 0.4
    expected = schedule.alpha(0) * 0.4 + whole * start
    torch.testing.assert_close(
        replay(GaussianModel(schedule), result, guidance), expected, rtol=1e-9, atol=1e-9
    )


def test_every_state_of_the_trajectory_is_the_known_linear_map_of_the_one_before(
    make_schedule: MakeSchedule,
) -> None:
    schedule = make_schedule(10)
    trajectory = invert(
        "ddim", GaussianModel(schedule), drawn(), told(0.4, 0.0, 1.0), schedule=schedule
    ).trajectory
    for k in range(10):
        up = schedule.sigma(k + 1) / variance(schedule, k + 1)
        ratio = schedule.alpha(k + 1) / schedule.alpha(k)
        scale = ratio * (1 - schedule.sigma(k) * up) + schedule.sigma(k + 1) * up
        pull = (ratio * schedule.sigma(k) - schedule.sigma(k + 1)) * up * schedule.alpha(k + 1) * 0.4
        torch.testing.assert_close(trajectory[k + 1], scale * trajectory[k] + pull, rtol=1e-9, atol=1e-9)


def test_with_more_steps_the_trajectory_nears_the_flows_own_endpoint(make_schedule: MakeSchedule) -> None:
    x_0 = drawn()
    errors = []
    for steps in (10, 100, 500):
        schedule = make_schedule(steps)
        guidance = told(0.4, 0.0, 1.0)
        end = invert("ddim", GaussianModel(schedule), x_0, guidance, schedule=schedule).trajectory[-1]
        flow = math.sqrt(variance(schedule, steps) / variance(schedule, 0))
        exact = schedule.alpha(steps) * 0.4 + flow * (x_0 - schedule.alpha(0) * 0.4)
        errors.append((end - exact).abs().max().item())
    assert errors[1] < errors[0] / 4
    assert errors[2] < errors[1] / 2
    assert errors[2] < 0.02


def test_the_noise_of_a_state_rebuilds_it(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(10)
    result = invert("ddim", GaussianModel(schedule), drawn(), told(0.4, 0, 1), schedule=schedule)
    for level in (1, 5, 10):
        rebuilt = schedule.add_noise(result.x_0, result.noise(level), level)
        torch.testing.assert_close(rebuilt, result.trajectory[level], rtol=1e-10, atol=1e-10)


def _miss(
    method: Callable[..., InversionResult], scale: float, schedule: Schedule, **options: float
) -> float:
    model, guidance = GaussianModel(schedule), told(0.4, -0.3, scale)
    x_0 = torch.linspace(-1, 1, 4, dtype=torch.float64).view(1, 4, 1, 1).expand(1, 4, 2, 3)
    result = method(model, x_0, guidance, schedule, **options)
    return (replay(model, result, guidance) - x_0).abs().max().item()


@pytest.mark.parametrize("scale", [3.0, 7.5])
def test_null_text_finds_the_embedding_that_lands_where_it_exists(
    scale: float, make_schedule: MakeSchedule
) -> None:
    # a latent that is constant per channel can be met exactly: the embedding moves every channel on its own
    schedule = make_schedule(10)
    found = _miss(null_text, scale, schedule, inner_steps=200, learning_rate=5e-2, tolerance=1e-9)
    assert found < 0.05
    assert found < _miss(METHODS["ddim"], scale, schedule) / 20


@pytest.mark.parametrize("method", ["direct", "ddpm"])
@pytest.mark.parametrize("scale", [-2.0, 0.0, 1.0, 3.5, 30.0])
def test_what_stores_offsets_replays_exactly_at_any_scale(
    method: str, scale: float, make_schedule: MakeSchedule
) -> None:
    assert _miss(METHODS[method], scale, make_schedule(10)) < 1e-12


def test_fixed_point_replays_at_the_scale_of_its_way_up(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(10)
    for scale in (1.0, 3.5):
        exact = _miss(METHODS["fixed_point"], scale, schedule, inversion_scale=scale)
        assert exact < 1e-9 < 1e-3 < _miss(METHODS["ddim"], scale, schedule, inversion_scale=scale)
    assert _miss(METHODS["fixed_point"], 3.5, schedule) > 1e-3


def test_negative_prompt_replays_at_any_scale_as_ddim_does_at_1(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(10)
    plain = _miss(METHODS["ddim"], 1.0, schedule)
    assert _miss(METHODS["negative_prompt"], 7.5, schedule) == pytest.approx(plain, rel=1e-9)
    assert _miss(METHODS["ddim"], 7.5, schedule) > 2 * plain


def test_the_inversion_scale_guides_the_way_up(make_schedule: MakeSchedule) -> None:
    schedule, x_0 = make_schedule(5), drawn()
    model = GaussianModel(schedule)
    # eps is affine in the mean, so guidance at scale g is the model of the extrapolated mean
    up = invert("ddim", model, x_0, told(0.4, -0.2, 1.0), schedule=schedule, inversion_scale=3.0)
    extrapolated = invert("ddim", model, x_0, told(-0.2 + 3 * 0.6, 0.0, 1.0), schedule=schedule)
    torch.testing.assert_close(up.trajectory, extrapolated.trajectory, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("stage", ["invert", "replay"])
def test_the_callback_counts_every_step_to_the_end(
    method: str, stage: str, make_schedule: MakeSchedule
) -> None:
    schedule, calls = make_schedule(4), list[tuple[int, int]]()
    model, guidance = GaussianModel(schedule), told(0.4, 0.0, 3.0)

    def note(done: int, total: int) -> None:
        calls.append((done, total))

    result = invert(
        method, model, drawn(), guidance, schedule=schedule, callback=note if stage == "invert" else None
    )
    if stage == "replay":
        replay(model, result, guidance, note)
    total = 8 if stage == "invert" and method in ("direct", "null_text") else 4
    assert calls == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize("method", list(METHODS))
def test_a_batch_is_inverted_item_by_item(method: str, make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(4)
    model, guidance, x_0 = GaussianModel(schedule), told(0.4, 0.0, 3.0), drawn(batch=2)
    together = invert(method, model, x_0, guidance, schedule=schedule)
    replayed = replay(model, together, guidance)
    for i in range(2):
        alone = invert(method, model, x_0[i : i + 1], guidance, schedule=schedule)
        torch.testing.assert_close(together.trajectory[:, i : i + 1], alone.trajectory)
        if method != "null_text":  # whose loss is a mean over the batch
            torch.testing.assert_close(replayed[i : i + 1], replay(model, alone, guidance))
    assert replayed.shape == x_0.shape


def test_what_each_method_stores(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(4)
    model, guidance, x_0 = GaussianModel(schedule), told(0.4, 0.0, 3.0), drawn(batch=2)
    stored = {m: invert(m, model, x_0, guidance, schedule=schedule) for m in METHODS}
    trajectory, null = (5, 2, 4, 3, 5), (4, 2, 1, 4)
    shapes = {m: {n: tuple(t.shape) for n, t in result.tensors().items()} for m, result in stored.items()}
    assert shapes == {
        "ddim": {"trajectory": trajectory},
        "null_text": {"trajectory": trajectory, "null_embeddings": null},
        "negative_prompt": {"trajectory": trajectory, "null_embeddings": null},
        "direct": {"trajectory": trajectory, "offsets": (4, 2, 4, 3, 5)},
        "fixed_point": {"trajectory": trajectory},
        "ddpm": {"trajectory": trajectory, "offsets": (4, 2, 4, 3, 5), "eta": ()},
        "noised": {"trajectory": trajectory},
    }
    for method, result in stored.items():
        assert (result.method, result.guidance_scale, result.schedule) == (method, 3.0, schedule)
        assert torch.equal(result.x_0, x_0)
        assert not any(t.requires_grad for t in result.tensors().values())
    distinct = stored["null_text"].null_embeddings
    assert distinct is not None
    assert len({round(float(level.mean()), 9) for level in distinct}) == 4


def test_null_text_slows_down_as_published(make_schedule: MakeSchedule) -> None:
    # Adam's first step is the learning rate times the gradient's sign, so one inner step shows the rate
    schedule = make_schedule(10)
    guidance = told(0.4, -0.3, 5.0)
    result = null_text(
        GaussianModel(schedule),
        drawn(),
        guidance,
        schedule,
        inner_steps=1,
        learning_rate=0.02,
        tolerance=-1,
        from_prompt=False,
    )
    assert result.null_embeddings is not None
    previous = guidance.null.embedding
    for i, level in enumerate(range(10, 0, -1)):
        embedding = result.null_embeddings[level - 1]
        rate = torch.full_like(embedding, 0.02 * (1 - i / 100))
        torch.testing.assert_close((embedding - previous).abs(), rate, rtol=1e-4, atol=0)
        previous = embedding


def test_null_text_stops_where_the_step_lands_already(make_schedule: MakeSchedule) -> None:
    schedule, guidance = make_schedule(10), told(0.4, -0.3, 5.0)
    model = GaussianModel(schedule)
    result = null_text(model, drawn(), guidance, schedule, tolerance=1e6, from_prompt=False)
    assert result.null_embeddings is not None
    assert torch.equal(result.null_embeddings, guidance.null.embedding.expand(10, 1, 1, 4))


@pytest.mark.parametrize("rate", [1e-3, 1e-1, 10.0])
def test_null_text_replays_no_worse_than_the_prompt_it_may_start_from(
    rate: float, make_schedule: MakeSchedule
) -> None:
    schedule = make_schedule(10)
    bound = _miss(METHODS["negative_prompt"], 5.0, schedule)
    assert _miss(null_text, 5.0, schedule, learning_rate=rate) < bound
    assert _miss(null_text, 5.0, schedule, learning_rate=1e-3, from_prompt=False) > bound


def test_null_text_refuses_scale_1(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(4)
    with pytest.raises(
        ValueError,
        match=r"^null-text inversion needs a guidance scale other than 1: at 1 the null branch has no",
    ):
        null_text(GaussianModel(schedule), drawn(), told(0.4, 0.0, 1.0), schedule)


def test_null_text_names_a_model_that_diverges(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(4)
    exact = GaussianModel(schedule)

    def breaks_without_text(x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        return exact(x_t, t, conditioning) / (conditioning.embedding.mean() > 0.1)

    with pytest.raises(FloatingPointError, match=r"^null-text inversion diverged at t = 751$"):
        null_text(breaks_without_text, drawn(), told(0.4, 0.0, 3.0), schedule)


def test_an_unknown_method_is_refused_with_the_known_ones(make_schedule: MakeSchedule) -> None:
    schedule = make_schedule(4)
    with pytest.raises(
        ValueError,
        match=r"^no inversion method 'ddmi': expected one of ddim, null_text, negative_prompt, direct, "
        r"fixed_point, ddpm, noised$",
    ):
        invert("ddmi", GaussianModel(schedule), drawn(), told(0.4, 0.0, 1.0), schedule=schedule)
