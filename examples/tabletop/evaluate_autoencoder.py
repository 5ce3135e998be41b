"""How well the autoencoder alone keeps a picture: what no edit and no sample can exceed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from examples.tabletop.crops import load_crops
from examples.tabletop.frames import half_width, read_frames, tracked
from examples.tabletop.latents import as_pictures, encode, load_vae

SIDE = 256


def autoencoder(model: Path, scenes: Sequence[Path], photos: Path, limit: int) -> dict[str, Any]:
    """Mean PSNR of the round trip on scenes, and on the photographs held out (``crops.load_crops``), in dB.

    The mean is over pictures, of 8-bit pixels; the latent is the mode of the posterior.
    """
    images = [frame.image for frame in read_frames(scenes, limit)]
    groups = {
        "scenes": as_pictures(np.stack(images), SIDE, mirrored=False),
        "photographs": load_crops(photos, []).held_out["photographs"][:limit],
    }
    vae = load_vae(model / "vae")
    figures: dict[str, Any] = {"autoencoder": type(vae).__name__}
    for name, pictures in groups.items():
        found = [round_trip(vae, picture) for picture in tracked(pictures.split(1), name, len(pictures))]
        figures[name] = {
            "pictures": len(found),
            "psnr": float(np.mean(found)),
            "psnr_95": half_width(found),
            "psnr_least": float(np.min(found)),
        }
    return figures


@torch.inference_mode()
def round_trip(vae: AutoencoderKL | AutoencoderTiny, picture: Tensor) -> float:
    """PSNR in dB of one picture ``[1, 3, H, W]`` in [-1, 1] through the autoencoder."""
    decoder: Any = vae  # diffusers asks for a FloatTensor, a type that nothing returns
    again = decoder.decode(encode(vae, picture)).sample
    truth, found = (((x + 1) * 127.5).clamp(0, 255).round().byte().numpy() for x in (picture, again))
    return float(peak_signal_noise_ratio(truth, found, data_range=255))
