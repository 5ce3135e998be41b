"""Windows on the embedded model: what they record, and that they leave no trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor2_0
from torch import Tensor, nn

from guidance.capture import Capture, Observation
from guidance.layers import PARTS, LayerSelection, attention_sites, map_size
from realedit.models.backbone import Backbone, Prompt

EVERYWHERE = LayerSelection(PARTS)
Forward = Callable[[Tensor], Tensor]


@pytest.fixture
def forward(backbone: Backbone, prompt: Prompt) -> Forward:
    """The model's prediction under the prompt, for a batch of any size."""
    return lambda x: backbone(x, 501, prompt.conditioning.expand(x.shape[0]))


@pytest.fixture
def x() -> Tensor:
    return torch.randn(1, 4, 16, 24)


@pytest.fixture
def capture(backbone: Backbone) -> Iterator[Capture]:
    """Windows on every layer, injected."""
    with Capture(backbone.unet, EVERYWHERE, EVERYWHERE, EVERYWHERE) as injected:
        yield injected


def processors(unet: nn.Module) -> list[Any]:
    return [m.processor for m in unet.modules() if hasattr(m, "set_processor")]


def hooks(unet: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in unet.modules())


def same(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(one is other for one, other in zip(a, b, strict=True))


def difference(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    assert a.keys() == b.keys()
    assert a
    return max((a[name] - b[name]).abs().max().item() for name in a)


def test_ejecting_leaves_no_trace(backbone: Backbone, forward: Forward, x: Tensor) -> None:
    before, plain = processors(backbone.unet), forward(x)
    capture = Capture(backbone.unet).inject()
    assert not same(processors(backbone.unet), before)
    with capture.record((16, 24), memory=True):
        forward(x)
    capture.eject()
    assert same(processors(backbone.unet), before)
    assert hooks(backbone.unet) == 0
    assert torch.equal(forward(x), plain)
    capture.eject()  # harmless


@pytest.mark.parametrize("partial", [True, False])
def test_an_exception_inside_leaves_no_trace(
    backbone: Backbone, forward: Forward, x: Tensor, partial: bool
) -> None:
    before, plain = processors(backbone.unet), forward(x)
    with pytest.raises(ZeroDivisionError):
        with Capture(backbone.unet) as capture, capture.record((16, 24), memory=True, partial=partial):
            raise ZeroDivisionError
    assert same(processors(backbone.unet), before)
    assert hooks(backbone.unet) == 0
    assert torch.equal(forward(x), plain)


def test_an_exception_in_the_forward_pass_closes_the_windows(
    backbone: Backbone, capture: Capture, forward: Forward, x: Tensor
) -> None:
    plain = forward(x)
    with pytest.raises(RuntimeError), capture.record((16, 24), memory=True):
        forward(x[:, :3])
    with pytest.raises(RuntimeError), capture.record((16, 40)):
        forward(x)
    assert hooks(backbone.unet) == 0
    assert torch.equal(forward(x), plain)


def test_idle_windows_change_no_bit(backbone: Backbone, forward: Forward, x: Tensor) -> None:
    plain = forward(x)
    with Capture(backbone.unet, EVERYWHERE, EVERYWHERE):
        assert torch.equal(forward(x), plain)


def test_recording_changes_the_output_by_rounding_alone(
    capture: Capture, forward: Forward, x: Tensor
) -> None:
    plain = forward(x)
    with capture.record((16, 24), memory=True):
        recorded = forward(x)
    assert (recorded - plain).abs().max() < 1e-5
    assert torch.equal(forward(x), plain)


def test_a_processor_with_weights_is_put_back_too(backbone: Backbone, forward: Forward, x: Tensor) -> None:
    class Learned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = AttnProcessor2_0()
            self.gain = nn.Parameter(torch.tensor(2.0))

        def forward(self, attn: Any, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            return self.gain * self.inner(attn, hidden_states, *args, **kwargs)

    attn: Any = attention_sites(backbone.unet, cross=True)[-1].module
    original, learned = attn.processor, Learned()
    unchanged = forward(x)
    try:
        attn.set_processor(learned)
        plain = forward(x)
        assert not torch.equal(plain, unchanged)
        with Capture(backbone.unet):
            assert torch.equal(forward(x), plain)
        assert attn.processor is learned
        assert torch.equal(forward(x), plain)
    finally:
        attn.set_processor(original)
    assert torch.equal(forward(x), unchanged)


def test_windows_go_in_once(capture: Capture) -> None:
    with pytest.raises(RuntimeError, match=r"^already injected$"):
        capture.inject()


def test_nothing_is_recorded_or_recalled_before_injection(backbone: Backbone) -> None:
    capture = Capture(backbone.unet)
    message = r"^inject the capture first \(or use it in a with block\)$"
    with pytest.raises(RuntimeError, match=message), capture.record((16, 24)):
        pass
    with pytest.raises(RuntimeError, match=message), capture.recall({}, {}):
        pass


def test_a_selection_of_nothing_is_refused(backbone: Backbone) -> None:
    with pytest.raises(ValueError, match="names no layer"):
        Capture(backbone.unet, attention=LayerSelection(("up",), (5,)))


def _record(capture: Capture, forward: Forward, x: Tensor, **options: Any) -> Observation:
    with capture.record((x.shape[-2], x.shape[-1]), **options) as seen:
        forward(x)
    return seen


@pytest.mark.parametrize("autocast", [False, True])
def test_recorded_attention_is_that_of_the_layers_own_queries_and_keys(
    capture: Capture, forward: Forward, x: Tensor, autocast: bool
) -> None:
    for site in capture._cross[0], capture._cross[-1]:
        attn: Any = site.module
        projected: dict[str, Tensor] = {}
        handles = [
            getattr(attn, name).register_forward_hook(
                lambda _, __, out, name=name, into=projected: into.__setitem__(name, out.float())
            )
            for name in ("to_q", "to_k")
        ]
        try:
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                seen = _record(capture, forward, x)
        finally:
            for handle in handles:
                handle.remove()
        q, k = projected["to_q"], projected["to_k"]
        per_head = q.shape[-1] // attn.heads
        total = torch.zeros(q.shape[1], k.shape[1])
        for head in range(attn.heads):
            own = slice(head * per_head, (head + 1) * per_head)
            weights = (q[0, :, own] @ k[0, :, own].T / per_head**0.5).exp()
            total += weights / weights.sum(1, keepdim=True)
        h, w = map_size((16, 24), site.level)
        expected = (total / attn.heads).view(1, h, w, -1)
        torch.testing.assert_close(seen.attention[site.name], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("size", [(16, 32), (32, 16), (24, 24), (19, 27), (17, 34), (33, 18)])
def test_maps_follow_the_latents_own_aspect_ratio(
    capture: Capture, forward: Forward, size: tuple[int, int]
) -> None:
    with torch.no_grad():
        seen = _record(capture, forward, torch.randn(2, 4, *size))
    assert len(seen.attention) == 11
    for site in capture._cross:
        attention = seen.attention[site.name]
        assert attention.shape == (2, *map_size(size, site.level), 48)
        assert attention.dtype == torch.float32
        torch.testing.assert_close(attention.sum(-1), torch.ones(attention.shape[:3]), rtol=0, atol=1e-5)
    for site in capture._transformers:
        assert seen.features[site.name].shape[:3] == (2, *map_size(size, site.level))


def test_maps_are_y_first(backbone: Backbone, capture: Capture, forward: Forward) -> None:
    # a latent that varies along x only, seen through maps that agree: less along y than along x
    x = torch.randn(1, 4, 1, 32).expand(1, 4, 16, 32).contiguous()
    with torch.no_grad():
        seen = _record(capture, forward, x)
    for name in ("up_blocks.1.attentions.0", "down_blocks.2.attentions.0"):
        attention = seen.attention[f"{name}.transformer_blocks.0.attn2"][0]
        features = seen.features[name][0]
        for maps in (attention, features):
            along_y, along_x = maps.diff(dim=0)[1:-1].abs().mean(), maps.diff(dim=1).abs().mean()
            assert along_y < 0.7 * along_x


def test_features_are_what_the_transformer_hands_on(
    backbone: Backbone, capture: Capture, forward: Forward, x: Tensor
) -> None:
    handed: list[Tensor] = []
    last: Any = backbone.unet.up_blocks[1].upsamplers[0]
    handle = last.register_forward_pre_hook(lambda _, args: handed.append(args[0]))
    try:
        with torch.no_grad():
            seen = _record(capture, forward, x)
    finally:
        handle.remove()
    assert torch.equal(seen.features[capture._transformers[-1].name], handed[0].permute(0, 2, 3, 1))


def test_tokens_keep_the_first_columns(capture: Capture, forward: Forward, x: Tensor) -> None:
    with torch.no_grad():
        whole, few = _record(capture, forward, x), _record(capture, forward, x, tokens=6)
    for name, attention in few.attention.items():
        assert torch.equal(attention, whole.attention[name][..., :6])


def test_autocast_sees_what_full_precision_sees(capture: Capture, forward: Forward, x: Tensor) -> None:
    with torch.no_grad():
        exact = _record(capture, forward, x)
        with torch.autocast("cpu", torch.bfloat16):
            plain = forward(x)
            seen = _record(capture, forward, x, memory=True)
            with capture.record((16, 24), memory=True):
                recorded = forward(x)
    assert {a.dtype for a in seen.attention.values()} == {torch.float32}
    assert 0 < difference(seen.attention, exact.attention) < 0.1
    assert (recorded - plain).abs().mean() < 0.02 * plain.abs().mean()
