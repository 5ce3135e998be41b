# pyright: basic
# diffusers and what torch has for fake tensors are not typed
"""Counts a model's memory before anything is computed: every tensor of every stage, on fake tensors.

The networks are built from their configs and run on tensors that have a shape and no content
(``torch._subclasses.FakeTensorMode``), through the same windows as an edit's, while every storage that lives
is counted. Not counted are what a card's libraries take for themselves (:data:`OUTSIDE`) and the gaps between
tensors (:data:`GAPS`).
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from guidance import Observation
from guidance.checkpointing import checkpoint_gradients
from guidance.layers import map_size
from realedit.inverted.inversion import capture_for
from realedit.models.frugality import TEXT_ENCODERS, Frugality, tile
from realedit.models.profile import Profile

GIB = 2**30
"""Bytes of a GiB."""
OUTSIDE = 0.7 * GIB
"""Bytes that a card's libraries take beside all tensors: more leaves room for convolutions' workspace, less
makes use of smaller cards. Not measured; a CUDA context alone takes 0.3 to 0.5 GiB."""
GAPS = 1.05
"""Factor on the tensors' bytes for gaps between them: higher ones are on the safe side. Not measured."""
_TOKENS = 77
"""Tokens of a prompt. Set by CLIP."""
_STEPS_KEPT = 14
"""Noise levels whose observations are kept: of 20 steps those up to the largest strength, 0.7."""
_ON_CARD = 2
"""Levels whose observations are on the card where the others wait in the host's memory: the one that is read
and the next."""


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of the storages that live while it is active.

    Args:
        known: tensors that are counted elsewhere, such as weights.
    """

    def __init__(self, *known: Tensor) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: dict[int, int] = {}
        self._known = known  # kept, so that no new storage gets the number of one of them
        for tensor in known:
            self._seen[tensor.untyped_storage()._cdata] = 0

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Runs an operation and counts what it returns."""
        returned = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(returned):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return returned

    def _count(self, storage: torch.UntypedStorage) -> None:
        number = storage._cdata
        if number in self._seen:
            return
        size = self._seen[number] = storage.nbytes()
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, number)

    def _forget(self, number: int) -> None:
        self.now -= self._seen.pop(number)


@dataclass(frozen=True)
class Account:
    """Bytes of a model at one size.

    Args:
        weights: by network.
        stages: activations at their peak, by stage.
        level: what is kept of one noise level.
    """

    weights: Mapping[str, int]
    stages: Mapping[str, int]
    level: int

    def peaks(self, setting: Frugality) -> dict[str, float]:
        """Returns the bytes on the card at each stage's peak, all in all."""
        text = self.weights["text_encoder"] + self.weights["text_encoder_2"]
        unet, vae = self.weights["unet"], self.weights["vae"]
        held = self.level * (_ON_CARD if setting.on_host else _STEPS_KEPT)
        always = 0 if setting.offload != "none" else unet + vae + (0 if setting.on_host else text)
        tiled = " in tiles" if setting.tiles else ""
        twice = " twice" if setting.recomputes else ""

        def at(stage: str, network: int, observations: int = 0) -> float:
            own = network
            if setting.offload == "sequential":
                own = 0  # a layer's weights count among the activations
            elif setting.offload == "none":
                own = network if network == text and setting.on_host else 0
            return OUTSIDE + GAPS * (always + own + self.stages[stage] + observations)

        return {
            "encode the prompt": at("text", text),
            "encode the photo": at(f"encode{tiled}", vae),
            "invert and observe": at("observe", unet, held),
            "guided step": at(f"guide{twice}", unet, held),
            "sample": at("sample", unet, held),
            "decode": at(f"decode{tiled}", vae, held),
        }

    def peak(self, setting: Frugality) -> float:
        """Returns the bytes on the card at the highest of these."""
        return max(self.peaks(setting).values())


