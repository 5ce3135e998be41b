"""Whether a set of configs is SDXL's architecture, for editing or for painting holes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realedit.models import configs

_TIME_IDS = 6
"""Numbers that SDXL's UNet reads beside the prompt: original size, crop corner and target size, two each."""


def architecture_problem(networks: Mapping[str, Mapping[str, Any]], *, paints: bool = False) -> str | None:
    """Says why a set of component configs is not SDXL's architecture, or returns None when it is.

    SDXL (Podell et al. 2023, arXiv 2307.01952) conditions its UNet on two concatenated text encoders and on
    the second one's pooled embedding together with six size numbers (`text_time`); the widths must agree.

    Args:
        networks: config.json of "unet", "vae", "text_encoder" and "text_encoder_2".
        paints: whether it is to paint holes, with a UNet that takes a mask and the picture beside the latent.
    """
    for part, config in networks.items():
        problem = configs.config_problem(config)
        kernel = configs.foreign_kernel(config)
        if problem or kernel:
            return f"{part}: {problem or f'its attention is code from the hub ({kernel}), which is not run'}"
    try:
        unet, vae = networks["unet"], networks["vae"]
        problem = _channels_problem(unet, vae, paints=paints)
        return problem or _mismatch(unet, networks["text_encoder"], networks["text_encoder_2"])
    except (KeyError, TypeError) as error:
        return f"its configs lack what SDXL's have ({error})"


def _channels_problem(unet: Mapping[str, Any], vae: Mapping[str, Any], *, paints: bool) -> str | None:
    """Says why a UNet cannot do what it is for, by what it takes, or returns None.

    Raises:
        TypeError: the latent's channels are no number.
    """
    if unet.get("addition_embed_type") != "text_time":
        return "its UNet has no text_time embedding, so it is not SDXL's architecture"
    latent = vae.get("latent_channels", 0)
    if (unet.get("in_channels") == 2 * latent + 1) != paints:
        if paints:
            return "its UNet takes no mask: it is no inpainting model"
        return "it is an inpainting model, which paints holes: give it as --inpainter"
    channels = (latent if paints else unet.get("in_channels"), unet.get("out_channels"), latent)
    if channels != (channels[0],) * 3:
        return (
            f"its UNet takes {channels[0]} channels and gives {channels[1]}, its VAE has {channels[2]}: an "
            "instruction model cannot be used here"
        )
    return None


def _mismatch(unet: Mapping[str, Any], first: Mapping[str, Any], second: Mapping[str, Any]) -> str | None:
    """Says which widths of SDXL's parts do not agree, or returns None where all do.

    Raises:
        KeyError: a width is missing.
        TypeError: one is no number.
    """
    wide = first["hidden_size"] + second["hidden_size"]
    pooled = second["projection_dim"] + _TIME_IDS * unet["addition_time_embed_dim"]
    reads, added = unet["cross_attention_dim"], unet["projection_class_embeddings_input_dim"]
    levels = len(unet.get("block_out_channels", ()))
    if not (isinstance(wide, int) and isinstance(pooled, int)):
        raise TypeError("a width that is no number")
    if reads != wide and reads != [wide] * levels:
        return f"its UNet reads {reads}-wide text, its two encoders give {wide}"
    if added != pooled:
        return f"its UNet reads {added} added-condition values, its encoders and sizes give {pooled}"
    return None
