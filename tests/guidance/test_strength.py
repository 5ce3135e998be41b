"""Rules for the strength, one step at a time, against closed forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from guidance import (
    Automatic,
    Energy,
    GradientScale,
    Measured,
    NoiseShare,
    NoiseStep,
    Observation,
    State,
    Strength,
    Term,
)
from guidance.strength import unit
from inversion import Schedule

LEVEL = 5
SHAPE = (1, 2, 6, 10)


@pytest.fixture
def schedule(make_schedule: Callable[[int], Schedule]) -> Schedule:
    return make_schedule(12)


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
    return Measured(leaf, NoiseStep.of(schedule, LEVEL), terms, energies, region=region)


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


def test_small_slopes_survive_half_precision_and_steep_ones_do_not_overflow(schedule: Schedule) -> None:
    for slope in (1e-7, 1.0, 3e3):
        x = torch.ones(SHAPE, requires_grad=True)
        energy = (slope * x.half()).float().sum() / 64
        measured = Measured(x, NoiseStep.of(schedule, LEVEL), {}, {})
        torch.testing.assert_close(
            measured.gradient(energy), torch.full(SHAPE, slope / 64), rtol=2e-2, atol=0
        )
    x = torch.ones(SHAPE, requires_grad=True)
    with pytest.raises(FloatingPointError, match="energy at level 5 has no finite gradient"):
        Measured(x, NoiseStep.of(schedule, LEVEL), {}, {}).gradient((x * float("inf")).sum())


def test_each_picture_of_a_batch_is_pushed_as_if_it_were_alone(schedule: Schedule) -> None:
    a = torch.cat([_normal(1), 1e-3 * _normal(2)])
    both = _measured(
        torch.zeros_like(a), {0: Term(lambda state: (a * state.x_t).sum((1, 2, 3)).mean() + 1)}, schedule
    )
    push = NoiseShare(1.0)(both)
    for i in (0, 1):
        alone = NoiseShare(1.0)(
            _measured(torch.zeros_like(a[i : i + 1]), {0: Term(_linear(a[i : i + 1], 1.0))}, schedule)
        )
        torch.testing.assert_close(push[i : i + 1], alone)
