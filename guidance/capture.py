"""Injects windows into a UNet, records what they see, and takes them out again without a trace.

Example::

    with Capture(unet) as capture:
        with capture.record((h, w), partial=True) as seen:   # stops after the last recorded layer
            denoiser(x_t, t, conditioning)
        seen.attention, seen.features

Convention: maps are ``[B, h_l, w_l, ...]``, y first, with ``h_l, w_l`` taken from the latent's own size.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from guidance.layers import (
    EVERYWHERE,
    UP,
    LayerSelection,
    Site,
    attention_sites,
    map_size,
    select,
    transformer_sites,
)
from guidance.processors import CrossAttentionWindow, Processor, SelfAttentionWindow

KeysValues = tuple[Tensor, Tensor]
Sink = Callable[[Tensor], None]
Output = Tensor | tuple[Tensor, ...] | Mapping[str, Tensor]
"""What a transformer layer may return; diffusers' output classes are mappings."""
Hook = Callable[[nn.Module, object, Output], None]


@dataclass
class Observation:
    """What one forward pass showed, by layer.

    Args:
        attention: cross-attention probabilities, averaged over the heads, ``[B, h_l, w_l, K]``, fp32.
        features: activations ``[B, h_l, w_l, D]``.
        memory: self-attention keys and values, each ``[B, L, D]``.
    """

    attention: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    features: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    memory: dict[str, KeysValues] = field(default_factory=dict[str, KeysValues])


class _LastLayerReached(Exception):  # noqa: N818 - a signal, not an error
    """Ends a partial forward pass; caught by :meth:`Capture.record`."""


