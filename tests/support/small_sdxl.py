"""A random model of SDXL's shape, small enough for any test: its blocks in its order, with narrow layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

SIDE = 128
"""Pixels of the model's native side: 16 x 16 cells of the latent."""
UNET: dict[str, Any] = {
    "sample_size": SIDE // 8,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (32, 64, 128),
    "layers_per_block": 2,
    "transformer_layers_per_block": [1, 1, 2],
    "attention_head_dim": [1, 2, 4],
    "cross_attention_dim": 80,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 16,
    "projection_class_embeddings_input_dim": 48 + 6 * 16,
    "use_linear_projection": True,
    "norm_num_groups": 8,
}
_VAE: dict[str, Any] = {
    "block_out_channels": (16, 16, 32, 32),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
    "norm_num_groups": 8,
    "sample_size": SIDE,
    "scaling_factor": 0.13025,
    "force_upcast": True,
}
_TOKENIZER = Path(__file__).parents[2] / "realedit" / "assets" / "tabletop" / "tokenizer"


def small_sdxl(seed: int = 0, **unet: Any) -> StableDiffusionXLPipeline:
    """A pipeline in float32 on the CPU; the same seed gives the same weights.

    Args:
        seed: of the weights.
        **unet: changes of the UNet's config, such as ``in_channels=9``.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        tokenizer = CLIPTokenizer.from_pretrained(_TOKENIZER)
        parts: dict[str, Any] = {
            "unet": UNet2DConditionModel(**{**UNET, **unet}),
            "vae": AutoencoderKL(**_VAE),
            "text_encoder": CLIPTextModel(_text(tokenizer, 32, "quick_gelu")),
            "text_encoder_2": CLIPTextModelWithProjection(_text(tokenizer, 48, "gelu")),
        }
    for network in parts.values():
        network.eval().requires_grad_(False)
    pipeline = StableDiffusionXLPipeline(
        **parts,
        tokenizer=tokenizer,
        tokenizer_2=CLIPTokenizer.from_pretrained(_TOKENIZER),
        scheduler=_scheduler(),
        add_watermarker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _text(tokenizer: Any, width: int, act: str) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=3,
        num_attention_heads=2,
        projection_dim=width,
        max_position_embeddings=tokenizer.model_max_length,
        hidden_act=act,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _scheduler() -> Any:
    """SDXL's own."""
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        timestep_spacing="leading",
    )
