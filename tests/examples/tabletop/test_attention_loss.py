from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor
from transformers import CLIPTokenizer

from examples.tabletop.attention_loss import Kept, Nouns, PlainAttention, attention_loss, keep_attention
from examples.tabletop.model import TabletopModel, whole_sizes

SHARE = 3 / 8  # of the picture that LEFT covers, in whole cells of an 8 x 8 map
LEFT = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
LEFT[..., :24] = 1


def nouns(samples: list[int], tokens: list[list[float]], masks: Tensor) -> Nouns:
    return Nouns(torch.tensor(samples), torch.tensor(tokens, dtype=torch.float64), masks)


def layer_of(map_: Tensor, token: int, tokens: int = 3) -> Tensor:
    """[1, places, tokens], with a map [8, 8] for one token."""
    layer = torch.zeros(1, map_.numel(), tokens, dtype=torch.float64)
    layer[0, :, token] = map_.flatten()
    return layer


def small(mask: Tensor = LEFT) -> Tensor:
    return mask[0, 0, ::8, ::8].clone()


def bce(attention: float, target: float) -> float:
    return -(target * math.log(attention) + (1 - target) * math.log(1 - attention))


def test_attention_that_is_the_mask_costs_nothing() -> None:
    loss, inside = attention_loss([layer_of(small(), 1)], nouns([0], [[0, 1, 0]], LEFT))
    assert loss.item() == pytest.approx(0, abs=2e-5)  # the pixel term is clamped at 1e-5
    assert inside.item() == pytest.approx(1)


@pytest.mark.parametrize("level", [0.02, 0.3, 0.9])
def test_even_attention_misses_by_what_the_mask_leaves_out(level: float) -> None:
    loss, inside = attention_loss([layer_of(torch.full((8, 8), level), 2)], nouns([0], [[0, 0, 1]], LEFT))
    pixel = SHARE * bce(level, 1) + (1 - SHARE) * bce(level, 0)
    assert inside.item() == pytest.approx(SHARE)
    assert loss.item() == pytest.approx((1 - SHARE) ** 2 + pixel)


def test_attention_outside_alone_costs_most() -> None:
    loss, inside = attention_loss([layer_of(0.5 * (1 - small()), 1)], nouns([0], [[0, 1, 0]], LEFT))
    pixel = SHARE * bce(1e-5, 1) + (1 - SHARE) * bce(0.5, 0)
    assert inside.item() == 0
    assert loss.item() == pytest.approx(1 + pixel)


def test_a_noun_of_several_tokens_has_their_mean() -> None:
    maps = torch.rand(1, 64, 4, dtype=torch.float64)
    merged = torch.zeros_like(maps)
    merged[..., 3] = (maps[..., 1] + maps[..., 2]) / 2
    two = attention_loss([maps], nouns([0], [[0, 0.5, 0.5, 0]], LEFT))
    one = attention_loss([merged], nouns([0], [[0, 0, 0, 1]], LEFT))
    torch.testing.assert_close(two, one)


def test_nouns_and_layers_count_alike() -> None:
    fine, coarse = torch.rand(2, 64, 3, dtype=torch.float64), torch.rand(2, 16, 3, dtype=torch.float64)
    masks = torch.cat([LEFT, 1 - LEFT])
    both = nouns([1, 0], [[0, 1, 0], [0, 0, 1]], masks)
    alone = [nouns([1], [[0, 1, 0]], masks[:1]), nouns([0], [[0, 0, 1]], masks[1:])]
    losses, insides = zip(
        *(attention_loss([layer], noun) for layer in (fine, coarse) for noun in alone), strict=True
    )
    loss, inside = attention_loss([fine, coarse], both)
    torch.testing.assert_close(loss, torch.stack(losses).mean())
    torch.testing.assert_close(inside, torch.stack(insides).mean())


def test_a_cell_that_an_object_half_covers_is_half_its() -> None:
    mask = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    mask[..., :4] = 1  # half a cell of 8 pixels
    target = torch.zeros(8, 8, dtype=torch.float64)
    target[:, 0] = 0.5
    loss, inside = attention_loss([layer_of(target, 0)], nouns([0], [[1, 0, 0]], mask))
    assert inside.item() == pytest.approx(0.5)
    pixel = (bce(0.5, 0.5) + 7 * bce(1e-5, 0)) / 8
    assert loss.item() == pytest.approx(0.25 + pixel, rel=1e-4)


