"""Attention with a window in it: the same result as the processor that stood there, and what went on inside.

Probabilities are made explicitly only while they are being recorded; at all other times the original (fused)
processor runs, so that an idle window costs nothing and changes no bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

Processor = Callable[..., Tensor]


class AttentionLayer(Protocol):
    """What a window needs of diffusers' ``Attention``."""

    heads: int
    scale: float
    to_q: Callable[[Tensor], Tensor]
    to_k: Callable[[Tensor], Tensor]
    to_v: Callable[[Tensor], Tensor]
    to_out: Iterable[Callable[[Tensor], Tensor]]


def _heads(x: Tensor, count: int) -> Tensor:
    """[B, L, heads * d] to [B, heads, L, d]."""
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def _out(attn: AttentionLayer, x: Tensor) -> Tensor:
    """[B, heads, L, d] through the layer's output projection, to [B, L, D]."""
    projection, dropout = attn.to_out
    return dropout(projection(x.transpose(1, 2).flatten(2)))


def _no_autocast(device_type: str) -> AbstractContextManager[object]:
    if torch.amp.is_autocast_available(device_type):
        return torch.autocast(device_type, enabled=False)
    return nullcontext()


@dataclass
class CrossAttentionWindow:
    """Cross-attention that hands its probabilities, heads averaged, to ``sink`` while there is one.

    ``sink`` receives ``[B, L, K]`` in fp32, attached to the graph.
    """

    inner: Processor
    sink: Callable[[Tensor], None] | None = None

    def __call__(
        self,
        attn: AttentionLayer,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        *args: object,
        **kwargs: object,
    ) -> Tensor:
        """Run the layer; [B, L, D] to [B, L, D]."""
        if self.sink is None or encoder_hidden_states is None:
            return self.inner(attn, hidden_states, encoder_hidden_states, *args, **kwargs)
        q, k, v = (
            _heads(x, attn.heads)
            for x in (
                attn.to_q(hidden_states),
                attn.to_k(encoder_hidden_states),
                attn.to_v(encoder_hidden_states),
            )
        )
        # half precision overflows in the scores of large models, hence fp32 from the product on
        with _no_autocast(q.device.type):
            probabilities = (q.float() @ k.float().transpose(-1, -2) * attn.scale).softmax(-1)
        self.sink(probabilities.mean(1))
        return _out(attn, probabilities.to(v.dtype) @ v)


@dataclass
class SelfAttentionWindow:
    """Self-attention that can record its keys and values, or read those of another run beside its own.

    Recording hands ``(K, V)``, each ``[B, L, D]``, to ``sink``. Reading appends ``memory`` to the layer's own
    keys and values under ``mask``, ``[L, 2 L]`` boolean, True where a query may look (own keys first).
    """

    inner: Processor
    sink: Callable[[tuple[Tensor, Tensor]], None] | None = None
    memory: tuple[Tensor, Tensor] | None = None
    mask: Tensor | None = field(default=None, repr=False)

    def __call__(
        self,
        attn: AttentionLayer,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        *args: object,
        **kwargs: object,
    ) -> Tensor:
        """Run the layer; [B, L, D] to [B, L, D]."""
        if self.sink is None and self.memory is None:
            return self.inner(attn, hidden_states, encoder_hidden_states, *args, **kwargs)
        q, k, v = attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states)
        if self.sink is not None:
            self.sink((k.detach(), v.detach()))
        if self.memory is not None:
            batch = hidden_states.shape[0]
            key, value = (m.to(k).expand(batch, -1, -1) for m in self.memory)
            k, v = torch.cat([k, key], 1), torch.cat([v, value], 1)
        q, k, v = (_heads(x, attn.heads) for x in (q, k, v))
        mask = None if self.memory is None else self.mask
        return _out(attn, scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=attn.scale))
