from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor

from guidance import (
    Capture,
    Centroid,
    LayerSelection,
    Observation,
    Shape,
    State,
    Term,
    Ties,
    Transform,
    Window,
    self_guided_sample,
)
from inversion import Conditioning, Guidance, Schedule, invert, replay
from realedit.models.backbone import Backbone, Prompt

STEPS = 6
Scheduler = Callable[[int], DDIMScheduler]


@pytest.fixture
def capture(backbone: Backbone) -> Iterator[Capture]:
    up = LayerSelection(("up",))
    with Capture(backbone.unet, attention=up, features=up, memory=up) as injected:
        yield injected


@pytest.fixture
def schedule(make_schedule: Callable[[int], Schedule]) -> Schedule:
    return make_schedule(STEPS)


@pytest.fixture
def noisy(latent: Tensor, schedule: Schedule) -> Tensor:
    """The photo under known noise at level 4."""
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(1))
    return schedule.add_noise(latent, noise, 4)


def _references(
    backbone: Backbone, capture: Capture, schedule: Schedule, latent: Tensor, prompt: Prompt
) -> dict[int, Observation]:
    """What the model sees of the photo at each level."""
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(1))
    found = {}
    with torch.no_grad():
        for level in range(1, 5):
            with capture.record((32, 48), tokens=prompt.tokens, partial=True) as seen:
                backbone(
                    schedule.add_noise(latent, noise, level), schedule.timestep(level), prompt.conditioning
                )
            found[level] = seen
    return found


def _guidance(prompt: Prompt, scale: float = 2.0) -> Guidance:
    return Guidance(prompt.conditioning, prompt.null, scale)


@pytest.mark.parametrize("method", ["null_text", "negative_prompt"])
def test_with_the_replay_s_null_text_and_no_edit_it_is_the_replay(
    backbone: Backbone, capture: Capture, schedule: Schedule, latent: Tensor, prompt: Prompt, method: str
) -> None:
    plain = _guidance(prompt)
    result = invert(method, backbone, latent, plain, schedule=schedule)
    ties = Ties(null=lambda level: result.null(prompt.null, level))
    found, _ = self_guided_sample(
        backbone, capture, schedule, result.trajectory[-1], guidance=plain, ties=ties
    )
    torch.testing.assert_close(found, replay(backbone, result, plain), rtol=1e-3, atol=1e-4)
    without, _ = self_guided_sample(backbone, capture, schedule, result.trajectory[-1], guidance=plain)
    assert (without - found).abs().max() > 0.05


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_without_terms_it_is_diffusers_ddim_step_by_step(
    backbone: Backbone,
    capture: Capture,
    schedule: Schedule,
    make_scheduler: Scheduler,
    prompt: Prompt,
    scale: float,
) -> None:
    scheduler = make_scheduler(STEPS)
    start = torch.randn(1, 4, 32, 48, generator=torch.Generator().manual_seed(2))
    states = []
    keep = Ties(constrain=lambda x_0, _: states.append(x_0) or x_0)
    out, trace = self_guided_sample(
        backbone, capture, schedule, start, guidance=_guidance(prompt, scale), ties=keep
    )
    x, expected = start, []
    with torch.no_grad():
        for t in scheduler.timesteps.tolist():
            text, null = (backbone(x, t, c) for c in (prompt.conditioning, prompt.null))
            step: Any = scheduler.step(null + scale * (text - null), t, x)
            expected.append(step["pred_original_sample"])
            x = step["prev_sample"]
    assert len(states) == STEPS
    for ours, theirs in zip(states, expected, strict=True):
        torch.testing.assert_close(
            ours.double(), theirs.double(), rtol=0, atol=1e-4 * theirs.abs().max().item()
        )
    torch.testing.assert_close(out.double(), x.double(), rtol=0, atol=1e-4 * x.abs().max().item())
    assert trace.energies == []


