"""Self-attention that reads another run's keys and values, under a mask that nothing leaks through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from guidance.capture import Capture, KeysValues
from guidance.layers import EVERYWHERE, LayerSelection, attention_sites, map_size
from realedit.models.backbone import Backbone, Prompt

SIZE = (16, 24)
Forward = Callable[[Tensor], Tensor]
Memory = dict[str, KeysValues]


@pytest.fixture(autouse=True)
def no_grad() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture
def forward(backbone: Backbone, prompt: Prompt) -> Forward:
    return lambda x: backbone(x, 501, prompt.conditioning.expand(x.shape[0]))


@pytest.fixture
def capture(backbone: Backbone) -> Iterator[Capture]:
    with Capture(backbone.unet) as injected:
        yield injected


def _memory(capture: Capture, forward: Forward, x: Tensor) -> Memory:
    with capture.record(SIZE, memory=True) as seen:
        forward(x)
    return seen.memory


def _masks(capture: Capture, own: bool, source: Callable[[int], Tensor]) -> dict[int, Tensor]:
    """Per level, own keys allowed or not, source keys by ``source(cells) -> [cells]``."""
    masks = {}
    for level in capture.levels:
        h, w = map_size(SIZE, level)
        cells = h * w
        masks[level] = torch.cat(
            [torch.full((cells, cells), own), source(cells).bool().expand(cells, cells)], 1
        )
    return masks


def _half(cells: int) -> Tensor:
    return torch.arange(cells) < cells // 2


def _altered(memory: Memory, where: Callable[[int], Tensor]) -> Memory:
    """Other, large keys and values at some of the source's cells."""
    return {
        name: (
            torch.where(where(key.shape[1])[None, :, None], 30 * torch.randn_like(key), key),
            torch.where(where(key.shape[1])[None, :, None], 30 * torch.randn_like(value), value),
        )
        for name, (key, value) in memory.items()
    }


def _recalled(
    capture: Capture, forward: Forward, x: Tensor, memory: Memory, masks: dict[int, Tensor]
) -> Tensor:
    with capture.recall(memory, masks):
        return forward(x)


def test_memory_is_the_layers_own_keys_and_values(capture: Capture, forward: Forward) -> None:
    x = torch.randn(2, 4, *SIZE)
    site = capture._self[-1]
    projected: dict[str, Tensor] = {}
    handles = [
        site.module.get_submodule(name).register_forward_hook(
            lambda _, __, out, name=name: projected.update({name: out})
        )
        for name in ("to_k", "to_v")
    ]
    try:
        memory = _memory(capture, forward, x)
    finally:
        for handle in handles:
            handle.remove()
    assert torch.equal(memory[site.name][0], projected["to_k"])
    assert torch.equal(memory[site.name][1], projected["to_v"])
    h, w = map_size(SIZE, site.level)
    assert memory[site.name][0].shape[:2] == (2, h * w)
    assert memory.keys() == {s.name for s in capture._self}


def test_memory_is_recorded_on_request_only(capture: Capture, forward: Forward) -> None:
    with capture.record(SIZE) as seen:
        forward(torch.randn(1, 4, *SIZE))
    assert seen.memory == {}


def test_own_keys_alone_are_the_plain_pass(capture: Capture, forward: Forward) -> None:
    x = torch.randn(1, 4, *SIZE)
    memory = _memory(capture, forward, torch.randn(1, 4, *SIZE))
    got = _recalled(capture, forward, x, memory, _masks(capture, True, torch.zeros))
    torch.testing.assert_close(got, forward(x), rtol=0, atol=1e-5)


def test_ones_own_memory_in_full_is_the_plain_pass(capture: Capture, forward: Forward) -> None:
    # every key twice: a softmax over duplicates is the softmax
    x = torch.randn(1, 4, *SIZE)
    got = _recalled(capture, forward, x, _memory(capture, forward, x), _masks(capture, True, torch.ones))
    torch.testing.assert_close(got, forward(x), rtol=0, atol=1e-5)


def test_ones_own_memory_instead_of_ones_own_keys_is_the_plain_pass(
    capture: Capture, forward: Forward
) -> None:
    x = torch.randn(1, 4, *SIZE)
    got = _recalled(capture, forward, x, _memory(capture, forward, x), _masks(capture, False, torch.ones))
    torch.testing.assert_close(got, forward(x), rtol=0, atol=1e-5)


def test_forbidden_keys_leak_nothing(capture: Capture, forward: Forward) -> None:
    x = torch.randn(1, 4, *SIZE)
    memory = _memory(capture, forward, torch.randn(1, 4, *SIZE))
    masks = _masks(capture, True, _half)
    plain = _recalled(capture, forward, x, memory, masks)
    forbidden = _altered(memory, lambda cells: ~_half(cells))
    allowed = _altered(memory, _half)
    assert torch.equal(_recalled(capture, forward, x, forbidden, masks), plain)
    assert (_recalled(capture, forward, x, allowed, masks) - plain).abs().max() > 1e-2


def test_another_runs_memory_changes_the_output(capture: Capture, forward: Forward) -> None:
    x = torch.randn(1, 4, *SIZE)
    memory = _memory(capture, forward, torch.randn(1, 4, *SIZE))
    got = _recalled(capture, forward, x, memory, _masks(capture, True, torch.ones))
    assert (got - forward(x)).abs().max() > 1e-3


def test_one_memory_serves_a_batch(capture: Capture, forward: Forward) -> None:
    pair = torch.randn(2, 4, *SIZE)
    memory = _memory(capture, forward, torch.randn(1, 4, *SIZE))
    masks = _masks(capture, True, _half)
    together = _recalled(capture, forward, pair, memory, masks)
    for i in range(2):
        alone = _recalled(capture, forward, pair[i : i + 1], memory, masks)
        torch.testing.assert_close(together[i : i + 1], alone, rtol=0, atol=1e-4)


