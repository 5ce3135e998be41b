"""Rules for the strength over whole samplings of models that are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from guidance import (
    Automatic,
    Capture,
    Energy,
    GradientScale,
    NoisyClassifier,
    State,
    Strength,
    Term,
    Ties,
    Window,
    self_guided_sample,
)
from guidance.properties import centroid
from guidance.strength import Measured
from guidance.terms import predicted_x_0
from inversion import Conditioning, Guidance, Schedule
from realedit.models.backbone import Backbone

SHAPE = (1, 2, 6, 10)
NOTHING = Conditioning(torch.zeros(1, 1, 2))
PLAIN = Guidance(NOTHING, NOTHING)


@pytest.fixture
def schedule(make_schedule: Callable[[int], Schedule]) -> Schedule:
    return make_schedule(12)


@pytest.fixture
def capture(backbone: Backbone) -> Iterator[Capture]:
    """Windows that the models of this file never look through."""
    with Capture(backbone.unet) as injected:
        yield injected


def _normal(seed: int, shape: tuple[int, ...] = SHAPE) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class _Gaussian:
    """The exact noise prediction for data N(mean, spread^2), both of them maps."""

    def __init__(self, schedule: Schedule, mean: Tensor, spread: Tensor) -> None:
        self.levels = {t: level for level, t in enumerate(schedule.timesteps, 1)}
        self.schedule, self.mean, self.spread = schedule, mean, spread

    def __call__(self, x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        alpha, sigma = (f(self.levels[t]) for f in (self.schedule.alpha, self.schedule.sigma))
        return sigma * (x_t - alpha * self.mean) / (alpha**2 * self.spread**2 + sigma**2)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_noisy_classifier_at_scale_one_samples_the_posterior(
    schedule: Schedule, capture: Capture, batch: int
) -> None:
    """log p(y | x_t) of an observation y = x_0 + n turns the prior's model into the posterior's, exactly."""
    mean, spread, noise, y = _normal(1), 0.5 + _normal(2).square(), 0.8, _normal(3)
    prior = _Gaussian(schedule, mean, spread)
    variance = 1 / (spread**-2 + noise**-2)
    posterior = _Gaussian(schedule, variance * (mean / spread**2 + y / noise**2), variance.sqrt())

    def log_probability(x_t: Tensor, level: int) -> Tensor:
        alpha, sigma = schedule.alpha(level), schedule.sigma(level)
        marginal = alpha**2 * spread**2 + sigma**2
        expected = mean + alpha * spread**2 / marginal * (x_t - alpha * mean)
        uncertainty = spread**2 * sigma**2 / marginal + noise**2
        return -((y - expected).square() / (2 * uncertainty)).sum((1, 2, 3))

    start = _normal(4, (batch, *SHAPE[1:]))
    term = Term(NoisyClassifier(log_probability), window=Window())
    guided, trace = self_guided_sample(
        prior, capture, schedule, start, guidance=PLAIN, terms=[term], strength=GradientScale(1.0)
    )
    expected, _ = self_guided_sample(posterior, capture, schedule, start, guidance=PLAIN)
    torch.testing.assert_close(guided, expected, rtol=1e-9, atol=1e-9)
    assert len(trace.energies) == schedule.steps


def _place(x_0: Tensor) -> Tensor:
    """Centre of mass of a latent that is taken for the logarithm of attention, [B, 2]."""
    return centroid(x_0[:, 0].exp())


def _at(x: float, y: float) -> Energy:
    goal = torch.tensor([x, y], dtype=torch.float64)
    return lambda state: (_place(predicted_x_0(state)) - goal).abs().mean()


@pytest.fixture
def blob(schedule: Schedule) -> _Gaussian:
    """Data around one bright spot near the upper left, on maps that are not square."""
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in (12, 20))
    bump = torch.exp(-((rows[:, None] - 3) ** 2 + (columns[None] - 5) ** 2) / 18)
    mean = torch.stack([3 * bump, 0 * bump])[None]
    return _Gaussian(schedule, mean, torch.full_like(mean, 1.2))


TOLERANCE = 0.01


@pytest.mark.parametrize("goal", [(0.5, 0.4), (0.4, 0.55), (0.6, 0.65)])
@pytest.mark.parametrize("seed", [4, 6, 8])
def test_an_analytic_centroid_is_reached_and_then_left_alone(
    schedule: Schedule, capture: Capture, blob: _Gaussian, goal: tuple[float, float], seed: int
) -> None:
    start = _normal(seed, (1, 2, 12, 20))
    term = Term(_at(*goal), window=Window(), needs_x_0=True, tolerance=TOLERANCE)

    def error(strength: float | Strength) -> float:
        z, trace = self_guided_sample(
            blob, capture, schedule, start, guidance=PLAIN, terms=[term], strength=strength
        )
        if isinstance(strength, Automatic):
            assert trace.targets[0].share > 0.98
        return (_place(z) - torch.tensor(goal)).abs().mean().item()

    free, automatic, by_hand = error(0.0), error(Automatic(1.0)), error(1.0)
    assert free > 0.05
    assert automatic < 1.2 * TOLERANCE
    assert by_hand > 2 * automatic  # pulled on beyond its place


def test_the_units_of_an_energy_do_not_matter(schedule: Schedule, capture: Capture, blob: _Gaussian) -> None:
    start, energy, samples = _normal(4, (1, 2, 12, 20)), _at(0.5, 0.4), []
    for unit_of in (1.0, 1e4):
        term = Term(
            lambda state, unit_of=unit_of: unit_of * energy(state),
            1 / unit_of,
            Window(),
            True,
            unit_of * TOLERANCE,
        )
        samples.append(
            self_guided_sample(
                blob, capture, schedule, start, guidance=PLAIN, terms=[term], strength=Automatic()
            )[0]
        )
    torch.testing.assert_close(*samples)


def test_a_budget_bounds_what_an_edit_may_cost(schedule: Schedule, capture: Capture, blob: _Gaussian) -> None:
    """Moving the spot changes the latent; the less is allowed, the less far it goes."""
    start, states = _normal(4, (1, 2, 12, 20)), {}
    keep = Ties(constrain=lambda x_0, level: states.setdefault(level, x_0))
    free, _ = self_guided_sample(blob, capture, schedule, start, guidance=PLAIN, ties=keep)

    def change(state: State) -> Tensor:
        return (predicted_x_0(state) - states[state.level]).square().mean()

    pursue = Term(_at(0.6, 0.65), window=Window(), needs_x_0=True, tolerance=TOLERANCE)
    costs, shifts = [], []
    for budget in (0.05, 0.2, 0.5):
        hold = Term(change, window=Window(), needs_x_0=True, budget=budget)
        z, trace = self_guided_sample(
            blob, capture, schedule, start, guidance=PLAIN, terms=[pursue, hold], strength=Automatic(1.0)
        )
        costs.append((z - free).square().mean().item())
        shifts.append((_place(z) - _place(free))[0, 0].item())
        assert costs[-1] < 1.7 * budget
        assert trace.targets[1].share == pytest.approx(min(1.0, budget / trace.last[1]))
    unbound, _ = self_guided_sample(
        blob, capture, schedule, start, guidance=PLAIN, terms=[pursue], strength=Automatic(1.0)
    )
    assert (unbound - free).square().mean() > 3 * costs[-1]
    assert costs == sorted(costs)
    assert 0.05 < shifts[0] < shifts[1] < shifts[2]


def test_the_trace_tells_every_terms_own_energy(
    schedule: Schedule, capture: Capture, blob: _Gaussian
) -> None:
    start = _normal(4, (1, 2, 12, 20))
    early = Term(_at(0.6, 0.6), 2.0, Window(0.0, 0.5), needs_x_0=True, tolerance=TOLERANCE)
    late = Term(lambda s: s.x_t.square().mean(), 0.5, Window(0.25, 1.0))
    off = Term(_at(0.1, 0.1), 0.0, Window(), needs_x_0=True)
    _, trace = self_guided_sample(
        blob, capture, schedule, start, guidance=PLAIN, terms=[early, off, late], strength=0.5
    )
    assert trace.levels == list(range(12, 0, -1))
    assert {place: len(energies) for place, energies in trace.terms.items()} == {0: 6, 2: 9}
    padded = {0: [*trace.terms[0], *[0.0] * 6], 2: [*[0.0] * 3, *trace.terms[2]]}
    assert trace.energies == pytest.approx([2 * a + 0.5 * b for a, b in zip(*padded.values(), strict=True)])
    assert trace.last == {place: energies[-1] for place, energies in trace.terms.items()}
    first, last = trace.terms[0][0], trace.last[0]
    assert trace.targets[0].share == pytest.approx(min(1.0, (first - last) / (first - TOLERANCE)))


def test_a_term_whose_window_is_over_is_no_progress_of_the_others(
    schedule: Schedule, capture: Capture, blob: _Gaussian
) -> None:
    def stuck(state: State) -> Tensor:  # it pushes, and never gets anywhere
        return 1 + (state.x_t - state.x_t.detach()).sum()

    lefts: list[float] = []

    def rule(measured: Measured) -> None:
        lefts.append(measured.left)

    start = _normal(4, (1, 2, 12, 20))
    terms = [Term(stuck, window=Window(0, 1)), Term(stuck, 10.0, Window(0, 0.25))]
    self_guided_sample(blob, capture, schedule, start, guidance=PLAIN, terms=terms, strength=rule)
    assert lefts == [1.0] * 12


def test_remeasuring_tells_what_the_finished_sample_has_reached(
    schedule: Schedule, capture: Capture, blob: _Gaussian
) -> None:
    """Noised again to the level at which the term acted last, and seen by the model there."""
    start = _normal(4, (1, 2, 12, 20))
    energy = _at(0.6, 0.6)
    term = Term(energy, 1.0, Window(0.2, 0.5), needs_x_0=True, tolerance=TOLERANCE)
    plain, before = self_guided_sample(blob, capture, schedule, start, guidance=PLAIN, terms=[term])
    again, after = self_guided_sample(
        blob, capture, schedule, start, guidance=PLAIN, terms=[term], remeasure=True
    )
    assert torch.equal(plain, again)
    assert before.terms == after.terms
    level = after.levels[-1]
    assert level == 7
    noise = torch.randn(again.shape, generator=torch.Generator().manual_seed(0)).double()
    x_t = schedule.add_noise(again, noise, level)
    x_0 = schedule.predict_x0(x_t, blob(x_t, schedule.timestep(level), NOTHING), level)
    assert after.last[0] == pytest.approx((_place(x_0) - 0.6).abs().mean().item(), rel=1e-6)
    assert after.last[0] != before.last[0]
    own = _normal(5, again.shape)
    ties = Ties(noise=lambda _: own)
    _, told = self_guided_sample(
        blob, capture, schedule, start, guidance=PLAIN, terms=[term], ties=ties, remeasure=True
    )
    x_t = schedule.add_noise(again, own, level)
    x_0 = schedule.predict_x0(x_t, blob(x_t, schedule.timestep(level), NOTHING), level)
    assert told.last[0] == pytest.approx((_place(x_0) - 0.6).abs().mean().item(), rel=1e-6)
    assert told.last[0] != after.last[0]
    target = after.targets[0]
    assert (target.asked, target.reached) == (after.terms[0][0], after.terms[0][0] - after.last[0])
    assert target.share == pytest.approx(target.reached / (target.asked - TOLERANCE))


def test_what_is_missed_is_named_and_what_has_no_goal_is_not(
    schedule: Schedule, capture: Capture, blob: _Gaussian
) -> None:
    start = _normal(4, (1, 2, 12, 20))
    terms = [
        Term(_at(0.9, 0.9), window=Window(0, 0.1), needs_x_0=True, tolerance=TOLERANCE, name="corner"),
        Term(lambda state: state.x_t.square().mean(), 1e-6),
        Term(lambda state: state.x_t.square().mean(), budget=0.01, name="faint"),
        Term(lambda state: state.x_t.square().mean(), budget=100.0),
    ]
    _, trace = self_guided_sample(blob, capture, schedule, start, guidance=PLAIN, terms=terms, strength=0.01)
    assert [target.name for target in trace.missed] == ["corner", "faint"]
    corner, faint = map(str, trace.missed)
    assert corner.startswith("corner: ")
    assert " of the way (" in corner
    assert faint.startswith("faint: held to ")
    assert faint.endswith(", asked 0.01")
    assert trace.targets[3].share == 1
