"""Watches every attention layer of a UNet in one pass and puts words' maps together on the way (GoCA).

See :mod:`guidance.goca` for what is computed. No layer's maps outlive the layer: what a layer says is added
to sums of the finest grid's size. Layers that run before the reference do not know their weight yet. Of
these, the block's input and the words' map (``[P_l, D]`` and ``[P_l, K]``, no affinities) are kept until it
is known; their self-attention is then made once more.

Example::

    watch = WordWatch(unet)
    with watch.record((h, w), tokens=9) as seen:
        denoiser(x_t, t, conditioning)
    maps = seen.maps()
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from guidance.goca import Grid, WordMaps, affinity, probabilities, weighed
from guidance.layers import EVERYWHERE, LayerSelection, Site, attention_sites, select
from guidance.processors import AttentionLayer, Processor, no_autocast, split_heads


@dataclass(frozen=True)
class _Block:
    """Self- and cross-attention of one transformer block."""

    own: Site
    cross: Site


class WordWatch:
    """Watches the words of a prompt in all layers of a UNet.

    Args:
        unet: diffusers' ``UNet2DConditionModel`` or one of its shape.
        layers: the cross-attention layers that are watched; those without self-attention in their block are
            left out.

    Raises:
        ValueError: the selection names no layer.
    """

    def __init__(self, unet: nn.Module, layers: LayerSelection = EVERYWHERE) -> None:
        own = {_parent(site): site for site in attention_sites(unet, cross=False)}
        chosen = select(attention_sites(unet, cross=True), unet, layers)
        self._blocks = [_Block(own[_parent(site)], site) for site in chosen if _parent(site) in own]
        if not self._blocks:
            raise ValueError(f"{layers} names no layer with self-attention in its block")
        self.level = min(block.cross.level for block in self._blocks)
        finest = [block for block in self._blocks if block.cross.level == self.level]
        self.reference = next((b for b in finest if b.cross.part == "up"), finest[-1]).cross

    @contextmanager
    def record(self, latent_size: tuple[int, int], *, tokens: int | None = None) -> Generator[Seen]:
        """Watches the forward pass of one picture inside the block.

        Args:
            latent_size: (h, w) of the latent.
            tokens: how many of the prompt's tokens are looked at, from the first; all by default.
        """
        seen = Seen(Grid(latent_size, self.level), self.reference.name, tokens)
        windows: list[tuple[Any, Processor]] = []
        try:
            for block in self._blocks:
                for site, window in ((block.own, _OwnWindow), (block.cross, _CrossWindow)):
                    attn: Any = site.module
                    windows.append((attn, attn.processor))
                    attn.set_processor(window(attn.processor, seen, block))
            yield seen
        finally:
            for attn, processor in windows:
                attn.set_processor(processor)


@dataclass
class Seen:
    """The sums that a pass leaves; see :meth:`maps`.

    Args:
        grid: the finest grid.
        reference: the name of the layer whose queries tell which places are alike.
        tokens: how many tokens are looked at; None for all.
    """

    grid: Grid
    reference: str
    tokens: int | None
    weights: dict[str, float] = field(default_factory=dict[str, float])
    _sum: Tensor | None = None
    _spread: Tensor | None = None
    _finest: int = 0
    _likeness: dict[int, Tensor] = field(default_factory=dict[int, Tensor])
    _waiting: list[tuple[_Block, Tensor, Tensor]] = field(default_factory=list[tuple[_Block, Tensor, Tensor]])
    _input: Tensor | None = None

    def maps(self) -> WordMaps:
        """Returns what was seen.

        Raises:
            RuntimeError: the pass has not reached the reference layer.
        """
        if self._sum is None or self._spread is None or self._waiting:
            raise RuntimeError("run the denoiser inside the block first")
        total = sum(self.weights.values()) or 1.0
        weights = {name: v / total for name, v in self.weights.items()}
        attention = self._sum / total
        return WordMaps(attention.clamp_min(0), self._spread / self._finest, self.grid.size, weights)

    def enter(self, block: _Block, hidden: Tensor) -> None:
        """Takes a block's input before its self-attention, ``[1, P_l, D]``."""
        self._input = hidden.detach()
        if block.own.level == self.grid.level:
            places = hidden.shape[1]
            if self._spread is None:
                self._spread = torch.zeros(places, places, device=hidden.device)
            spread = self._spread

            def add(rows: slice, mean: Tensor) -> None:
                spread[rows] += mean

            _own_affinity(block, hidden, add)
            self._finest += 1

    def words(self, block: _Block, hidden: Tensor, encoded: Tensor) -> None:
        """Takes the inputs of a block's cross-attention, ``[1, P_l, D]`` and ``[1, K, D']``."""
        attn: Any = block.cross.module
        maps, q = _words_of(attn, hidden, encoded)
        own, self._input = self._input, None
        if own is None:
            raise RuntimeError("a block's cross-attention ran without its self-attention")
        if block.cross.name == self.reference:
            self._refer(q, attn.scale)
        self._waiting.append((block, own, maps[:, : self.tokens]))
        if self._likeness:
            waiting, self._waiting = self._waiting, []
            while waiting:
                self._add(*waiting.pop(0))

    def _refer(self, q: Tensor, scale: float) -> None:
        """Takes the queries ``[heads, P, d]`` of the reference."""
        reference = torch.zeros(q.shape[1], q.shape[1], device=q.device)
        affinity(q, q, scale, reference.__setitem__)
        self._likeness[self.grid.level] = reference

    def _add(self, block: _Block, hidden: Tensor, maps: Tensor) -> None:
        """Adds a layer's maps with the weight that its self-attention has."""
        level = block.own.level
        if level not in self._likeness:
            self._likeness[level] = self.grid.pooled(self._likeness[self.grid.level], level)
        reference = self._likeness[level]
        product = torch.zeros((), dtype=torch.float64)

        def multiply(rows: slice, mean: Tensor) -> None:
            product.add_((mean * reference[rows]).sum().double().cpu())

        _own_affinity(block, hidden, multiply)
        weight = max(0.0, float(product) - 1)
        self.weights[block.cross.name] = weight
        wide = self.grid.enlarged(maps, level)
        if self._sum is None:
            self._sum = torch.zeros_like(wide)
        self._sum += weight * wide


