"""What a caption tells the model, noise level by noise level: sees progress that samples do not show yet.

A prediction of the noise implies a picture, whose error is, for z_t = alpha_t z_0 + sigma_t n,

    |z_hat - z_0|^2 = (sigma_t / alpha_t)^2 |eps - n|^2

Told the picture's own caption it should be smaller than told nothing, and told another picture's larger. The
noise is the same for the three, so that small differences show.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor
from transformers import CLIPTokenizer

from examples.tabletop.captions import full_caption
from examples.tabletop.frames import half_width, read_frames, tracked
from examples.tabletop.latents import as_pictures, load_vae, scaled_latents
from examples.tabletop.model import BETAS, TabletopModel, whole_sizes

LEVELS = (999, 900, 800, 700, 600, 450, 300)
_BATCH = 8


def levels(model: Path, scenes: Sequence[Path], limit: int, seed: int) -> dict[str, Any]:
    """Measure with some scenes that the model has not seen; see ``by_level``."""
    frames = read_frames(scenes, limit)
    captions = [full_caption(frame.scene) for frame in frames]
    found = by_level(model, np.stack([frame.image for frame in frames]), captions, seed)
    return {"pictures": len(frames), "levels": found}


@torch.inference_mode()
def by_level(
    model: Path, images: np.ndarray, captions: Sequence[str], seed: int
) -> dict[str, dict[str, float]]:
    """Each level's mean squared error of the implied latent, and the share of it that captions take away.

    ``gain`` is 1 - told / untold, ``harm`` another's / untold - 1, of the means over pictures. ``gain_95``
    and ``harm_95`` are half the intervals of the paired differences, over the mean untold.

    Args:
        model: A pipeline's folder.
        images: uint8 ``[N, s, s, 3]``, two at least: each is also told its neighbour's caption.
        captions: What they show.
        seed: Of the noise.
    """
    network = TabletopModel.from_pipeline(model).eval()
    pictures = as_pictures(images, images.shape[1], mirrored=False)
    latents = scaled_latents(load_vae(model / "vae"), pictures)
    own = _ids(CLIPTokenizer.from_pretrained(model / "tokenizer"), captions)
    figures = {}
    for level in tracked(LEVELS, "levels", len(LEVELS)):
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(seed + level))
        told, untold, others = (
            _errors(network, latents, noise, level, ids, named)
            for ids, named in ((own, True), (own, False), (own.roll(1, 0), True))
        )
        mean = float(untold.mean())
        figures[str(level)] = {
            "untold": mean,
            "gain": float(1 - told.mean() / mean),
            "gain_95": half_width((untold - told) / mean),
            "harm": float(others.mean() / mean - 1),
            "harm_95": half_width((others - untold) / mean),
        }
    return figures


def _errors(
    network: TabletopModel, latents: Tensor, noise: Tensor, level: int, ids: Tensor, named: bool
) -> np.ndarray:
    """Each picture's error, float ``[N]``."""
    scheduler = DDPMScheduler(**BETAS)
    alpha = float(scheduler.alphas_cumprod[level])
    sizes, errors = whole_sizes(4 * latents.shape[-1]), []
    for z, n, prompts in zip(latents.split(_BATCH), noise.split(_BATCH), ids.split(_BATCH), strict=True):
        times: Any = torch.full((len(z),), level)
        noisy = scheduler.add_noise(z, n, times)
        predicted = network(noisy, times, prompts, torch.full((len(z),), named), sizes)
        errors.append((predicted - n).square().mean((1, 2, 3)) * (1 - alpha) / alpha)
    return torch.cat(errors).numpy()


def _ids(tokenizer: CLIPTokenizer, captions: Sequence[str]) -> Tensor:
    length = tokenizer.model_max_length
    return tokenizer(
        list(captions), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
    ).input_ids
