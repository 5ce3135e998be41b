from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from guidance import Background, Observation, State, Transform
from guidance.properties import shape

TOKENS = (1,)
RIGHT = Transform(dx=0.4)


def _blob(x: float, y: float = 0.5, h: int = 16, w: int = 24) -> Tensor:
    rows = (torch.arange(h, dtype=torch.float64) + 0.5) / h
    columns = (torch.arange(w, dtype=torch.float64) + 0.5) / w
    distance = ((columns[None] - x) * w / h) ** 2 + (rows[:, None] - y) ** 2
    return torch.exp(-distance / (2 * 0.06**2))[None]


def _seen(features: Tensor, at: float = 0.3) -> Observation:
    blob = _blob(at)
    return Observation({"a": torch.stack([1 - blob, blob], -1)}, {"a.block": features})


def _state(features: Tensor, reference: Tensor | None) -> State:
    return State(
        torch.zeros(1, 4, 16, 24), 2, _seen(features, 0.7), None if reference is None else _seen(reference)
    )


REFERENCE = 1 + torch.rand(1, 16, 24, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_what_changes_where_the_object_was_and_where_it_goes_is_free() -> None:
    here, there = (shape(_blob(x))[..., None] for x in (0.3, 0.7))
    keep, stay = Background((TOKENS,), RIGHT), Background((TOKENS,))
    assert keep(_state(REFERENCE, REFERENCE)) == 0
    for place in (here, there):
        assert keep(_state(REFERENCE + 5 * (place > 0.95), REFERENCE)) < 0.01
    assert stay(_state(REFERENCE + 5 * (there > 0.95), REFERENCE)) > 0.02
    assert keep(_state(REFERENCE + 5 * shape(_blob(0.5, 0.9))[..., None], REFERENCE)) > 0.02


def test_it_is_the_difference_over_the_magnitude_weighted_by_what_is_free() -> None:
    a = shape(_blob(0.3))[..., None]
    now = REFERENCE + torch.rand_like(REFERENCE)
    expected = ((1 - a) ** 2 * (now - REFERENCE).abs()).sum() / ((1 - a) ** 2 * REFERENCE).sum()
    torch.testing.assert_close(Background((TOKENS,))(_state(now, REFERENCE)), expected)


def test_with_no_object_everything_is_background() -> None:
    doubled = Background(())(_state(2 * REFERENCE, REFERENCE))
    assert doubled.item() == pytest.approx(1)


def test_the_gradient_is_that_of_finite_differences_and_spares_the_reference() -> None:
    reference = REFERENCE.clone().requires_grad_()
    now = (REFERENCE + 0.5 * torch.rand_like(REFERENCE))[:, :6, :8].contiguous().requires_grad_()
    small = Observation({"a": _seen(REFERENCE).attention["a"][:, :6, :8]}, {"a.block": reference[:, :6, :8]})

    def energy(features: Tensor) -> Tensor:
        seen = Observation(small.attention, {"a.block": features})
        return Background((TOKENS,), RIGHT)(State(torch.zeros(1, 4, 6, 8), 2, seen, small))

    assert gradcheck(energy, (now,))
    energy(now).backward()
    assert reference.grad is None
    with pytest.raises(ValueError, match="needs a reference"):
        Background((TOKENS,))(_state(REFERENCE, None))
