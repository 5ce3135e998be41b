"""Words in all layers: closed forms, and one pass against a computation that keeps everything."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from guidance.goca import Grid, WordMaps, affinity, head_weights, layer_weight, scaled, weighed
from guidance.layers import LayerSelection, Site, attention_sites, map_size
from guidance.word_watch import WordWatch
from small_sdxl import small_sdxl

LATENT = (10, 14)
TOKENS = 7


def layer(heads: int, places: int = 12, tokens: int = 5, width: int = 4) -> tuple[Tensor, Tensor, nn.Linear]:
    """Random probabilities, values read, and output projection."""
    attention = torch.randn(heads, places, tokens).softmax(-1)
    return attention, attention @ torch.randn(heads, tokens, width), nn.Linear(heads * width, 6)


def module_of(site: Site) -> Any:
    return site.module


def projection_of(site: Site) -> Any:
    return module_of(site).to_out[0].weight


def rows(q: Tensor, scale: float = 1.0) -> Tensor:
    out = torch.zeros(q.shape[1], q.shape[1])
    affinity(q, q, scale, out.__setitem__)
    return out


def test_one_head_is_the_layer() -> None:
    attention, values, projection = layer(1)
    torch.testing.assert_close(weighed(attention, values, projection), attention[0])


def test_heads_that_do_the_same_count_the_same() -> None:
    _, values, projection = layer(1)
    width = values.shape[-1]
    alike = nn.Linear(3 * width, 6)
    alike.weight.data = projection.weight.data.repeat(1, 3)
    weights = head_weights(values.expand(3, -1, -1), alike)
    torch.testing.assert_close(weights, torch.full_like(weights, 1 / 3))


def test_a_head_that_writes_nothing_has_no_say_and_all_have_one() -> None:
    _, values, projection = layer(3)
    values[1] = 0
    weights = head_weights(values, projection)
    assert weights[1].abs().max() == 0
    torch.testing.assert_close(weights.sum(0), torch.ones(12))


def test_a_heads_say_is_its_part_in_the_outputs_squared_length() -> None:
    _, values, projection = layer(3)
    parts = torch.einsum("npd,fnd->npf", values, projection.weight.unflatten(1, (3, 4)))
    out = parts.sum(0)
    expected = (parts * out).sum(-1) / (out * out).sum(-1)
    torch.testing.assert_close(head_weights(values, projection), expected, rtol=1e-4, atol=1e-5)


def test_a_layer_that_ignores_what_it_sees_has_no_weight() -> None:
    alike = rows(torch.randn(2, 12, 8), 2.0)
    assert layer_weight(torch.full((12, 12), 1 / 12), alike) == pytest.approx(0, abs=1e-5)
    assert layer_weight(alike, alike) > 0.1
    assert layer_weight(torch.eye(12), torch.eye(12)) == 11
    # one that sees the others alone sees the wrong places
    assert layer_weight((1 - torch.eye(12)) / 11, torch.eye(12)) == 0


@pytest.mark.parametrize("latent", [(8, 12), (7, 9)])
def test_a_coarse_layers_product_is_that_of_the_layer_enlarged(latent: tuple[int, int]) -> None:
    grid = Grid(latent, 0)
    fine, coarse = latent[0] * latent[1], map_size(latent, 1)
    reference = torch.rand(fine, fine).softmax(-1)
    seen = torch.rand(coarse[0] * coarse[1], coarse[0] * coarse[1]).softmax(-1)
    cells = grid.cells(1)
    wide = seen[cells][:, cells]
    wide = wide / torch.bincount(cells)[cells]
    torch.testing.assert_close(wide.sum(1), torch.ones(fine))
    pooled = grid.pooled(reference, 1)
    torch.testing.assert_close((seen * pooled).sum(), (wide * reference).sum())


def test_affinity_of_two_blobs_is_two_blocks_and_spreads_over_each_alone() -> None:
    blob = torch.zeros(6, 8, dtype=torch.bool)
    blob[1:4, 1:5] = True
    inside = blob.flatten()
    q = torch.where(inside[:, None], torch.tensor([9.0, 0]), torch.tensor([0, 9.0]))[None]
    alike = rows(q)
    expected = torch.where(inside[:, None] == inside[None], 1.0, 0.0)
    torch.testing.assert_close(alike, expected / expected.sum(1, keepdim=True))
    # a word that shows a corner of the blob shows all of it, and nothing else
    attention = torch.full((48, 2), 0.5)
    attention[9, 1] = 0.9
    heat = WordMaps(attention, alike, (6, 8), {}).heat([1])
    torch.testing.assert_close(heat, blob.float(), atol=0.2, rtol=0)
    assert heat[blob].min() > 0.8 > 0.2 > heat[~blob].max()


def test_some_rows_at_a_time_are_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    q = torch.randn(3, 11, 4)
    whole = rows(q, 0.5)
    torch.testing.assert_close(whole, (q @ q.transpose(1, 2) * 0.5).softmax(-1).mean(0))
    monkeypatch.setattr("guidance.goca._ROWS", 4)
    torch.testing.assert_close(rows(q, 0.5), whole)


def test_a_word_is_measured_by_the_start_token() -> None:
    attention = torch.tensor([[0.5, 0.1], [0.1, 0.1], [0.5, 0.1], [0.5, 0.1]])
    maps = WordMaps(attention, torch.eye(4), (2, 2), {})
    # places that attend to no word alike, yet the second to little else
    assert maps.relative([1]).flatten().argmax() == 1
    assert scaled(torch.ones(3)).abs().max() == 0


@pytest.fixture(scope="module")
def unet() -> Any:
    """SDXL's blocks with narrow layers."""
    return small_sdxl().unet


