"""The tabletop model: a small SDXL, its U-Net and two text encoders, as one module that trains together."""

from pathlib import Path
from typing import Self

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

TOKENS = 48
"""Tokens of a prompt, both ends included: the longest caption fits, and attention costs less than at 77."""

_TEXT_WIDTH = 128
_TIME_WIDTH = 32
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
"""SDXL's noise."""

_SIZES = 6  # SDXL's size conditioning: original size, crop, target size


class TabletopModel(nn.Module):
    """U-Net and text encoders, called as ``StableDiffusionXLPipeline`` calls them.

    Attributes:
        unet: Cross-attention only at 1/16 and 1/32 of the picture, as SDXL has it.
        text_encoder: The first half of the prompt's embedding.
        text_encoder_2: The second half, and the pooled embedding.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        text_encoder: CLIPTextModel,
        text_encoder_2: CLIPTextModelWithProjection,
    ) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder
        self.text_encoder_2 = text_encoder_2

    @classmethod
    def new(cls, tokenizer: CLIPTokenizer) -> Self:
        """Random weights for a tokenizer's words."""
        config = _text_config(tokenizer)
        return cls(_new_unet(), CLIPTextModel(config), CLIPTextModelWithProjection(config))

    @classmethod
    def from_pipeline(cls, folder: Path) -> Self:
        """The weights of an exported ``StableDiffusionXLPipeline`` folder, in float32."""
        return cls(
            UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32),
            CLIPTextModel.from_pretrained(
                folder / "text_encoder", dtype=torch.float32, attn_implementation="eager"
            ),
            CLIPTextModelWithProjection.from_pretrained(
                folder / "text_encoder_2", dtype=torch.float32, attn_implementation="eager"
            ),
        )

    def encode(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """``pipeline.encode_prompt`` of ids ``[B, tokens]``: embedding ``[B, tokens, 2 D]``, pooled too."""
        first = self.text_encoder(ids, output_hidden_states=True)
        second = self.text_encoder_2(ids, output_hidden_states=True)
        prompt = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], -1)
        return prompt, second.text_embeds

    def forward(
        self, latents: Tensor, timesteps: Tensor, ids: Tensor, named: Tensor, sizes: Tensor
    ) -> Tensor:
        """Predict the noise.

        Args:
            latents: Noisy latents ``[B, 4, h, w]``, scaled, in the weights' dtype.
            timesteps: int ``[B]`` in [0, 1000).
            ids: Token ids ``[B, tokens]``.
            named: bool ``[B]``; false where the text is replaced by zeros, SDXL's empty prompt.
            sizes: float ``[B, 6]`` or ``[1, 6]``, SDXL's size conditioning; see ``whole_sizes``.

        Returns:
            Noise ``[B, 4, h, w]``.
        """
        prompt, pooled = self.encode(ids)
        kept = named.to(prompt.dtype)
        conditions = {"text_embeds": pooled * kept[:, None], "time_ids": sizes.expand(len(ids), -1)}
        return self.unet(
            latents, timesteps, prompt * kept[:, None, None], added_cond_kwargs=conditions, return_dict=False
        )[0]


def whole_sizes(side: int) -> Tensor:
    """SDXL's size conditioning of an uncut square picture of ``side`` pixels, float ``[1, 6]``."""
    return torch.tensor([[side, side, 0, 0, side, side]], dtype=torch.float32)


def _text_config(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=_TEXT_WIDTH,
        intermediate_size=4 * _TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=_TEXT_WIDTH,
        max_position_embeddings=TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        attn_implementation="eager",  # pyright: ignore[reportCallIssue]
    )


def _new_unet() -> UNet2DConditionModel:
    plain_down, cross_down = "DownBlock2D", "CrossAttnDownBlock2D"
    plain_up, cross_up = "UpBlock2D", "CrossAttnUpBlock2D"
    return UNet2DConditionModel(
        sample_size=64,
        in_channels=4,
        out_channels=4,
        down_block_types=(plain_down, plain_down, cross_down, cross_down),
        up_block_types=(cross_up, cross_up, plain_up, plain_up),
        block_out_channels=(32, 64, 128, 224),
        layers_per_block=1,
        transformer_layers_per_block=[1, 1, 1, 2],  # pyright: ignore[reportArgumentType]
        attention_head_dim=[1, 2, 4, 7],  # pyright: ignore[reportArgumentType]
        cross_attention_dim=2 * _TEXT_WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=_TIME_WIDTH,
        projection_class_embeddings_input_dim=_TEXT_WIDTH + _SIZES * _TIME_WIDTH,
        use_linear_projection=True,
        norm_num_groups=16,
    )