def test_samples_without_nouns_have_no_say() -> None:
    maps = torch.rand(3, 64, 3, dtype=torch.float64, requires_grad=True)
    chosen = nouns([1], [[0, 1, 0]], LEFT)
    loss, inside = attention_loss([maps], chosen)
    (gradient,) = torch.autograd.grad(loss, maps)
    assert not gradient[[0, 2]].any()
    assert not gradient[..., [0, 2]].any()
    assert gradient[1, :, 1].abs().min() > 0
    assert not inside.requires_grad
    other = maps.detach().clone()
    other[[0, 2]] = 0.9
    assert attention_loss([other], chosen)[0].item() == loss.item()


def test_a_batch_without_nouns_costs_nothing() -> None:
    none = Nouns(torch.zeros(0, dtype=torch.long), torch.zeros(0, 3), torch.zeros(0, 1, 64, 64))
    for maps in ([], [torch.rand(2, 64, 3)]):
        loss, inside = attention_loss(maps, none)
        assert (loss.item(), inside.item(), loss.shape) == (0, 0, ())


def test_the_gradient_is_that_of_the_loss() -> None:
    masks = (torch.rand(2, 1, 8, 8, dtype=torch.float64) > 0.5).double()
    chosen = nouns([0, 1], [[0, 1, 0], [0.5, 0, 0.5]], masks)
    maps = torch.rand(2, 16, 3, dtype=torch.float64) * 0.8 + 0.1

    def loss(of: Tensor) -> Tensor:
        return attention_loss([of], chosen)[0]

    assert torch.autograd.gradcheck(loss, maps.requires_grad_())


@pytest.mark.parametrize("cross", [True, False])
def test_plain_attention_is_diffusers_attention(cross: bool) -> None:
    attention: Any = Attention(24, 40 if cross else None, heads=3, dim_head=8).double()
    hidden = torch.randn(2, 16, 24, dtype=torch.float64, requires_grad=True)
    context = torch.randn(2, 7, 40, dtype=torch.float64, requires_grad=True) if cross else None
    leaves = [hidden, *attention.parameters(), *([context] if context is not None else [])]
    found = []
    for processor in (AttnProcessor2_0(), PlainAttention(), PlainAttention(Kept())):
        attention.set_processor(processor)
        output = attention(hidden, encoder_hidden_states=context)
        found.append((output, *torch.autograd.grad(output.square().sum(), leaves)))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-10, atol=1e-12)


def test_the_maps_kept_are_the_softmax_of_queries_and_keys() -> None:
    attention: Any = Attention(24, 40, heads=3, dim_head=8)
    watched = Kept(vocabulary=torch.randn(5, 40))
    attention.set_processor(PlainAttention(watched))
    hidden, context = torch.randn(2, 16, 24), torch.randn(2, 7, 40)
    attention(hidden, encoder_hidden_states=context)
    expected, told = torch.zeros(2, 16, 7), torch.zeros(2, 16, 5)
    for head in range(3):
        rows = slice(8 * head, 8 * head + 8)
        query, key = hidden @ attention.to_q.weight[rows].T, context @ attention.to_k.weight[rows].T
        expected += torch.softmax(query @ key.transpose(1, 2) / math.sqrt(8), -1) / 3
        words = watched.vocabulary @ attention.to_k.weight[rows].T
        told += torch.softmax(query @ words.T / math.sqrt(8), -1) / 3
    (kept,), (reading,) = watched.maps, watched.readings
    torch.testing.assert_close(reading, told)
    watched.clear()
    assert not watched.maps
    assert not watched.readings
    torch.testing.assert_close(kept, expected)
    torch.testing.assert_close(kept.sum(-1), torch.ones(2, 16))
    assert kept.requires_grad


def test_the_unet_keeps_its_cross_attention_alone_and_answers_as_before(tokenizer: CLIPTokenizer) -> None:
    model = TabletopModel.new(tokenizer).eval()
    inputs = (
        torch.randn(1, 4, 16, 16),
        torch.tensor([300]),
        tokenizer(["a red mug"], padding="max_length", return_tensors="pt").input_ids,
        torch.tensor([True]),
        whole_sizes(64),
    )
    crosses = [name for name in model.unet.attn_processors if "attn2" in name]
    with torch.no_grad():
        before = model(*inputs)
        kept = keep_attention(model.unet)
        after = model(*inputs)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)
    assert len(kept.maps) == len(crosses) > 0
    assert not kept.readings
    assert {layer.shape[-1] for layer in kept.maps} == {tokenizer.model_max_length}
