"""Automatic strength in one backward pass: the same push where the model carries all slopes back alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from guidance import (
    Absence,
    Automatic,
    Capture,
    Combined,
    Energy,
    Features,
    LayerSelection,
    Measured,
    NoiseStep,
    Observation,
    Shape,
    Size,
    State,
    Strength,
    Term,
    Ties,
    Transform,
    Window,
    self_guided_sample,
)
from guidance.cut import Cut
from guidance.strength import Pull
from inversion import Guidance, Schedule
from realedit.models.backbone import Backbone, Prompt

LEVEL = 5
SHAPE = (1, 2, 6, 10)
CELLS = 2 * 6 * 10


@pytest.fixture
def schedule(make_schedule: Callable[[int], Schedule]) -> Schedule:
    return make_schedule(12)


def _signs(seed: int) -> Tensor:
    drawn = torch.randn(CELLS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.sign()


@dataclass
class _Model:
    """Shows x_t in another order, times a factor: its Jacobian keeps all angles and scales all lengths."""

    factor: float
    pulls: dict[int, Pull] = field(default_factory=dict)
    learnt: dict[str, float] = field(default_factory=dict)
    passes: int = 0

    def measured(self, x: Tensor, terms: dict[int, Term], schedule: Schedule, *, cut: bool) -> Measured:
        leaf = x.clone().requires_grad_()
        counted = leaf.view_as(leaf)
        counted.register_hook(self._count)
        order = torch.randperm(CELLS, generator=torch.Generator().manual_seed(1))
        features = {"layer": self.factor * counted.flatten()[order]}
        state, at = State(leaf, LEVEL, Observation(features=features)), None
        if cut:
            at, state = Cut.of(state)
        energies = {place: term.energy(state) for place, term in terms.items()}
        step = NoiseStep.of(schedule, LEVEL)
        return Measured(leaf, step, terms, energies, pulls=self.pulls, cut=at, factors=self.learnt)

    def _count(self, _: Tensor) -> None:
        self.passes += 1


def _linear(a: Tensor, offset: float) -> Energy:
    return lambda state: (a * state.seen.features["layer"]).sum() + offset


def _terms(scale: float = 1.0) -> dict[int, Term]:
    """Terms that agree, that contend and that are content, of other units and weights."""
    a, b = _signs(1), _signs(2)
    mixed = torch.where(torch.arange(CELLS) < 40, a, -b)
    return {
        0: Term(_linear(scale * 1e-3 * a, 4e-3), tolerance=1e-3),
        1: Term(_linear(0.2 * b, 9.0), 0.4),
        4: Term(_linear(-30 / scale * mixed, 100.0), 2.0),
        5: Term(_linear(_signs(3), 0.0), tolerance=1.0),  # content
    }


@pytest.mark.parametrize("limit", [0.02, 0.5, 1e4])
def test_it_is_automatics_push_where_the_model_keeps_angles(schedule: Schedule, limit: float) -> None:
    """In three steps of one sampling, the third with steeper and flatter energies; then one pass a step."""
    each, one = _Model(0.03), _Model(0.03)
    x = torch.zeros(SHAPE, dtype=torch.float64)
    passes = []
    for place, scale in ((x, 1.0), (x + 1e-3, 1.0), (x - 1e-3, 1.7)):
        expected = Automatic(limit)(each.measured(place, _terms(scale), schedule, cut=False))
        before = one.passes
        found = Combined(limit)(one.measured(place, _terms(scale), schedule, cut=True))
        passes.append(one.passes - before)
        assert expected is not None
        assert found is not None
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6 * expected.abs().max().item())
    assert passes == [3, 1, 1]
    assert each.passes == 3 * 3
    assert all(one.learnt[str(place)] == pytest.approx(0.03) for place in (0, 1, 4))


def test_a_change_of_the_models_scale_is_taken_up_by_the_one_pass(schedule: Schedule) -> None:
    """At the next noise level all gradients may be longer: the pass itself tells by how much."""
    x = torch.zeros(SHAPE, dtype=torch.float64)
    each, one = _Model(0.03), _Model(0.03)
    for factor in (0.03, 0.3, 0.3):
        each.factor = one.factor = factor
        expected = Automatic(1e4)(each.measured(x, _terms(), schedule, cut=False))
        found = Combined(1e4)(one.measured(x, _terms(), schedule, cut=True))
    assert expected is not None
    assert found is not None
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6 * expected.abs().max().item())
    assert one.learnt["0"] == pytest.approx(0.3)


def test_one_term_alone_is_automatics_to_rounding(schedule: Schedule) -> None:
    x = torch.zeros(SHAPE, dtype=torch.float64)
    term = {3: Term(_linear(_signs(4), 2.0), tolerance=0.5)}
    each, one = _Model(0.4), _Model(0.4)
    for _ in range(3):  # the gain doubles: nothing is gained here
        expected = Automatic(50.0)(each.measured(x, term, schedule, cut=False))
        found = Combined(50.0)(one.measured(x, term, schedule, cut=True))
        assert expected is not None
        assert found is not None
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)
    assert one.passes == 3
    assert each.pulls[3].gain == one.pulls[3].gain == 4


def test_what_is_content_costs_no_pass(schedule: Schedule) -> None:
    model = _Model(1.0)
    content = {0: Term(_linear(_signs(3), 0.0), tolerance=1.0)}
    x = torch.zeros(SHAPE, dtype=torch.float64)
    assert Combined()(model.measured(x, content, schedule, cut=True)) is None
    assert model.passes == 0


def test_attached_energies_are_refused(schedule: Schedule) -> None:
    model = _Model(1.0)
    x = torch.zeros(SHAPE, dtype=torch.float64)
    with pytest.raises(ValueError, match="cut"):
        Combined()(model.measured(x, _terms(), schedule, cut=False))


def test_a_cut_gradient_is_the_gradient(schedule: Schedule) -> None:
    """Also of an energy that reads the state itself."""

    def energy(state: State) -> Tensor:
        return state.seen.features["layer"].pow(4).sum() + state.x_t.pow(3).sum()

    model, x = _Model(0.3), torch.randn(SHAPE, dtype=torch.float64)
    plain = model.measured(x, {0: Term(energy)}, schedule, cut=False)
    cut = model.measured(x, {0: Term(energy)}, schedule, cut=True)
    assert cut.cut is not None
    found = cut.cut.pulled(cut.cut.slope(cut.energies[0]))
    torch.testing.assert_close(found, plain.gradient(plain.energies[0]))


def test_what_is_felt_of_attention_is_the_slope_by_its_logits() -> None:
    x = torch.randn(1, 3, 4, 5, dtype=torch.float64, requires_grad=True)  # logits of five tokens
    shown = x.softmax(-1)
    cut, state = Cut.of(State(x, LEVEL, Observation({"layer": shown})))
    (slope,) = torch.autograd.grad(shown.pow(2)[..., 1].sum(), x)
    felt = cut.felt(cut.slope(state.seen.attention["layer"].pow(2)[..., 1].sum()))
    torch.testing.assert_close(felt[: slope.numel()], slope.flatten())
    assert not felt[slope.numel() :].any()


@pytest.fixture
def capture(backbone: Backbone) -> Iterator[Capture]:
    up = LayerSelection(("up",))
    with Capture(backbone.unet, attention=up, features=up, memory=up) as injected:
        yield injected


def _moved(
    backbone: Backbone, capture: Capture, latent: Tensor, prompt: Prompt, rule: Strength
) -> tuple[dict[int, float], Tensor, int]:
    """A mug moved by guidance alone: what is reached of each target, the sample, the backward passes."""
    schedule = backbone.schedule(8)
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(1))

    def reference(level: int) -> Observation:
        with torch.no_grad(), capture.record((32, 48), tokens=prompt.tokens, partial=True) as seen:
            x_t = schedule.add_noise(latent, noise, level)
            backbone(x_t, schedule.timestep(level), prompt.conditioning)
        return seen

    tokens, to, window = tuple(backbone.tokens(prompt.text, "mug")), Transform(dx=0.15), Window(0.0, 0.6)
    hole = torch.zeros(1, 1, 32, 48)
    hole[..., 8:24, 10:20] = 1
    terms = [
        Term(Features(hole, to), 1.0, window),
        Term(Shape(tokens, to), 1.0, window),
        Term(Size(tokens), 0.2, window),
        Term(Absence(tokens, hole), 1.0, window),
    ]
    before = backbone.backwards
    out, trace = self_guided_sample(
        backbone,
        capture,
        schedule,
        schedule.add_noise(latent, noise, 7),
        guidance=Guidance(prompt.conditioning, prompt.null, 2.0),
        terms=terms,
        start=7,
        strength=rule,
        ties=Ties(reference=reference),
    )
    return trace.last, out, backbone.backwards - before


def test_on_the_embedded_model_it_does_what_automatic_does_in_half_of_the_passes(
    backbone: Backbone, capture: Capture, latent: Tensor, prompt: Prompt
) -> None:
    each, there, passes = _moved(backbone, capture, latent, prompt, Automatic(0.5))
    one, here, fewer = _moved(backbone, capture, latent, prompt, Combined(0.5))
    free, plain, _ = _moved(backbone, capture, latent, prompt, Automatic(1e-6))
    assert passes >= 15
    assert fewer == 4 + 4  # at a term's first of five guided steps a pass of its own, then one for all

    def left(energies: dict[int, float]) -> float:
        return energies[0] + energies[1] + 0.2 * energies[2] + energies[3]

    assert left(each) < 0.7 * left(free)
    assert left(free) - left(one) > 0.8 * (left(free) - left(each))  # 0.92
    assert (here - there).norm() < 0.8 * (plain - there).norm()
