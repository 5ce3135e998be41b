"""Partial forward passes: the same view for less."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from guidance.capture import Capture, Observation
from guidance.layers import PARTS, LayerSelection
from realedit.models.backbone import Backbone, Prompt

UP = LayerSelection(("up",))
COARSE = LayerSelection(("up",), (1,))
MID = LayerSelection(("mid",))
Forward = Callable[[Tensor], Tensor]


@pytest.fixture
def forward(backbone: Backbone, prompt: Prompt) -> Forward:
    return lambda x: backbone(x, 501, prompt.conditioning.expand(x.shape[0]))


def _run(
    capture: Capture, forward: Forward, x: Tensor, *, partial: bool, memory: bool = False
) -> tuple[Observation, bool]:
    """What was seen, and whether the pass came to its end."""
    ended = False
    with capture.record((x.shape[-2], x.shape[-1]), partial=partial, memory=memory) as seen:
        forward(x)
        ended = True
    return seen, ended


@pytest.mark.parametrize("selection", [UP, COARSE, MID])
@pytest.mark.parametrize("size", [(16, 24), (19, 27)])
def test_a_partial_pass_sees_what_the_full_one_sees(
    backbone: Backbone, forward: Forward, selection: LayerSelection, size: tuple[int, int]
) -> None:
    x = torch.randn(1, 4, *size)
    with Capture(backbone.unet, selection, selection) as capture, torch.no_grad():
        full, full_ended = _run(capture, forward, x, partial=False)
        part, part_ended = _run(capture, forward, x, partial=True)
    assert (full_ended, part_ended) == (True, False)
    for kind in ("attention", "features"):
        expected, got = getattr(full, kind), getattr(part, kind)
        assert expected
        assert expected.keys() == got.keys()
        assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_it_ends_behind_the_last_layer_of_either_kind(backbone: Backbone, forward: Forward) -> None:
    x = torch.randn(1, 4, 16, 24)
    for attention, features in ((MID, UP), (UP, MID)):
        with Capture(backbone.unet, attention, features) as capture, torch.no_grad():
            full, _ = _run(capture, forward, x, partial=False)
            part, _ = _run(capture, forward, x, partial=True)
        assert part.attention.keys() == full.attention.keys()
        assert part.features.keys() == full.features.keys()


def test_memory_is_complete_even_where_it_sits_behind_what_else_is_recorded(
    backbone: Backbone, forward: Forward
) -> None:
    x = torch.randn(1, 4, 16, 24)
    with Capture(backbone.unet, MID, MID, LayerSelection(PARTS)) as capture, torch.no_grad():
        full, _ = _run(capture, forward, x, partial=False, memory=True)
        part, ended = _run(capture, forward, x, partial=True, memory=True)
    assert not ended
    assert len(full.memory) == 11
    assert part.memory.keys() == full.memory.keys()
    for name, (key, value) in full.memory.items():
        assert torch.equal(part.memory[name][0], key)
        assert torch.equal(part.memory[name][1], value)


def test_what_lies_behind_is_never_computed(backbone: Backbone, forward: Forward) -> None:
    x = torch.randn(1, 4, 16, 24)
    calls: list[nn.Module] = []
    leaves = [m for m in backbone.unet.modules() if not list(m.children())]
    handles = [m.register_forward_pre_hook(lambda m, _: calls.append(m)) for m in leaves]
    counts = {}
    try:
        for name, selection, partial in (("full", UP, False), ("up", UP, True), ("coarse", COARSE, True)):
            with Capture(backbone.unet, selection, selection) as capture, torch.no_grad():
                calls.clear()
                _run(capture, forward, x, partial=partial)
            counts[name] = len(calls)
            assert (backbone.unet.conv_out in calls) == (name == "full")
            last_block = set(backbone.unet.up_blocks[3].modules())
            assert any(m in last_block for m in calls) == (name == "full")
    finally:
        for handle in handles:
            handle.remove()
    assert counts["coarse"] < counts["up"] < counts["full"]


def _energy(seen: Observation) -> Tensor:
    """A fixed random functional of everything seen."""
    generator = torch.Generator().manual_seed(3)
    terms = [
        (maps * torch.randn(maps.shape, generator=generator)).sum()
        for maps in (*seen.attention.values(), *seen.features.values())
    ]
    return torch.stack(terms).sum()


@pytest.mark.parametrize("selection", [UP, COARSE])
def test_the_gradient_of_a_partial_pass_is_that_of_the_full_one(
    backbone: Backbone, forward: Forward, selection: LayerSelection
) -> None:
    x = torch.randn(1, 4, 16, 24, requires_grad=True)
    gradients = []
    with Capture(backbone.unet, selection, selection) as capture:
        for partial in (False, True):
            seen, _ = _run(capture, forward, x, partial=partial)
            gradients.append(torch.autograd.grad(_energy(seen), x)[0])
    assert gradients[0].abs().max() > 1e-4
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-5, atol=1e-6)


def test_the_gradient_is_the_slope_of_the_energy(backbone: Backbone, forward: Forward) -> None:
    x, direction = torch.randn(1, 4, 16, 24, requires_grad=True), torch.randn(1, 4, 16, 24)
    with Capture(backbone.unet, UP, UP) as capture:

        def energy(at: Tensor) -> Tensor:
            seen, _ = _run(capture, forward, at, partial=True)
            return torch.stack([a[..., 5].square().sum() for a in seen.attention.values()]).sum()

        slope = (torch.autograd.grad(energy(x), x)[0] * direction).sum().item()
        with torch.no_grad():
            ahead, behind = energy(x + 1e-2 * direction), energy(x - 1e-2 * direction)
    assert slope == pytest.approx((ahead - behind).item() / 2e-2, rel=0.05)


def test_the_model_is_whole_again_afterwards(backbone: Backbone, forward: Forward) -> None:
    x = torch.randn(1, 4, 16, 24)
    with torch.no_grad():
        plain = forward(x)
        with Capture(backbone.unet) as capture:
            _run(capture, forward, x, partial=True)
            assert torch.equal(forward(x), plain)