def test_strength_zero_is_no_guidance_to_the_bit(
    backbone: Backbone, capture: Capture, schedule: Schedule, noisy: Tensor, prompt: Prompt
) -> None:
    term = Term(lambda state: state.x_t.square().sum())
    plain, _ = self_guided_sample(backbone, capture, schedule, noisy, guidance=_guidance(prompt), start=4)
    off, trace = self_guided_sample(
        backbone, capture, schedule, noisy, guidance=_guidance(prompt), terms=[term], start=4, strength=0
    )
    weightless, _ = self_guided_sample(
        backbone,
        capture,
        schedule,
        noisy,
        guidance=_guidance(prompt),
        terms=[Term(term.energy, weight=0)],
        start=4,
    )
    assert torch.equal(plain, off)
    assert torch.equal(plain, weightless)
    assert trace.energies == []


@pytest.mark.parametrize("energy", [Shape, Centroid])
def test_guidance_lowers_the_energy_that_it_descends(
    backbone: Backbone,
    capture: Capture,
    schedule: Schedule,
    latent: Tensor,
    noisy: Tensor,
    prompt: Prompt,
    energy: type[Shape] | type[Centroid],
) -> None:
    references = _references(backbone, capture, schedule, latent, prompt)
    tokens = tuple(backbone.tokens(prompt.text, "mug"))
    term = Term(energy(tokens, Transform(dx=0.15)), window=Window())
    ties = Ties(reference=references.get)
    last = []
    for strength in (1e-9, 0.3):
        _, trace = self_guided_sample(
            backbone,
            capture,
            schedule,
            noisy,
            guidance=_guidance(prompt),
            terms=[term],
            start=4,
            strength=strength,
            ties=ties,
        )
        assert trace.levels == [4, 3, 2, 1]
        last.append(trace.energies[-1])
    unguided, guided = last
    assert guided < 0.9 * unguided


def test_everything_outside_the_region_stays_the_sources(
    backbone: Backbone, capture: Capture, schedule: Schedule, latent: Tensor, noisy: Tensor, prompt: Prompt
) -> None:
    region = torch.zeros(1, 1, 32, 48)
    region[..., 8:20, 10:30] = 1
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(1))
    ties = Ties(region, lambda level: schedule.add_noise(latent, noise, level) if level else latent)
    out, _ = self_guided_sample(
        backbone, capture, schedule, noisy, guidance=_guidance(prompt, 4.0), start=4, ties=ties
    )
    outside = (region == 0).expand_as(latent)
    assert torch.equal(out[outside], latent[outside])
    assert (out - latent)[~outside].abs().max() > 0.05


def test_hold_is_the_identity_without_a_region(noisy: Tensor) -> None:
    assert Ties().hold(noisy, 4) is noisy


@pytest.mark.parametrize(("window", "levels"), [(Window(0.0, 0.5), [4, 3]), (Window(0.5, 1.0), [2, 1])])
def test_a_term_acts_inside_its_window_alone(
    backbone: Backbone,
    capture: Capture,
    schedule: Schedule,
    noisy: Tensor,
    prompt: Prompt,
    window: Window,
    levels: list[int],
) -> None:
    steps = []
    _, trace = self_guided_sample(
        backbone,
        capture,
        schedule,
        noisy,
        guidance=_guidance(prompt),
        terms=[Term(_brightness, window=window)],
        start=4,
        callback=lambda done, total: steps.append((done, total)),
    )
    assert trace.levels == levels
    assert len(trace.energies) == len(levels)
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def _brightness(state: State) -> Tensor:
    return state.x_t.square().mean()