class Capture:
    """Windows on a UNet's attention and activations.

    Args:
        unet: diffusers' ``UNet2DConditionModel`` or one of its shape.
        attention: layers whose cross-attention is recorded.
        features: layers whose activations are recorded.
        memory: layers whose self-attention keys and values are recorded and recalled.
        hiding: further layers whose self-attention can hide keys; None for none.

    Raises:
        ValueError: a selection names no layer.
    """

    def __init__(
        self,
        unet: nn.Module,
        attention: LayerSelection = UP,
        features: LayerSelection = UP,
        memory: LayerSelection = EVERYWHERE,
        hiding: LayerSelection | None = None,
    ) -> None:
        self.unet = unet
        self._cross = select(attention_sites(unet, cross=True), unet, attention)
        sites = attention_sites(unet, cross=False)
        self._self = select(sites, unet, memory)
        named = {site.name for site in self._self}
        further = [] if hiding is None else select(sites, unet, hiding)
        self._hiding = [*self._self, *(site for site in further if site.name not in named)]
        self._transformers = select(transformer_sites(unet), unet, features)
        self._cross_windows: dict[str, CrossAttentionWindow] = {}
        self._self_windows: dict[str, SelfAttentionWindow] = {}

    @property
    def levels(self) -> tuple[int, ...]:
        """Levels of the UNet whose self-attention can be recorded; see :func:`guidance.layers.map_size`."""
        return tuple(sorted({site.level for site in self._self}))

    @property
    def hiding_levels(self) -> tuple[int, ...]:
        """Levels of the UNet whose self-attention can hide keys."""
        return tuple(sorted({site.level for site in self._hiding}))

    def inject(self) -> Self:
        """Puts the windows in.

        Raises:
            RuntimeError: they are in already.
        """
        if self._injected:
            raise RuntimeError("already injected")
        for site in self._cross:
            self._cross_windows[site.name] = CrossAttentionWindow(_processor(site))
            _set_processor(site, self._cross_windows[site.name])
        for site in self._hiding:
            self._self_windows[site.name] = SelfAttentionWindow(_processor(site))
            _set_processor(site, self._self_windows[site.name])
        return self

    def eject(self) -> None:
        """Puts the original processors back, the same objects; does nothing if no windows are injected."""
        windows = self._cross_windows | self._self_windows
        for site in (*self._cross, *self._hiding):
            if site.name in windows:
                _set_processor(site, windows[site.name].inner)
        self._cross_windows.clear()
        self._self_windows.clear()

    def __enter__(self) -> Self:
        """Injects the windows."""
        return self.inject()

    def __exit__(self, *_: object) -> None:
        """Ejects the windows, after an error too."""
        self.eject()

    @contextmanager
    def record(
        self,
        latent_size: tuple[int, int],
        *,
        tokens: int | None = None,
        memory: bool = False,
        partial: bool = False,
        ungraphed: bool = False,
    ) -> Generator[Observation]:
        """Records what the forward pass inside the block shows.

        Args:
            latent_size: (h, w) of the latent.
            tokens: how many of the attention's token columns are kept, from the first; all by default.
            memory: whether self-attention keys and values are recorded too.
            partial: whether the block ends once the last recorded layer has run; the layers behind it are
                then not computed.
            ungraphed: whether these layers are computed without a graph for gradients, which keeps nothing of
                theirs in memory.

        Raises:
            RuntimeError: the windows are not injected.
        """
        self._require_injected()
        seen = Observation()
        hooks = [
            site.module.register_forward_hook(self._feature_hook(seen, site)) for site in self._transformers
        ]
        for site in self._cross:
            self._cross_windows[site.name].sink = self._attention_sink(seen, site, latent_size, tokens)
        if memory:
            for site in self._self:
                self._self_windows[site.name].sink = self._memory_sink(seen, site)
        if partial or ungraphed:
            last = self._last(memory).module
            hooks.append(last.register_forward_hook(_stop if partial else _end_of_graph))
        graphed = torch.is_grad_enabled()
        try:
            yield seen
        except _LastLayerReached:
            pass
        finally:
            torch.set_grad_enabled(graphed)
            for hook in hooks:
                hook.remove()
            for window in (*self._cross_windows.values(), *self._self_windows.values()):
                window.sink = None

    @contextmanager
    def recall(
        self,
        memory: Mapping[str, KeysValues],
        masks: Mapping[int, Tensor],
        keys: Mapping[int, Tensor] = MappingProxyType({}),
    ) -> Generator[None]:
        """Lets self-attention inside the block read another run's keys and values beside its own.

        Args:
            memory: keys and values by layer, as :meth:`record` gave them.
            masks: by level of the UNet, bool ``[L, L + M]``, True where a query may attend to a key: its own
                run's ``L`` keys first, then the ``M`` of the memory. Layers without both are left as they
                are.
            keys: by level of the UNet, bool ``[L]``, False where the run's own keys are hidden from every
                query, or ``[L, L]``, from a query; in all layers that can, see :attr:`hiding_levels`.

        Raises:
            RuntimeError: the windows are not injected.
        """
        self._require_injected()
        for site in self._hiding:
            self._self_windows[site.name].keys = keys.get(site.level)
        for site in self._self:
            if site.name in memory and site.level in masks:
                window = self._self_windows[site.name]
                window.memory, window.mask = memory[site.name], masks[site.level]
        try:
            yield
        finally:
            for window in self._self_windows.values():
                window.memory = window.mask = window.keys = None

    @property
    def _injected(self) -> bool:
        return bool(self._cross_windows)

    def _require_injected(self) -> None:
        if not self._injected:
            raise RuntimeError("inject the capture first (or use it in a with block)")

    def _last(self, memory: bool) -> Site:
        """Finds the last transformer to run that is recorded or holds a recorded attention layer."""
        holders = transformer_sites(self.unet)
        inside = {site.name for site in (*self._cross, *(self._self if memory else ()))}
        looked_at = {site.name for site in self._transformers}
        return [
            site
            for site in holders
            if site.name in looked_at or any(name.startswith(f"{site.name}.") for name in inside)
        ][-1]

    @staticmethod
    def _attention_sink(
        seen: Observation, site: Site, latent_size: tuple[int, int], tokens: int | None
    ) -> Sink:
        def sink(probabilities: Tensor) -> None:
            h, w = map_size(latent_size, site.level)
            seen.attention[site.name] = probabilities[..., :tokens].unflatten(1, (h, w))

        return sink

    @staticmethod
    def _memory_sink(seen: Observation, site: Site) -> Callable[[KeysValues], None]:
        def sink(keys_values: KeysValues) -> None:
            seen.memory[site.name] = keys_values

        return sink

    @staticmethod
    def _feature_hook(seen: Observation, site: Site) -> Hook:
        def hook(_: nn.Module, __: object, output: Output) -> None:
            maps = (
                output[0] if isinstance(output, tuple) else cast("Tensor", getattr(output, "sample", output))
            )
            seen.features[site.name] = maps.permute(0, 2, 3, 1)

        return hook


def _processor(site: Site) -> Processor:
    attn: Any = site.module
    return attn.processor


def _set_processor(site: Site, processor: object) -> None:
    """Sets a processor by the layer's own method: assignment cannot replace one that is a module."""
    attn: Any = site.module
    attn.set_processor(processor)


def _stop(*_: object) -> None:
    raise _LastLayerReached


def _end_of_graph(*_: object) -> None:
    torch.set_grad_enabled(False)
