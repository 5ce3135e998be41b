"""Injecting windows into a UNet, recording what they see, and taking them out again without a trace.

Example::

    with Capture(unet) as capture:
        with capture.record((h, w), partial=True) as seen:   # stops after the last layer that is looked at
            denoiser(x_t, t, conditioning)
        seen.attention, seen.features

Convention: maps are ``[B, h_l, w_l, ...]``, y first, with ``h_l, w_l`` taken from the latent's own size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from torch import Tensor, nn

from guidance.layers import PARTS, LayerSelection, Site, attention_sites, map_size, select, transformer_sites
from guidance.processors import CrossAttentionWindow, SelfAttentionWindow

KeysValues = tuple[Tensor, Tensor]
Sink = Callable[[Tensor], None]
Hook = Callable[[nn.Module, Any, Any], None]


@dataclass
class Observation:
    """What one forward pass showed, by layer.

    Args:
        attention: cross-attention probabilities, heads averaged, ``[B, h_l, w_l, K]``, fp32.
        features: activations ``[B, h_l, w_l, D]``.
        memory: self-attention keys and values, each ``[B, L, D]``.
    """

    attention: dict[str, Tensor] = field(default_factory=dict)
    features: dict[str, Tensor] = field(default_factory=dict)
    memory: dict[str, KeysValues] = field(default_factory=dict)


class _LastLayerReached(Exception):  # noqa: N818 - a signal, not an error
    """Ends a partial forward pass; caught by :meth:`Capture.record`."""


class Capture:
    """Windows on a UNet's attention and activations.

    Args:
        unet: diffusers' ``UNet2DConditionModel`` or one of its shape.
        attention: layers whose cross-attention is recorded.
        features: layers whose activations are recorded.
        memory: layers whose self-attention keys and values are recorded and recalled.

    Raises:
        ValueError: a selection names no layer.
    """

    def __init__(
        self,
        unet: nn.Module,
        attention: LayerSelection = LayerSelection(),  # noqa: B008 - frozen
        features: LayerSelection = LayerSelection(),  # noqa: B008 - frozen
        memory: LayerSelection = LayerSelection(PARTS),  # noqa: B008 - frozen
    ) -> None:
        self.unet = unet
        self._cross = select(attention_sites(unet, cross=True), unet, attention)
        self._self = select(attention_sites(unet, cross=False), unet, memory)
        self._transformers = select(transformer_sites(unet), unet, features)
        self._cross_windows: dict[str, CrossAttentionWindow] = {}
        self._self_windows: dict[str, SelfAttentionWindow] = {}

    @property
    def levels(self) -> tuple[int, ...]:
        """Levels at which self-attention is recorded and recalled; see :func:`guidance.layers.map_size`."""
        return tuple(sorted({site.level for site in self._self}))

    def inject(self) -> Self:
        """Put the windows in.

        Raises:
            RuntimeError: they are in already.
        """
        if self._injected:
            raise RuntimeError("already injected")
        for site in self._cross:
            self._cross_windows[site.name] = CrossAttentionWindow(_processor(site))
            _set_processor(site, self._cross_windows[site.name])
        for site in self._self:
            self._self_windows[site.name] = SelfAttentionWindow(_processor(site))
            _set_processor(site, self._self_windows[site.name])
        return self

    def eject(self) -> None:
        """Put back the very processors that stood there; harmless when nothing is injected."""
        windows = self._cross_windows | self._self_windows
        for site in (*self._cross, *self._self):
            if site.name in windows:
                _set_processor(site, windows[site.name].inner)
        self._cross_windows.clear()
        self._self_windows.clear()

    def __enter__(self) -> Self:
        """Inject."""
        return self.inject()

    def __exit__(self, *_: object) -> None:
        """Eject, whatever happened."""
        self.eject()

    @contextmanager
    def record(
        self,
        latent_size: tuple[int, int],
        *,
        tokens: int | None = None,
        memory: bool = False,
        partial: bool = False,
    ) -> Iterator[Observation]:
        """Record what the forward pass inside the block shows.

        Args:
            latent_size: (h, w) of the latent.
            tokens: keep the first so many token columns of the attention.
            memory: record self-attention keys and values too.
            partial: leave the block once the last recorded layer has run; nothing behind it is computed.

        Raises:
            RuntimeError: the windows are not injected.
        """
        self._require_injected()
        seen = Observation()
        hooks = [
            site.module.register_forward_hook(self._feature_hook(seen, site, latent_size))
            for site in self._transformers
        ]
        for site in self._cross:
            self._cross_windows[site.name].sink = self._attention_sink(seen, site, latent_size, tokens)
        if memory:
            for site in self._self:
                self._self_windows[site.name].sink = self._memory_sink(seen, site)
        if partial:
            hooks.append(self._last(memory).module.register_forward_hook(_stop))
        try:
            yield seen
        except _LastLayerReached:
            pass
        finally:
            for hook in hooks:
                hook.remove()
            for window in (*self._cross_windows.values(), *self._self_windows.values()):
                window.sink = None

    @contextmanager
    def recall(self, memory: Mapping[str, KeysValues], masks: Mapping[int, Tensor]) -> Iterator[None]:
        """Let self-attention inside the block read another run's keys and values.

        Args:
            memory: by layer, as :meth:`record` gave it.
            masks: by level, ``[L, 2 L]`` boolean, True where a query may look (own keys first).

        Raises:
            RuntimeError: the windows are not injected.
        """
        self._require_injected()
        for site in self._self:
            if site.name in memory and site.level in masks:
                window = self._self_windows[site.name]
                window.memory, window.mask = memory[site.name], masks[site.level]
        try:
            yield
        finally:
            for site in self._self:
                window = self._self_windows[site.name]
                window.memory = window.mask = None

    @property
    def _injected(self) -> bool:
        return bool(self._cross_windows)

    def _require_injected(self) -> None:
        if not self._injected:
            raise RuntimeError("inject the capture first (or use it in a with block)")

    def _last(self, memory: bool) -> Site:
        """The recorded transformer that runs last; an attention layer sits inside one of these."""
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
    def _feature_hook(seen: Observation, site: Site, latent_size: tuple[int, int]) -> Hook:
        def hook(_: nn.Module, __: object, output: Any) -> None:  # noqa: ANN401 - tuple, output class or tensor
            maps = output[0] if isinstance(output, tuple) else getattr(output, "sample", output)
            seen.features[site.name] = maps.permute(0, 2, 3, 1)

        return hook


def _processor(site: Site) -> Any:  # noqa: ANN401 - whatever diffusers put there
    attn: Any = site.module
    return attn.processor


def _set_processor(site: Site, processor: object) -> None:
    """By the layer's own setter: plain assignment cannot replace a processor that is a module."""
    attn: Any = site.module
    attn.set_processor(processor)


def _stop(*_: object) -> None:
    raise _LastLayerReached