def test_a_term_that_asks_for_it_gets_the_predicted_latent(
    backbone: Backbone, capture: Capture, schedule: Schedule, noisy: Tensor, prompt: Prompt
) -> None:
    def distance(state: State) -> Tensor:
        assert state.x_0 is not None
        return (state.x_0 - 1).square().mean()

    plain, _ = self_guided_sample(backbone, capture, schedule, noisy, guidance=_guidance(prompt), start=4)
    term = Term(distance, window=Window(), needs_x_0=True)
    pulled, _ = self_guided_sample(
        backbone, capture, schedule, noisy, guidance=_guidance(prompt), terms=[term], start=4
    )
    assert (pulled - 1).square().mean() < 0.9 * (plain - 1).square().mean()


def test_an_energy_that_is_not_finite_stops_the_sampling(
    backbone: Backbone, capture: Capture, schedule: Schedule, noisy: Tensor, prompt: Prompt
) -> None:
    broken = Term(lambda state: state.x_t.sum() * float("nan"))
    with pytest.raises(FloatingPointError, match="energy at level 4 is not finite: <lambda> is nan"):
        self_guided_sample(
            backbone, capture, schedule, noisy, guidance=_guidance(prompt), terms=[broken], start=4
        )


def test_a_cell_is_what_it_begins_with_above_its_start_and_free_below(
    backbone: Backbone, capture: Capture, schedule: Schedule, latent: Tensor, prompt: Prompt
) -> None:
    """The left from the top, the right from level 3; the outer rows are the source's throughout."""
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(3))
    anchor = latent.flip(-1)
    starts = torch.full((1, 1, 32, 48), 3.0)
    starts[..., :24] = STEPS
    region = torch.zeros(1, 1, 32, 48)
    region[..., 4:28, :] = 1
    met: dict[int, Tensor] = {}

    def denoiser(x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        met[schedule.timesteps.index(t) + 1] = x_t[-1:]
        return backbone(x_t, t, conditioning)

    ties = Ties(
        region=region,
        source=lambda level: schedule.add_noise(latent, noise, level) if level else latent,
        starts=starts,
        begun=lambda level: schedule.add_noise(anchor, noise, level) if level else anchor,
    )
    start = torch.randn(latent.shape, generator=torch.Generator().manual_seed(4))
    out, _ = self_guided_sample(denoiser, capture, schedule, start, guidance=_guidance(prompt), ties=ties)
    inner = (..., slice(4, 28), slice(None, 24)), (..., slice(4, 28), slice(24, None))
    for level in range(STEPS, 0, -1):
        anchored, source = (schedule.add_noise(one, noise, level) for one in (anchor, latent))
        pinned = [torch.equal(met[level][where], anchored[where]) for where in inner]
        assert pinned == [level == STEPS, level >= 3]
        assert torch.equal(met[level][..., :4, :], source[..., :4, :])
    assert (out[inner[1]] - anchor[inner[1]]).abs().max() > 0.01
    free = ties.free(4)
    assert free is not None
    assert torch.equal(free, region * (starts >= 4))


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_shared_pass_is_the_pass_that_it_saves(
    backbone: Backbone,
    capture: Capture,
    schedule: Schedule,
    latent: Tensor,
    noisy: Tensor,
    prompt: Prompt,
    scale: float,
) -> None:
    references = _references(backbone, capture, schedule, latent, prompt)
    tokens = tuple(backbone.tokens(prompt.text, "mug"))
    term = Term(Shape(tokens, Transform(dx=0.2)), window=Window(0, 0.5))
    results, counts = [], []
    for shared in (False, True):
        before = backbone.forwards, backbone.backwards
        out, _ = self_guided_sample(
            backbone,
            capture,
            schedule,
            noisy,
            guidance=_guidance(prompt, scale),
            terms=[term],
            start=4,
            ties=Ties(reference=references.get),
            shared=shared,
        )
        results.append(out)
        counts.append((backbone.forwards - before[0], backbone.backwards - before[1]))
    branches = 1 if scale == 1 else 2
    assert counts == [(4 * branches + 2, 2), (4 * branches, 2)]
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=2e-3 * results[0].abs().max().item())
