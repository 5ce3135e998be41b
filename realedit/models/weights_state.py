"""A short text that changes when someone changes a loaded model's weights: puts a LoRA on it, say."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import nn

_SAMPLES = 8
"""Values of each tensor that are looked at: more find smaller changes, fewer are faster. A LoRA changes
nearly all values of the matrices that it is added to. Not measured."""
_PARTS = ("unet", "text_encoder", "text_encoder_2", "vae")


def weights_state(pipeline: Any) -> str:  # noqa: ANN401 - diffusers' pipelines share no useful type
    """Returns a hash of samples of all weights, and of the adapters on them with their scales.

    It depends neither on the device nor on where memory is.

    Args:
        pipeline: a loaded pipeline.
    """
    digest = hashlib.sha256()
    for part in _PARTS:
        network: nn.Module = getattr(pipeline, part)
        for name, module in network.named_modules():
            _add_adapters(digest, f"{part}.{name}", module)
        names, samples = [], []
        for name, weight in network.named_parameters():
            if weight.is_meta:  # offloaded layer by layer: its weights are elsewhere, and cannot be changed
                continue
            names.append(f"{part}.{name}")
            flat = weight.detach().reshape(-1)
            samples.append(flat[:: max(1, flat.numel() // _SAMPLES)][:_SAMPLES].float())
        digest.update("\n".join(names).encode())
        if samples:
            digest.update(torch.cat(samples).cpu().numpy().tobytes())
    return digest.hexdigest()


def _add_adapters(digest: hashlib._Hash, name: str, module: nn.Module) -> None:
    scaling = getattr(module, "scaling", None)
    if isinstance(scaling, dict) and scaling:
        active = getattr(module, "active_adapters", ())
        merged = getattr(module, "merged_adapters", ())
        digest.update(f"{name}:{sorted(scaling.items())}:{active}:{merged}".encode())