def _words_of(attn: Any, hidden: Tensor, encoded: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401 - diffusers' own
    """Returns a cross-attention layer's M_l ``[P_l, K]`` and its queries ``[heads, P_l, d]``."""
    q, k, v = (
        split_heads(x, attn.heads)[0] for x in (attn.to_q(hidden), attn.to_k(encoded), attn.to_v(encoded))
    )
    with no_autocast(q.device.type):
        attention = probabilities(q, k, attn.scale)
    projection, dtype = attn.to_out[0], v.dtype
    return weighed(attention, attention.to(dtype) @ v, projection), q


def _own_affinity(block: _Block, hidden: Tensor, take: Any) -> None:  # noqa: ANN401 - see affinity
    """Makes a block's mean self-attention from its input ``[1, P_l, D]``; see :func:`affinity`."""
    attn: Any = block.own.module
    q, k = (split_heads(x, attn.heads)[0] for x in (attn.to_q(hidden), attn.to_k(hidden)))
    with no_autocast(q.device.type):
        affinity(q, k, attn.scale, take)


@dataclass
class _OwnWindow:
    """Self-attention that shows its input to what watches, and then runs as it always does."""

    inner: Processor
    seen: Seen
    block: _Block

    def __call__(self, attn: AttentionLayer, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        with torch.no_grad():
            self.seen.enter(self.block, hidden_states)
        return self.inner(attn, hidden_states, *args, **kwargs)


@dataclass
class _CrossWindow:
    """Cross-attention, likewise."""

    inner: Processor
    seen: Seen
    block: _Block

    def __call__(
        self,
        attn: AttentionLayer,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Tensor:
        if encoder_hidden_states is not None:
            with torch.no_grad():
                self.seen.words(self.block, hidden_states, encoder_hidden_states)
        return self.inner(attn, hidden_states, encoder_hidden_states, *args, **kwargs)


def _parent(site: Site) -> str:
    return site.name.rpartition(".")[0]