def account(
    configs: Mapping[str, Mapping[str, Any]],
    size: tuple[int, int],
    dtype: torch.dtype,
    vae: torch.dtype,
    profile: Profile | None = None,
) -> Account:
    """Counts the bytes of a model that works at a size.

    Args:
        configs: ``config.json`` of "unet", "vae", "text_encoder" and "text_encoder_2".
        size: (height, width) in pixels.
        dtype: the UNet's and the text encoders' precision.
        vae: the VAE's.
        profile: says which layers are watched; the general one's by default.
    """
    with FakeTensorMode(allow_non_fake_inputs=True):
        networks = _networks(configs, dtype, vae)
        weights = {name: _bytes(network) for name, network in networks.items()}
        coder = networks["vae"]
        factor = 2 ** (len(configs["vae"]["block_out_channels"]) - 1)
        grid = (size[0] // factor, size[1] // factor)
        pooled = configs["text_encoder_2"]["projection_dim"]
        at_work = _UNetAtWork(networks["unet"], grid, pooled, dtype, profile)
        stages, level = at_work.stages()
        words = torch.zeros(2, configs["text_encoder"]["max_position_embeddings"], dtype=torch.long)
        with torch.no_grad():
            encoders = [networks[name] for name in TEXT_ENCODERS]
            stages["text"] = max(_peak(encoder, partial(encoder, words)) for encoder in encoders)
            picture, latent = torch.zeros(1, 3, *size, dtype=vae), torch.zeros(1, 4, *grid, dtype=vae)
            for tiled in ("", " in tiles"):
                if tiled:
                    tile(coder)
                stages[f"encode{tiled}"] = _peak(coder, lambda: coder.encode(picture))
                stages[f"decode{tiled}"] = _peak(coder, lambda: coder.decode(latent))
    return Account(weights, stages, level)


def _networks(
    configs: Mapping[str, Mapping[str, Any]], dtype: torch.dtype, vae: torch.dtype
) -> dict[str, Any]:
    """Builds the networks as fake tensors."""
    import transformers
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    makers: dict[str, Callable[[Any], Any]] = {
        "unet": UNet2DConditionModel.from_config,
        "vae": AutoencoderKL.from_config,
        "text_encoder": lambda config: transformers.CLIPTextModel(transformers.CLIPTextConfig(**config)),
        "text_encoder_2": lambda config: transformers.CLIPTextModelWithProjection(
            transformers.CLIPTextConfig(**config)
        ),
    }
    usual = torch.get_default_dtype()
    built: dict[str, Any] = {}
    try:
        for name, make in makers.items():
            torch.set_default_dtype(vae if name == "vae" else dtype)
            built[name] = make(dict(configs[name])).eval().requires_grad_(False)
    finally:
        torch.set_default_dtype(usual)
    return built


class _UNetAtWork:
    """A fake UNet in the stages of an edit; see :mod:`realedit.inverted.inversion` and :mod:`guidance`."""

    def __init__(
        self,
        unet: nn.Module,
        grid: tuple[int, int],
        pooled: int,
        dtype: torch.dtype,
        profile: Profile | None,
    ) -> None:
        self._network, self._grid, self._pooled, self._dtype = unet, grid, pooled, dtype
        self._unet: Any = unet
        self._capture = capture_for(unet, profile)

    def stages(self) -> tuple[dict[str, int], int]:
        """Returns the bytes at each stage's peak, and those of what is kept of a noise level."""
        stages: dict[str, int] = {}
        with self._capture:
            seen = self._observed()
            kept = [*seen.attention.values(), *seen.features.values()]
            kept += [tensor for pair in seen.memory.values() for tensor in pair]
            stages["observe"] = _peak(self._network, self._observed)
            stages["guide"] = _peak(self._network, self._guided)
            checkpoint_gradients(self._unet)
            stages["guide twice"] = _peak(self._network, self._guided)
            self._unet.disable_gradient_checkpointing()
            stages["sample"] = _peak(self._network, lambda: self._sampled(seen))
        return stages, sum(2 * tensor.numel() for tensor in kept)  # kept in half precision

    def _run(self, batch: int, x: Tensor | None = None) -> None:
        config, dtype = self._unet.config, self._dtype
        given = torch.zeros(batch, config.in_channels, *self._grid) if x is None else x
        added = {"text_embeds": torch.zeros(batch, self._pooled), "time_ids": torch.zeros(batch, 6)}
        text = torch.zeros(batch, _TOKENS, config.cross_attention_dim, dtype=dtype)
        added = {name: value.to(dtype) for name, value in added.items()}
        self._unet(given.to(dtype), torch.tensor(500), text, added_cond_kwargs=added)

    def _observed(self) -> Observation:
        with torch.no_grad(), self._capture.record(self._grid, tokens=_TOKENS, memory=True) as seen:
            self._run(1)
        return seen

    def _guided(self) -> None:
        x = torch.zeros(1, self._unet.config.in_channels, *self._grid, requires_grad=True)
        with self._capture.record(self._grid, tokens=_TOKENS, partial=True) as now:
            self._run(1, x)
        maps = [*now.attention.values(), *now.features.values()]
        energy = torch.stack([(m.float() - m.detach().float()).abs().mean() for m in maps]).sum()
        torch.autograd.grad(energy, x)

    def _sampled(self, seen: Observation) -> None:
        cells = {at: math.prod(map_size(self._grid, at)) for at in self._capture.levels}
        masks = {at: torch.ones(count, 2 * count, dtype=torch.bool) for at, count in cells.items()}
        with torch.no_grad(), self._capture.recall(seen.memory, masks):
            self._run(2)


def _peak(network: nn.Module, work: Callable[[], object]) -> int:
    """Returns the bytes of activations at their peak, without the weights."""
    with LiveBytes(*network.parameters(), *network.buffers()) as live:
        _ = work()
    return live.peak


def _bytes(network: nn.Module) -> int:
    return sum(weight.nbytes for weight in network.parameters())
