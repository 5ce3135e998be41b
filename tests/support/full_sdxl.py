"""SDXL's full architecture with random weights, and what people put beside it: 7 GB, for scripts.

The configs are the package's; nothing is fetched.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from original_format import original
from realedit.models.clip_tokenizer import clip_tokenizer
from realedit.models.folder import INDEX
from realedit.models.single_file import CONFIGS


def make_model(folder: Path) -> None:
    """Write SDXL with random weights in bfloat16 as a pipeline's folder, one network after the other."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)  # made in half the memory
    try:
        for number, (part, make) in enumerate(_MAKERS.items()):
            torch.manual_seed(number)
            make(part).save_pretrained(folder / part, max_shard_size="20GB")
            gc.collect()
    finally:
        torch.set_default_dtype(before)
    clip_tokenizer().save_pretrained(folder / "tokenizer")
    clip_tokenizer("!").save_pretrained(folder / "tokenizer_2")
    shutil.copytree(CONFIGS / "scheduler", folder / "scheduler", dirs_exist_ok=True)
    shutil.copy(CONFIGS / INDEX, folder)  # last: where it is, the model is whole


def make_single_file(pipeline: Any, file: Path) -> None:
    """Write a pipeline's weights in bfloat16 as a checkpoint in one file."""
    weights = {name: weight.to(torch.bfloat16).contiguous() for name, weight in original(pipeline)}
    save_file(weights, file)


def make_lora(pipeline: Any, file: Path, rank: int = 4) -> None:
    """Write a random LoRA on all queries and values of the UNet's cross-attention."""
    generator = torch.Generator().manual_seed(0)
    content: dict[str, torch.Tensor] = {}
    for name, layer in pipeline.unet.named_modules():
        if name.endswith(("attn2.to_q", "attn2.to_v")):
            out, into = layer.weight.shape
            for key, shape in (("A", (rank, into)), ("B", (out, rank))):
                values = torch.randn(shape, generator=generator) / 100
                content[f"unet.{name}.lora_{key}.weight"] = values.to(torch.bfloat16)
    save_file(content, file)


def _text(kind: Any) -> Callable[[str], Any]:
    return lambda part: kind(CLIPTextConfig.from_pretrained(CONFIGS / part))


def _of_diffusers(kind: Any) -> Callable[[str], Any]:
    return lambda part: kind.from_config(kind.load_config(CONFIGS / part))


_MAKERS: dict[str, Callable[[str], Any]] = {
    "unet": _of_diffusers(UNet2DConditionModel),
    "vae": _of_diffusers(AutoencoderKL),
    "text_encoder": _text(CLIPTextModel),
    "text_encoder_2": _text(CLIPTextModelWithProjection),
}