def test_recall_ends_with_its_block(capture: Capture, forward: Forward) -> None:
    x = torch.randn(1, 4, *SIZE)
    plain = forward(x)
    memory = _memory(capture, forward, torch.randn(1, 4, *SIZE))
    masks = _masks(capture, True, torch.ones)
    with pytest.raises(ZeroDivisionError), capture.recall(memory, masks):
        raise ZeroDivisionError
    assert torch.equal(forward(x), plain)


@pytest.mark.parametrize("recall_outside", [True, False])
def test_recall_and_a_partial_record_nest_either_way(
    capture: Capture, forward: Forward, recall_outside: bool
) -> None:
    x = torch.randn(1, 4, *SIZE)
    memory = _memory(capture, forward, torch.randn(1, 4, *SIZE))
    masks = _masks(capture, True, torch.ones)
    with capture.recall(memory, masks), capture.record(SIZE) as expected:
        forward(x)
    if recall_outside:
        with capture.recall(memory, masks), capture.record(SIZE, partial=True) as seen:
            forward(x)
    else:
        with capture.record(SIZE, partial=True) as seen, capture.recall(memory, masks):
            forward(x)
    for name, maps in expected.attention.items():
        assert torch.equal(seen.attention[name], maps)


def test_recall_touches_the_levels_that_have_a_mask_only(capture: Capture, forward: Forward) -> None:
    x = torch.randn(1, 4, *SIZE)
    memory = _memory(capture, forward, torch.randn(1, 4, *SIZE))
    assert capture.levels == (2, 3)
    masks = _masks(capture, True, torch.ones)
    with capture.recall(memory, {3: masks[3]}):
        assert {s.level for s in capture._self if capture._self_windows[s.name].memory is not None} == {3}
    plain = forward(x)
    assert not torch.allclose(_recalled(capture, forward, x, memory, {3: masks[3]}), plain, atol=1e-4)
    assert torch.equal(_recalled(capture, forward, x, memory, {}), plain)


def test_memory_can_be_limited_to_some_layers(backbone: Backbone, forward: Forward) -> None:
    with Capture(backbone.unet, memory=LayerSelection(("up",), (0,))) as capture:
        memory = _memory(capture, forward, torch.randn(1, 4, *SIZE))
        assert capture.levels == (2,)
        assert len(memory) == 2


def test_recall_works_under_autocast(capture: Capture, forward: Forward) -> None:
    x = torch.randn(1, 4, *SIZE)
    with torch.autocast("cpu", torch.bfloat16):
        plain = forward(x)
        got = _recalled(capture, forward, x, _memory(capture, forward, x), _masks(capture, True, torch.ones))
    assert (got - plain).abs().mean() < 0.02 * plain.abs().mean()


def test_a_hidden_key_has_no_weight_in_any_self_attention_layer(backbone: Backbone, prompt: Prompt) -> None:
    """Each layer's output is that of the keys that are left, whatever stands where keys are hidden."""
    outputs: dict[str, Tensor] = {}
    inputs: dict[str, Tensor] = {}
    layers = [site for site in attention_sites(backbone.unet, cross=False)]
    with Capture(backbone.unet, memory=LayerSelection(("up",), (0,)), hiding=EVERYWHERE) as windows:
        assert set(windows.hiding_levels) == {site.level for site in layers}
        keys = {}
        for level in windows.hiding_levels:
            h, w = map_size(SIZE, level)
            keys[level] = torch.arange(h * w) % 3 != 1

        def keep(name: str) -> Callable[..., None]:
            def hook(_: object, given: tuple[Tensor, ...], named: dict[str, Tensor], out: Tensor) -> None:
                inputs[name], outputs[name] = given[0] if given else named["hidden_states"], out

            return hook

        hooks = [site.module.register_forward_hook(keep(site.name), with_kwargs=True) for site in layers]
        with windows.recall({}, {}, keys):
            backbone(torch.randn(1, 4, *SIZE), 501, prompt.conditioning)
            for hook in hooks:
                hook.remove()
            for site in layers:
                x, seen, attn = inputs[site.name], keys[site.level], cast("Any", site.module)
                altered = torch.where(seen[None, :, None], x, 30 * torch.randn_like(x))
                again = attn(altered)
                assert torch.equal(again[:, seen], outputs[site.name][:, seen])
                q, k, v = attn.to_q(x), attn.to_k(x)[:, seen], attn.to_v(x)[:, seen]
                q, k, v = (one.unflatten(2, (attn.heads, -1)).transpose(1, 2) for one in (q, k, v))
                left = (q @ k.transpose(-1, -2) * attn.scale).softmax(-1) @ v
                expected = attn.to_out[0](left.transpose(1, 2).flatten(2))
                torch.testing.assert_close(outputs[site.name], expected, rtol=1e-4, atol=1e-4)
    assert len(layers) > len(windows._self)


def test_hidden_keys_and_another_runs_keys_go_together(capture: Capture, forward: Forward) -> None:
    """The mask says which of both may be seen, and hiding takes from the run's own."""
    x, other = torch.randn(1, 4, *SIZE), torch.randn(1, 4, *SIZE)
    memory = _memory(capture, forward, other)
    masks = _masks(capture, True, lambda cells: torch.ones(cells))
    keys = {level: _half(mask.shape[0]) for level, mask in masks.items()}
    narrowed = {level: mask.clone() for level, mask in masks.items()}
    for level, mask in narrowed.items():
        mask[:, : mask.shape[0]] &= keys[level]
    with capture.recall(memory, masks, keys):
        hidden = forward(x)
    torch.testing.assert_close(hidden, _recalled(capture, forward, x, memory, narrowed))
