"""Rules for the strength, against closed forms on models and energies that are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from guidance import (
    Anchors,
    Automatic,
    Capture,
    Energy,
    GradientScale,
    Measured,
    NoiseShare,
    NoisyClassifier,
    Observation,
    State,
    Step,
    Strength,
    Term,
    Window,
    self_guided_sample,
)
from guidance.properties import centroid
from guidance.strength import unit
from guidance.terms import predicted_x_0
from inversion import Conditioning, Guidance, Schedule
from realedit.backbone import Backbone

LEVEL = 5
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


def _linear(a: Tensor, offset: float = 0.0) -> Energy:
    return lambda state: (a * state.x_t).sum() + offset


def _measured(
    x: Tensor, terms: Mapping[int, Term], schedule: Schedule, region: Tensor | None = None
) -> Measured:
    leaf = x.clone().requires_grad_()
    state = State(leaf, LEVEL, Observation())
    energies = {place: term.energy(state) for place, term in terms.items()}
    return Measured(leaf, Step.of(schedule, LEVEL), terms, energies, region=region)


def _next(x: Tensor, push: Tensor, schedule: Schedule) -> Tensor:
    """By how much a push moves what one DDIM step leads to."""
    zero = torch.zeros_like(x)
    return schedule.step(x, zero + push, LEVEL, LEVEL - 1) - schedule.step(x, zero, LEVEL, LEVEL - 1)


def _change(push: Tensor | None, direction: Tensor, schedule: Schedule) -> float:
    assert push is not None
    return (direction * _next(torch.zeros_like(push), push, schedule)).sum().item()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_a_step_takes_away_what_is_lacking(schedule: Schedule, scale: float) -> None:
    """Down to half the tolerance; exactly for a linear energy, whatever its units."""
    a = scale * _normal(1)
    term = Term(_linear(a, 40 * scale), tolerance=10 * scale)
    measured = _measured(_normal(2), {0: term}, schedule)
    lack = measured.energies[0].item() - 5 * scale
    assert lack > 5 * scale
    push = Automatic(limit=100.0)(measured)
    assert _change(push, a, schedule) == pytest.approx(-lack, rel=1e-9)


def test_a_term_within_its_tolerance_is_left_alone(schedule: Schedule) -> None:
    a, b = _normal(1), _normal(3)
    x = torch.zeros(SHAPE, dtype=torch.float64)
    content = Term(_linear(a, 0.9), tolerance=1.0)
    assert Automatic()(_measured(x, {0: content}, schedule)) is None
    lacking = Term(_linear(b, 2.0), tolerance=1.0)
    both, alone = (
        Automatic()(_measured(x, terms, schedule)) for terms in ({0: content, 1: lacking}, {1: lacking})
    )
    assert both is not None
    assert alone is not None
    assert torch.equal(both, alone)


@pytest.mark.parametrize("limit", [0.1, 1.0])
def test_no_push_is_larger_than_its_limit_of_the_noise(schedule: Schedule, limit: float) -> None:
    terms = {i: Term(_linear(1e-6 * _normal(i), 1e3)) for i in range(3)}
    push = Automatic(limit)(_measured(_normal(9), terms, schedule))
    assert push is not None
    assert push.square().mean().sqrt() <= limit * schedule.sigma(LEVEL) * (1 + 1e-9)
    assert push.square().mean().sqrt() >= 0.9 * limit * schedule.sigma(LEVEL)


def _pushes(schedule: Schedule, energies: list[tuple[Tensor, float]]) -> list[float]:
    """How far the pushes of one sampling go along their gradients, with the energies that each step finds."""
    pulls, lengths = {}, []
    for a, value in energies:
        zero = torch.zeros(SHAPE, dtype=torch.float64)
        found = _measured(zero, {0: Term(_linear(a, value))}, schedule)
        push = Automatic(limit=1000.0)(replace(found, pulls=pulls))
        lengths.append(-_change(push, a, schedule) / value)
    return lengths


def test_a_step_that_brought_too_little_is_followed_by_twice_as_much(schedule: Schedule) -> None:
    a = _normal(1)
    assert _pushes(schedule, [(a, 8.0), (a, 7.0), (a, 6.0), (a, 1.0), (a, 0.8)]) == pytest.approx(
        [1, 2, 4, 4, 8]
    )


def test_the_gain_is_halved_where_the_target_was_passed_and_never_below_one(schedule: Schedule) -> None:
    a = _normal(1)
    found = [(a, 8.0), (a, 7.0), (a, 6.0), (-a, 6.0), (a, 6.0), (-a, 6.0)]
    assert _pushes(schedule, found) == pytest.approx([1, 2, 4, 2, 1, 1])


def test_what_the_limit_cut_off_was_not_expected(schedule: Schedule) -> None:
    """A push at a tenth of what was needed is to bring a tenth; if it does, it needs no gain."""
    a, zero = _normal(1), torch.zeros(SHAPE, dtype=torch.float64)
    need = _measured(zero, {0: Term(_linear(a, 10.0))}, schedule)
    whole = Automatic(1000.0)(need)
    assert whole is not None
    limit = 0.1 * whole.square().mean().sqrt().item() / schedule.sigma(LEVEL)
    pulls = {}
    for value, gain in ((10.0, 1.0), (9.0, 1.0), (8.9, 2.0)):
        Automatic(limit)(replace(_measured(zero, {0: Term(_linear(a, value))}, schedule), pulls=pulls))
        assert pulls[0].gain == gain


def _halves() -> tuple[Tensor, Tensor]:
    """Two orthogonal directions."""
    left, right = torch.zeros(SHAPE, dtype=torch.float64), torch.zeros(SHAPE, dtype=torch.float64)
    left[..., :5], right[..., 5:] = 1, 1
    return left, right


def test_independent_terms_do_not_slow_each_other_whatever_their_weights(schedule: Schedule) -> None:
    left, right = _halves()
    terms = {0: Term(_linear(left, 3.0), 1.0), 1: Term(_linear(right, 5.0), 0.1)}
    push = Automatic(limit=10.0)(_measured(torch.zeros(SHAPE, dtype=torch.float64), terms, schedule))
    assert _change(push, left, schedule) == pytest.approx(-3.0)
    assert _change(push, right, schedule) == pytest.approx(-5.0)


def test_terms_that_agree_do_not_go_twice_as_far(schedule: Schedule) -> None:
    a = _normal(1)
    twice = {0: Term(_linear(a, 4.0), 1.0), 1: Term(_linear(10 * a, 40.0), 3.0)}
    push = Automatic(limit=10.0)(_measured(torch.zeros(SHAPE, dtype=torch.float64), twice, schedule))
    assert _change(push, a, schedule) == pytest.approx(-4.0)


@pytest.mark.parametrize(("first", "second"), [(1.0, 1.0), (3.0, 1.0), (1.0, 4.0)])
def test_of_two_terms_that_contend_each_gets_its_weights_share(
    schedule: Schedule, first: float, second: float
) -> None:
    a = _normal(1)
    terms = {0: Term(_linear(a, 4.0), first), 1: Term(_linear(-a, 4.0), second)}
    push = Automatic(limit=10.0)(_measured(torch.zeros(SHAPE, dtype=torch.float64), terms, schedule))
    expected = -4.0 * (first - second) / (first + second)
    assert _change(push, a, schedule) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("held", "slowed"), [(0.1, 1.0), (0.25, 1.0), (0.3, 0.8), (0.4, 0.4), (0.5, 0.0), (2.0, 0.0)]
)
def test_a_hold_term_slows_the_rest_to_a_stand_at_its_budget_and_is_brought_back(
    schedule: Schedule, held: float, slowed: float
) -> None:
    left, right = _halves()
    terms = {0: Term(_linear(left, 3.0)), 1: Term(_linear(right, held), budget=0.5)}
    push = Automatic(limit=10.0)(_measured(torch.zeros(SHAPE, dtype=torch.float64), terms, schedule))
    assert _change(push, left, schedule) == pytest.approx(-3.0 * slowed)
    assert _change(push, right, schedule) == pytest.approx(min(0.0, 0.5 - held), abs=1e-9)


def test_the_tightest_of_several_budgets_counts(schedule: Schedule) -> None:
    left, right = _halves()
    holds = {i: Term(_linear(right, 0.4), budget=budget) for i, budget in enumerate((4.0, 0.5, 0.6), 1)}
    terms = {0: Term(_linear(left, 3.0))} | holds
    push = Automatic(limit=10.0)(_measured(torch.zeros(SHAPE, dtype=torch.float64), terms, schedule))
    assert _change(push, left, schedule) == pytest.approx(-3.0 * 0.4)
    with pytest.raises(ValueError, match=r"a budget must be positive, got 0\.0"):
        Term(_linear(left), budget=0.0)


@pytest.mark.parametrize("rule", [Automatic(), NoiseShare(1.0), GradientScale(1.0)])
def test_nothing_is_pushed_outside_the_region(schedule: Schedule, rule: Strength) -> None:
    region = torch.zeros(1, 1, *SHAPE[2:], dtype=torch.float64)
    region[..., 1:4, 2:7] = 1
    a = _normal(1)
    push = rule(_measured(_normal(2), {0: Term(_linear(a, 50.0))}, schedule, region))
    assert push is not None
    outside = (region == 0).expand_as(push)
    assert push[outside].abs().max() == 0
    assert push[~outside].abs().min() > 0
    if isinstance(rule, Automatic):  # what is lacking is taken away by the region alone
        free = Automatic(100.0)(_measured(_normal(2), {0: Term(_linear(a, 50.0))}, schedule, region))
        energy = (a * _normal(2)).sum().item() + 50.0
        assert _change(free, a, schedule) == pytest.approx(-energy, rel=1e-9)


def test_an_energy_without_a_gradient_pushes_nothing(schedule: Schedule) -> None:
    flat = Term(lambda state: (0 * state.x_t).sum() + 1)
    push = Automatic()(_measured(_normal(2), {0: flat, 1: flat}, schedule))
    assert push is not None
    assert push.abs().max() == 0


def test_a_share_of_the_noise_is_the_clipped_gradient_at_unit_rms(schedule: Schedule) -> None:
    a, b = _normal(1), _normal(2)
    a[0, 0, 0, 0] = 100.0
    measured = _measured(_normal(3), {0: Term(_linear(a), 2.0), 1: Term(_linear(b), 0.5)}, schedule)
    push = NoiseShare(0.7)(measured)
    total = 2 * a + 0.5 * b
    expected = (total / total.square().mean().sqrt()).clamp(-3, 3)
    torch.testing.assert_close(push, 0.7 * schedule.sigma(LEVEL) * expected)
    assert torch.equal(unit(torch.zeros(SHAPE), None), torch.zeros(SHAPE))


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_what_is_no_limit_is_refused(limit: float) -> None:
    with pytest.raises(ValueError, match="limit must be positive, got"):
        Automatic(limit)


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
        prior, capture, schedule, start, PLAIN, [term], strength=GradientScale(1.0)
    )
    expected, _ = self_guided_sample(posterior, capture, schedule, start, PLAIN)
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
        z, trace = self_guided_sample(blob, capture, schedule, start, PLAIN, [term], strength=strength)
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
            lambda state, unit_of=unit_of: unit_of * energy(state), 1 / unit_of, Window(), True,
            unit_of * TOLERANCE,
        )  # fmt: skip
        samples.append(
            self_guided_sample(blob, capture, schedule, start, PLAIN, [term], strength=Automatic())[0]
        )
    torch.testing.assert_close(*samples)


def test_a_budget_bounds_what_an_edit_may_cost(schedule: Schedule, capture: Capture, blob: _Gaussian) -> None:
    """Moving the spot changes the latent; the less is allowed, the less far it goes."""
    start, states = _normal(4, (1, 2, 12, 20)), {}
    keep = Anchors(constrain=lambda x_0, level: states.setdefault(level, x_0))
    free, _ = self_guided_sample(blob, capture, schedule, start, PLAIN, anchors=keep)

    def change(state: State) -> Tensor:
        return (predicted_x_0(state) - states[state.level]).square().mean()

    pursue = Term(_at(0.6, 0.65), window=Window(), needs_x_0=True, tolerance=TOLERANCE)
    costs, shifts = [], []
    for budget in (0.05, 0.2, 0.5):
        hold = Term(change, window=Window(), needs_x_0=True, budget=budget)
        z, trace = self_guided_sample(
            blob, capture, schedule, start, PLAIN, [pursue, hold], strength=Automatic(1.0)
        )
        costs.append((z - free).square().mean().item())
        shifts.append((_place(z) - _place(free))[0, 0].item())
        assert costs[-1] < 1.7 * budget
        assert trace.targets[1].share == pytest.approx(min(1.0, budget / trace.last[1]))
    unbound, _ = self_guided_sample(blob, capture, schedule, start, PLAIN, [pursue], strength=Automatic(1.0))
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
    _, trace = self_guided_sample(blob, capture, schedule, start, PLAIN, [early, off, late], strength=0.5)
    assert trace.levels == list(range(12, 0, -1))
    assert {place: len(energies) for place, energies in trace.terms.items()} == {0: 6, 2: 9}
    padded = {0: [*trace.terms[0], *[0.0] * 6], 2: [*[0.0] * 3, *trace.terms[2]]}
    assert trace.energies == pytest.approx([2 * a + 0.5 * b for a, b in zip(*padded.values(), strict=True)])
    assert trace.last == {place: energies[-1] for place, energies in trace.terms.items()}
    first, last = trace.terms[0][0], trace.last[0]
    assert trace.targets[0].share == pytest.approx(min(1.0, (first - last) / (first - TOLERANCE)))


def test_remeasuring_tells_what_the_finished_sample_has_reached(
    schedule: Schedule, capture: Capture, blob: _Gaussian
) -> None:
    """Noised again to the level at which the term acted last, and seen by the model there."""
    start = _normal(4, (1, 2, 12, 20))
    energy = _at(0.6, 0.6)
    term = Term(energy, 1.0, Window(0.2, 0.5), needs_x_0=True, tolerance=TOLERANCE)
    plain, before = self_guided_sample(blob, capture, schedule, start, PLAIN, [term])
    again, after = self_guided_sample(blob, capture, schedule, start, PLAIN, [term], remeasure=True)
    assert torch.equal(plain, again)
    assert before.terms == after.terms
    level = after.levels[-1]
    assert level == 7
    noise = torch.randn(again.shape, generator=torch.Generator().manual_seed(0)).double()
    x_t = schedule.add_noise(again, noise, level)
    x_0 = schedule.predict_x0(x_t, blob(x_t, schedule.timestep(level), NOTHING), level)
    assert after.last[0] == pytest.approx((_place(x_0) - 0.6).abs().mean().item(), rel=1e-6)
    assert after.last[0] != before.last[0]
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
    _, trace = self_guided_sample(blob, capture, schedule, start, PLAIN, terms, strength=0.01)
    assert [target.name for target in trace.missed] == ["corner", "faint"]
    corner, faint = map(str, trace.missed)
    assert corner.startswith("corner: ")
    assert " of the way (" in corner
    assert faint.startswith("faint: held to ")
    assert faint.endswith(", asked 0.01")
    assert trace.targets[3].share == 1