@pytest.fixture
def forward(unet: Any) -> Callable[[], Tensor]:
    x, text, pooled = torch.randn(1, 4, *LATENT), 3 * torch.randn(1, TOKENS + 4, 80), torch.randn(1, 48)
    extra = {"text_embeds": pooled, "time_ids": torch.tensor([[80.0, 112, 0, 0, 80, 112]])}

    def run() -> Tensor:
        with torch.no_grad():
            return unet(x, 100, text, added_cond_kwargs=extra).sample

    return run


def kept(unet: Any, forward: Callable[[], Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Every attention layer's inputs, by its name."""
    inputs: dict[str, tuple[Tensor, Tensor]] = {}
    hooks = []
    for cross in (True, False):
        for site in attention_sites(unet, cross=cross):

            def keep(_: nn.Module, args: Any, kwargs: Any, name: str = site.name) -> None:
                said = kwargs.get("encoder_hidden_states")
                inputs[name] = (args[0][0], args[0][0] if said is None else said[0])

            hooks.append(site.module.register_forward_pre_hook(keep, with_kwargs=True))
    forward()
    for hook in hooks:
        hook.remove()
    return inputs


def naive(unet: Any, inputs: dict[str, tuple[Tensor, Tensor]]) -> WordMaps:
    """Everything from what was kept, with each layer's maps enlarged and held."""

    def parts(attn: Any, *given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden, encoded = given
        made = (attn.to_q(hidden), attn.to_k(encoded), attn.to_v(encoded))
        q, k, v = (x.unflatten(-1, (attn.heads, -1)).transpose(0, 1) for x in made)
        return q, (q @ k.transpose(1, 2) * attn.scale).softmax(-1), v

    crosses, owns = attention_sites(unet, cross=True), attention_sites(unet, cross=False)
    level = min(site.level for site in crosses)
    size = map_size(LATENT, level)
    reference = next(site for site in crosses if site.level == level and site.part == "up")
    q = parts(module_of(reference), *inputs[reference.name])[0]
    alike = (q @ q.transpose(1, 2) * module_of(reference).scale).softmax(-1).mean(0)
    grid = Grid(LATENT, level)
    total, weights, finest = torch.zeros(1), {}, []
    for cross, own in zip(crosses, owns, strict=True):
        _, attention, values = parts(module_of(cross), *inputs[cross.name])
        heads = attention @ values
        projection = projection_of(cross).unflatten(1, (len(heads), -1))
        out = torch.einsum("npd,fnd->npf", heads, projection)
        share = (out * out.sum(0)).sum(-1) / out.sum(0).square().sum(-1)
        words = (share[..., None] * attention).sum(0)[:, :TOKENS]
        seen = parts(module_of(own), *inputs[own.name])[1].mean(0)
        if own.level == level:
            finest.append(seen)
        cells = grid.cells(own.level)
        wide = seen[cells][:, cells] / torch.bincount(cells)[cells]
        weights[cross.name] = max(0.0, float((wide * alike).sum()) - 1)
        maps = words.T.unflatten(1, map_size(LATENT, cross.level))[None]
        maps = F.interpolate(maps, size, mode="bilinear", align_corners=False)[0].flatten(1).T
        total = total + weights[cross.name] * maps
    whole = sum(weights.values())
    weights = {name: weight / whole for name, weight in weights.items()}
    return WordMaps((total / whole).clamp_min(0), torch.stack(finest).mean(0), size, weights)


def test_one_pass_sees_what_keeping_everything_shows(unet: Any, forward: Callable[[], Tensor]) -> None:
    expected = naive(unet, kept(unet, forward))
    with WordWatch(unet).record(LATENT, tokens=TOKENS) as seen:
        forward()
    maps = seen.maps()
    assert maps.size == expected.size == (5, 7)
    assert maps.weights == pytest.approx(expected.weights, rel=1e-3, abs=1e-6)
    assert max(maps.weights.values()) > 2 * min(maps.weights.values())
    torch.testing.assert_close(maps.attention, expected.attention, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(maps.spread, expected.spread)
    torch.testing.assert_close(maps.heat([3, 4]), expected.heat([3, 4]), rtol=1e-3, atol=1e-4)


def test_it_changes_no_bit_and_leaves_no_trace(unet: Any, forward: Callable[[], Tensor]) -> None:
    plain = forward()
    before = [module_of(site).processor for site in attention_sites(unet, cross=True)]
    with WordWatch(unet).record(LATENT) as seen:
        assert torch.equal(forward(), plain)
    after = [module_of(site).processor for site in attention_sites(unet, cross=True)]
    assert all(one is other for one, other in zip(before, after, strict=True))
    assert seen.maps().attention.shape == (35, TOKENS + 4)
    with pytest.raises(KeyError), WordWatch(unet).record(LATENT):
        raise KeyError
    assert torch.equal(forward(), plain)


def test_nothing_is_told_of_a_pass_that_was_not_run_or_layers_that_are_not_there(unet: Any) -> None:
    with WordWatch(unet).record(LATENT) as seen:
        pass
    with pytest.raises(RuntimeError):
        seen.maps()
    with pytest.raises(ValueError, match="names no layer"):
        WordWatch(unet, LayerSelection(("up",), (7,)))


class LargeTensors(TorchDispatchMode):
    """Counts the bytes of living tensors that are as large as an affinity of places."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least, self.living, self.peak = least, 0, 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for made in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(made, Tensor) and made.numel() >= self.least:
                storage = made.untyped_storage()
                if storage.data_ptr() not in self._known:
                    self._known.add(storage.data_ptr())
                    self.living += storage.nbytes()
                    weakref.finalize(made, self._gone, storage.data_ptr(), storage.nbytes())
                    self.peak = max(self.peak, self.living)
        return out

    def _gone(self, place: int, size: int) -> None:
        if place in self._known:
            self._known.discard(place)
            self.living -= size


def test_of_affinities_the_two_sums_are_held_and_one_layers_at_a_time(unet: Any) -> None:
    side, places = 64, 32 * 32
    text, extra = torch.randn(1, 9, 80), {"text_embeds": torch.randn(1, 48), "time_ids": torch.ones(1, 6)}
    with WordWatch(unet).record((side, side), tokens=TOKENS) as seen, torch.no_grad():
        with LargeTensors(places * places) as plain:
            unet.conv_in(torch.randn(1, 4, side, side))
        assert plain.peak == 0
        with LargeTensors(places * places) as watched:
            unet(torch.randn(1, 4, side, side), 100, text, added_cond_kwargs=extra)
    one = 4 * places * places
    finest = [site for site in attention_sites(unet, cross=False) if site.level == 1]
    heads = sum(module_of(site).heads for site in finest)
    assert heads >= 10
    # the reference and the sum; beside them one head's scores, their scaling, softmax and mean
    assert 2 * one <= watched.peak <= 6 * one
    assert watched.living <= 2 * one
    assert seen.maps().size == (32, 32)
