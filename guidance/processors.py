"""Attention processors with a window: the original's result, and a view of keys, values or probabilities.

Probabilities are made explicitly only while they are being recorded. At all other times the original (fused)
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
    """The part of diffusers' ``Attention`` that a window uses."""

    heads: int
    scale: float
    to_q: Callable[[Tensor], Tensor]
    to_k: Callable[[Tensor], Tensor]
    to_v: Callable[[Tensor], Tensor]
    to_out: Iterable[Callable[[Tensor], Tensor]]


def split_heads(x: Tensor, count: int) -> Tensor:
    """Splits [B, L, heads * d] into [B, heads, L, d]."""
    return x.view(*x.shape[:-1], count, -1).transpose(1, 2)


def _out(attn: AttentionLayer, x: Tensor) -> Tensor:
    """Joins the heads [B, heads, L, d] and applies the layer's output projection; [B, L, D]."""
    projection, dropout = attn.to_out
    return dropout(projection(x.transpose(1, 2).flatten(2)))


def no_autocast(device_type: str) -> AbstractContextManager[object]:
    """Returns a block without autocasting, on devices that have any."""
    if torch.amp.is_autocast_available(device_type):
        return torch.autocast(device_type, enabled=False)
    return nullcontext()


@dataclass
class CrossAttentionWindow:
    """Cross-attention that hands its probabilities to ``sink`` while there is one.

    Args:
        inner: the original processor.
        sink: receives the probabilities averaged over the heads, ``[B, L, K]`` in fp32, attached to the
            graph.
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
        """Runs the layer; [B, L, D] to [B, L, D]."""
        if self.sink is None or encoder_hidden_states is None:
            return self.inner(attn, hidden_states, encoder_hidden_states, *args, **kwargs)
        q, k, v = (
            split_heads(x, attn.heads)
            for x in (
                attn.to_q(hidden_states),
                attn.to_k(encoder_hidden_states),
                attn.to_v(encoder_hidden_states),
            )
        )
        # the scores of large models overflow half precision: fp32 for the product and the softmax
        with no_autocast(q.device.type):
            probabilities = (q.float() @ k.float().transpose(-1, -2) * attn.scale).softmax(-1)
        self.sink(probabilities.mean(1))
        return _out(attn, probabilities.to(v.dtype) @ v)


@dataclass
class SelfAttentionWindow:
    """Self-attention that can record its keys and values, hide some, or read another run's beside its own.

    Args:
        inner: the original processor.
        sink: receives ``(K, V)``, each ``[B, L, D]``.
        memory: another run's ``(K, V)``, each ``[B, M, D]``, appended to the layer's own.
        mask: bool ``[L, L + M]``, True where a query may attend to a key, the layer's own keys first.
        keys: bool ``[L]``, False where a key of the layer's own is hidden from every query, or ``[L, L]``,
            from a query.
    """

    inner: Processor
    sink: Callable[[tuple[Tensor, Tensor]], None] | None = None
    memory: tuple[Tensor, Tensor] | None = None
    mask: Tensor | None = field(default=None, repr=False)
    keys: Tensor | None = field(default=None, repr=False)

    def __call__(
        self,
        attn: AttentionLayer,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        *args: object,
        **kwargs: object,
    ) -> Tensor:
        """Runs the layer; [B, L, D] to [B, L, D]."""
        if self.sink is None and self.memory is None and self.keys is None:
            return self.inner(attn, hidden_states, encoder_hidden_states, *args, **kwargs)
        q, k, v = attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states)
        if self.sink is not None:
            self.sink((k.detach(), v.detach()))
        if self.memory is not None:
            batch = hidden_states.shape[0]
            key, value = (m.to(k).expand(batch, -1, -1) for m in self.memory)
            k, v = torch.cat([k, key], 1), torch.cat([v, value], 1)
        q, k, v = (split_heads(x, attn.heads) for x in (q, k, v))
        mask = self._allowed(k.shape[2])
        return _out(attn, scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=attn.scale))

    def _allowed(self, keys: int) -> Tensor | None:
        """Returns which query may attend to which of so many keys, bool ``[L or 1, keys]``; None is all."""
        mask = None if self.memory is None else self.mask
        if self.keys is None:
            return mask
        own = self.keys if self.keys.dim() == 2 else self.keys[None]
        seen = torch.cat([own, own.new_ones(len(own), keys - own.shape[1])], 1)
        return seen if mask is None else mask & seen
