"""How a loaded model is laid out over a card's memory and the host's: five settings, each slower and smaller.

The work is always the same and so are its numbers, but for the VAE in tiles, whose seams are blended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline

Offload = Literal["none", "model", "sequential"]
OFFLOADS: tuple[Offload, ...] = ("none", "model", "sequential")
TEXT_ENCODERS = ("text_encoder", "text_encoder_2")
_COMPILED = ("ResnetBlock2D", "FeedForward")
"""Blocks of the UNet that are compiled: attention has windows, whose every change would compile it anew."""


@dataclass(frozen=True)
class Frugality:
    """Where a model's parts are while it works.

    Args:
        recomputes: whether guided steps compute activations twice; see :mod:`guidance.checkpointing`.
        on_host: whether what the model saw of a photo waits in the host's memory, and the text encoders do
            once the prompt is encoded.
        tiles: whether the VAE works in tiles, whose overlaps are blended.
        offload: whether networks ("model") or single layers ("sequential") are brought to the card when they
            are needed, and are in the host's memory else.
    """

    recomputes: bool = False
    on_host: bool = False
    tiles: bool = False
    offload: Offload = "none"

    def __str__(self) -> str:
        """What it does, for a line."""
        said = {
            "guided steps computed twice": self.recomputes,
            "observations and text encoders in host memory": self.on_host,
            "the VAE in tiles": self.tiles,
            f"--offload {self.offload}": self.offload != "none",
        }
        return ", ".join(name for name, on in said.items() if on) or "everything on the card"


SETTINGS = (
    Frugality(),
    Frugality(recomputes=True, on_host=True),
    Frugality(recomputes=True, on_host=True, tiles=True),
    Frugality(recomputes=True, on_host=True, tiles=True, offload="model"),
    Frugality(recomputes=True, on_host=True, tiles=True, offload="sequential"),
)
"""From the fastest to the one that takes least memory."""


TILE = 512
"""Side in pixels of the VAE's tiles: smaller ones take less memory and have more seams. Set so that tiles are
smaller than SDXL's native 1024."""


def settings_with(offload: Offload | None) -> tuple[Frugality, ...]:
    """Returns the settings that a user's choice of offloading leaves; all where there is none."""
    return tuple(one for one in SETTINGS if offload in (None, one.offload))


def arrange(
    pipeline: StableDiffusionXLPipeline, setting: Frugality, device: torch.device, *, compiled: bool = False
) -> None:
    """Lays a pipeline out.

    Args:
        pipeline: anywhere.
        setting: how.
        device: where the networks run.
        compiled: whether the blocks that nothing looks into are compiled.
    """
    import torch

    # not imported above: a model is chosen without torch
    from guidance.checkpointing import checkpoint_gradients

    networks: Any = pipeline
    if setting.recomputes:
        checkpoint_gradients(networks.unet)
    if setting.tiles:
        tile(networks.vae)
    if device.type == "cuda":  # the layout that its half-precision convolutions want
        networks.unet.to(memory_format=torch.channels_last)
        networks.vae.to(memory_format=torch.channels_last)
    if compiled:
        for module in networks.unet.modules():
            if type(module).__name__ in _COMPILED:
                module.compile()
    if setting.offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
    elif setting.offload == "sequential":
        pipeline.enable_sequential_cpu_offload(device=device)
    else:
        for name in ("unet", "vae"):
            getattr(networks, name).to(device)
        for name in TEXT_ENCODERS:
            getattr(networks, name).to("cpu" if setting.on_host else device)


def tile(vae: torch.nn.Module) -> None:
    """Lets a VAE of diffusers work in tiles from now on."""
    coder: Any = vae
    coder.enable_tiling()
    if hasattr(coder, "tile_latent_min_size"):
        factor = coder.tile_sample_min_size // coder.tile_latent_min_size
        coder.tile_sample_min_size = min(TILE, coder.tile_sample_min_size)
        coder.tile_latent_min_size = coder.tile_sample_min_size // factor
