"""The combiner of conditions, on a model that is known exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from gaussian import GaussianModel, drawn, told
from guidance import Capture, ClassifierFree, Condition, Window, self_guided_sample
from inversion import Conditioning, Guidance, Schedule, predict
from realedit.models.backbone import Backbone

STEPS = 8


@pytest.fixture
def schedule(make_schedule: Callable[[int], Schedule]) -> Schedule:
    return make_schedule(STEPS)


@pytest.fixture
def capture(backbone: Backbone) -> Iterator[Capture]:
    """Windows that the model of this file never looks through."""
    with Capture(backbone.unet) as injected:
        yield injected


def _means(*values: float) -> list[Conditioning]:
    return [Conditioning(torch.full((1, 1, 4), value, dtype=torch.float64)) for value in values]


def _single(guidance: Guidance, weight: float | None = None, window: Window | None = None) -> ClassifierFree:
    condition = Condition(
        guidance.text, guidance.scale if weight is None else weight, Window() if window is None else window
    )
    return ClassifierFree(guidance.null, (condition,))


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0, 7.5])
def test_one_condition_is_diffusers_classifier_free_guidance(
    schedule: Schedule, capture: Capture, scale: float
) -> None:
    model, guidance, x = GaussianModel(schedule), told(0.8, -0.3, scale), drawn(2)
    t = schedule.timestep(5)
    torch.testing.assert_close(
        _single(guidance).predict(model, x, t, done=0, steps=STEPS),
        predict(model, x, t, guidance),
        rtol=0,
        atol=1e-12,
    )
    ours, theirs = (
        self_guided_sample(model, capture, schedule, x, guidance=g)[0] for g in (_single(guidance), guidance)
    )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def test_conditions_are_composed_by_their_weights_and_a_negative_one_steers_away(schedule: Schedule) -> None:
    model, x, t = GaussianModel(schedule), drawn(), schedule.timestep(4)
    null, first, second = _means(0.0, 1.0, -2.0)
    combined = ClassifierFree(null, (Condition(first, 3.0), Condition(second, -0.5)))
    e_null, e_first, e_second = (model(x, t, told) for told in (null, first, second))
    expected = e_null + 3.0 * (e_first - e_null) - 0.5 * (e_second - e_null)
    torch.testing.assert_close(combined.predict(model, x, t, done=0, steps=STEPS), expected)
    assert combined.text is first


def test_a_condition_acts_inside_its_window_alone(schedule: Schedule) -> None:
    """A weight of one throughout and more of it in a window is guidance in a limited interval."""
    guidance = told(0.8, -0.3, 4.0)
    limited = ClassifierFree(
        guidance.null,
        (Condition(guidance.text, 1.0), Condition(guidance.text, 3.0, Window(0.25, 0.5))),
    )
    model, x, t = GaussianModel(schedule), drawn(), schedule.timestep(4)
    inside, alone = predict(model, x, t, guidance), model(x, t, guidance.text)
    for done in range(STEPS):
        expected = inside if done in (2, 3) else alone
        torch.testing.assert_close(limited.predict(model, x, t, done=done, steps=STEPS), expected)


def test_nothing_is_evaluated_that_has_no_share(schedule: Schedule) -> None:
    null, first, second = _means(0.0, 1.0, 2.0)
    costs = [
        (1, (Condition(first, 1.0),)),
        (2, (Condition(first, 5.0),)),
        (2, (Condition(first, 2.0), Condition(first, 3.0))),
        (2, (Condition(first, 0.3), Condition(second, 0.7))),
        (3, (Condition(first, 2.0), Condition(second, 2.0))),
        (1, (Condition(first, 2.0, Window(0.5, 1.0)),)),
    ]
    for cost, conditions in costs:
        model = GaussianModel(schedule)
        ClassifierFree(null, conditions).predict(model, drawn(), schedule.timestep(4), done=0, steps=STEPS)
        assert model.evaluations == cost


def test_what_cannot_be_combined_is_refused(schedule: Schedule) -> None:
    guidance = told(0.8, -0.3, 2.0)
    with pytest.raises(ValueError, match="at least one condition"):
        ClassifierFree(guidance.null, ())

    def broken(x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        return x_t * float("nan")

    with pytest.raises(FloatingPointError, match="noise prediction at t = 7 is not finite"):
        _single(guidance).predict(broken, drawn(), 7, done=0, steps=STEPS)
