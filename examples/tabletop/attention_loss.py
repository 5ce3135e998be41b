"""Losses that tie a noun's cross-attention to the object it names (TokenCompose: Wang et al. 2023).

For a noun's map A over the places of a layer and its object's mask M,

    token loss = (1 - sum(A M) / sum(A))^2        pixel loss = BCE(A, M)

each averaged over nouns and layers. A is averaged over heads, and over the noun's tokens.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Nouns:
    """The nouns of a batch's captions whose objects are known.

    Attributes:
        samples: int ``[M]``, the sample that each noun belongs to.
        tokens: float ``[M, tokens]``, a weight for each token of the prompt; rows sum to one.
        masks: float ``[M, 1, H, W]`` in [0, 1], the object named.
    """

    samples: Tensor
    tokens: Tensor
    masks: Tensor

    def to(self, device: torch.device) -> "Nouns":
        """The same on another device."""
        return Nouns(self.samples.to(device), self.tokens.to(device), self.masks.to(device))


@dataclass(slots=True)
class Kept:
    """What the cross-attention layers of a U-Net did in a forward pass.

    Attributes:
        maps: each layer's attention to the prompt's tokens, ``[B, places, tokens]``, heads averaged.
        vocabulary: words that each place is asked about beside the prompt, ``[words, D]``; None for none.
        readings: each layer's attention to those words alone, ``[B, places, words]``, heads averaged.
    """

    maps: list[Tensor] = field(default_factory=list)
    vocabulary: Tensor | None = None
    readings: list[Tensor] = field(default_factory=list)

    def clear(self) -> None:
        """Forget a pass."""
        self.maps.clear()
        self.readings.clear()


class PlainAttention:
    """Softmax attention as two products, kept for cross-attention.

    On a CPU's small maps this trains twice as fast as the fused kernel, whose backward took 40 % of a step.
    """

    def __init__(self, kept: Kept | None = None) -> None:
        self._kept = kept

    def __call__(
        self,
        attn: Any,  # noqa: ANN401 - diffusers' Attention, whose optional parts are typed None
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """As diffusers' ``AttnProcessor``, for ``[B, places, channels]`` without a mask."""
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states

        def by_head(values: Tensor) -> Tensor:
            return values.unflatten(-1, (attn.heads, -1)).transpose(1, 2)

        query = by_head(attn.to_q(hidden_states)) * attn.scale
        shares = (query @ by_head(attn.to_k(context)).transpose(-1, -2)).softmax(-1)
        if self._kept is not None:
            self._kept.maps.append(shares.mean(1, dtype=torch.float32))
            if self._kept.vocabulary is not None:
                words = attn.to_k(self._kept.vocabulary).unflatten(-1, (attn.heads, -1))
                logits = torch.einsum("bhpd,whd->bhpw", query, words).float()
                self._kept.readings.append(logits.softmax(-1).mean(1))
        mixed = shares @ by_head(attn.to_v(context))
        return attn.to_out[1](attn.to_out[0](mixed.transpose(1, 2).flatten(2)))


def keep_attention(unet: UNet2DConditionModel) -> Kept:
    """Make each call of the U-Net add what its cross-attention layers do."""
    kept = Kept()
    processors: dict[str, Any] = {
        name: PlainAttention(kept if "attn2" in name else None) for name in unet.attn_processors
    }
    unet.set_attn_processor(processors)
    return kept


def attention_loss(maps: list[Tensor], nouns: Nouns) -> tuple[Tensor, Tensor]:
    """Both losses' sum, and the share of attention inside the objects (no gradient), for square maps."""
    if not len(nouns.samples) or not maps:
        zero = nouns.masks.new_zeros(())
        return zero, zero
    losses, insides = [], []
    masks: dict[int, Tensor] = {}
    for layer in maps:
        places = layer.shape[1]
        if places not in masks:
            masks[places] = F.adaptive_avg_pool2d(nouns.masks, round(places**0.5)).flatten(1)
        mask = masks[places]
        attention = torch.einsum("mpt,mt->mp", layer[nouns.samples], nouns.tokens)
        inside = (attention * mask).sum(1) / attention.sum(1).clamp_min(1e-6)
        pixel = F.binary_cross_entropy(attention.clamp(1e-5, 1 - 1e-5), mask)
        losses.append((1 - inside).square().mean() + pixel)
        insides.append(inside.detach().mean())
    return torch.stack(losses).mean(), torch.stack(insides).mean()
