"""Names the weights of a diffusers pipeline as a checkpoint in one file does; diffusers reads them back.

The names are those of Stability's ``generative-models`` (U-Net, VAE) and of OpenCLIP (second text encoder).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

_UNET, _VAE = "model.diffusion_model.", "first_stage_model."
_FIRST, _SECOND = "conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_OPEN_CLIP = (
    ("text_model.encoder.layers.", "transformer.resblocks."),
    ("layer_norm1", "ln_1"),
    ("layer_norm2", "ln_2"),
    (".fc1.", ".c_fc."),
    (".fc2.", ".c_proj."),
    (".self_attn.out_proj", ".attn.out_proj"),
    ("text_model.final_layer_norm.", "ln_final."),
    ("text_model.embeddings.token_embedding.weight", "token_embedding.weight"),
    ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
)


def original(pipeline: Any) -> Iterator[tuple[str, Tensor]]:
    """Iterate over the weights by their names in a checkpoint, one network after the other.

    Args:
        pipeline: a ``StableDiffusionXLPipeline``.
    """
    layers = pipeline.unet.config.layers_per_block
    for name, weight in pipeline.unet.state_dict().items():
        yield _UNET + unet_name(name, layers), weight
    for name, weight in pipeline.vae.state_dict().items():
        as_convolution = "attentions.0.to" in name and name.endswith("weight")
        yield _VAE + vae_name(name), weight[..., None, None] if as_convolution else weight
    for name, weight in pipeline.text_encoder.state_dict().items():
        yield _FIRST + (name if name.startswith("text_model.") else f"text_model.{name}"), weight
    yield from _second(pipeline.text_encoder_2.state_dict())


def unet_name(name: str, layers: int) -> str:
    """Return a U-Net's name of diffusers as the checkpoint has it; ``layers`` are those of a down block."""
    for ours, theirs in _UNET_ENDS.items():
        if name.startswith(f"{ours}."):
            return theirs + name[len(ours) :]
    part, rest = name.split(".", 1)
    if part == "mid_block":
        kind, number, inner = rest.split(".", 2)
        place = 1 if kind == "attentions" else 2 * int(number)
        return f"middle_block.{place}.{_inner(kind, inner)}"
    block, kind, number, inner = rest.split(".", 3)
    if part == "down_blocks":
        first = 1 + int(block) * (layers + 1)
        if kind == "downsamplers":
            return f"input_blocks.{first + layers}.0.op.{inner.removeprefix('conv.')}"
        return f"input_blocks.{first + int(number)}.{int(kind == 'attentions')}.{_inner(kind, inner)}"
    first = int(block) * (layers + 1)
    if kind == "upsamplers":
        return f"output_blocks.{first + layers}.2.{inner}"
    return f"output_blocks.{first + int(number)}.{int(kind == 'attentions')}.{_inner(kind, inner)}"


def vae_name(name: str) -> str:
    """Return a VAE's name of diffusers as the checkpoint has it."""
    name = re.sub(r"encoder\.down_blocks\.(\d)\.resnets\.(\d)\.", r"encoder.down.\1.block.\2.", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0\.", r"down.\1.downsample.", name)
    found = re.search(r"up_blocks\.(\d)\.", name)
    if found:
        name = name.replace(found[0], f"up.{3 - int(found[1])}.")
        name = re.sub(r"up\.(\d)\.resnets\.(\d)\.", r"up.\1.block.\2.", name)
        name = name.replace("upsamplers.0.", "upsample.")
    name = re.sub(r"mid_block\.resnets\.(\d)\.", lambda m: f"mid.block_{int(m[1]) + 1}.", name)
    for ours, theirs in (
        ("mid_block.attentions.0.", "mid.attn_1."),
        ("group_norm.", "norm."),
        ("to_q.", "q."),
        ("to_k.", "k."),
        ("to_v.", "v."),
        ("to_out.0.", "proj_out."),
        ("conv_shortcut", "nin_shortcut"),
        ("conv_norm_out", "norm_out"),
    ):
        name = name.replace(ours, theirs)
    return name


def _inner(kind: str, inner: str) -> str:
    if kind != "resnets":
        return inner
    layer, rest = inner.split(".", 1)
    return f"{_RESNET[layer]}.{rest}"


def _second(weights: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Iterate over the second text encoder's: q, k and v are one tensor, its projection is transposed."""
    for name, weight in weights.items():
        if name == "text_projection.weight":
            yield f"{_SECOND}text_projection", weight.T.contiguous()
            continue
        if name.endswith("position_ids") or ".k_proj." in name or ".v_proj." in name:
            continue
        joined = name.replace(".self_attn.q_proj.", ".attn.in_proj_")
        if joined != name:
            weight = torch.cat(
                [weights[name.replace("q_proj", kind)] for kind in ("q_proj", "k_proj", "v_proj")]
            )
        for ours, theirs in _OPEN_CLIP:
            joined = joined.replace(ours, theirs)
        yield _SECOND + joined, weight
