"""Pictures from prompts by diffusers' own pipeline, in batches, and sheets of them with their prompts."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from examples.tabletop.captions import full_caption
from examples.tabletop.frames import read_frames, tracked
from examples.tabletop.latents import as_pictures, scaled_latents
from examples.tabletop.vocabulary import COLOURS, NOUNS, SURFACES
from realedit.models.choice import resolve_model
from realedit.models.loading import load_pipeline

_LINES, _LINE_HEIGHT, _LETTER = 3, 15, 6.2  # of a sheet's labels: lines, pixels a line, pixels a letter
_FONT_SIZE = 12
_GAP = 6


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample; picture k depends on the seed and k alone, not on the batch.

    Attributes:
        steps: Of the model's own scheduler.
        guidance_scale: Of classifier-free guidance.
        seed: Of the noise.
        device: Where to compute, in float32.
        batch: Pictures at a time.
        about: Scenes about whose mean latent the noise lies; None for 0, as diffusers does. SDXL's noisiest
            level still shows a picture's mean (Lin et al. 2023, https://arxiv.org/abs/2305.08891), so that
            where the latents' is not 0 plain noise starts at another brightness than any picture.
        window: Sample the middle of a picture, half as wide, as ``views`` draws windows for training;
            the model is told so by SDXL's crop conditioning.
    """

    steps: int
    guidance_scale: float
    seed: int = 0
    device: str = "cpu"
    batch: int = 8
    about: Path | None = None
    window: bool = False


def sample(model: Path, prompts: Sequence[str], how: Sampling) -> np.ndarray:
    """A picture for each prompt, uint8 ``[N, H, W, 3]``."""
    pipeline = load_pipeline(resolve_model(model), device=how.device, dtype=torch.float32)
    mean = torch.zeros(4, 1, 1) if how.about is None else mean_latent(pipeline, how.about)
    starts = range(0, len(prompts), how.batch)
    batches = [
        _batch(pipeline, prompts[start : start + how.batch], start, how, mean)
        for start in tracked(starts, "sampling", len(starts))
    ]
    return np.concatenate(batches)


def _batch(
    pipeline: StableDiffusionXLPipeline, prompts: Sequence[str], first: int, how: Sampling, mean: Tensor
) -> np.ndarray:
    seeds = [int(np.random.default_rng((how.seed, first + k)).integers(2**62)) for k in range(len(prompts))]
    whole = pipeline.default_sample_size * pipeline.vae_scale_factor
    side, corner = (whole // 2, whole // 4) if how.window else (whole, 0)
    cells = side // pipeline.vae_scale_factor
    images = pipeline(
        list(prompts),
        height=side,
        width=side,
        num_inference_steps=how.steps,
        guidance_scale=how.guidance_scale,
        latents=torch.stack([_start(pipeline, seed, how.steps, mean, cells) for seed in seeds]).to(
            how.device
        ),
        original_size=(whole, whole),
        crops_coords_top_left=(corner, corner),
        target_size=(side, side),
        output_type="np",
        return_dict=False,
    )[0]
    return (np.asarray(images) * 255).round().astype(np.uint8)


def mean_latent(pipeline: StableDiffusionXLPipeline, scenes: Path, count: int = 200) -> Tensor:
    """Each channel's mean over some scenes' scaled latents, float32 ``[4, 1, 1]``."""
    images = np.stack([frame.image for frame in read_frames([scenes], count)])
    pictures = as_pictures(images, images.shape[1], mirrored=False).to(pipeline.vae.device)
    return scaled_latents(pipeline.vae, pictures).mean((0, 2, 3)).cpu()[:, None, None]


def _start(pipeline: StableDiffusionXLPipeline, seed: int, steps: int, mean: Tensor, cells: int) -> Tensor:
    """Noise of the noisiest level about a mean, ``[4, h, w]``, over diffusers' ``init_noise_sigma``."""
    scheduler = pipeline.scheduler
    scheduler.set_timesteps(steps)
    shape = (pipeline.unet.config.in_channels, cells, cells)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return noise + mean / scheduler.init_noise_sigma


def draw_prompts(count: int, most: int, seed: int) -> list[str]:
    """Sentences of one to ``most`` random objects, each with a random colour, on a random surface."""
    rng, colours, prompts = np.random.default_rng(seed), tuple(COLOURS), []
    for _ in range(count):
        chosen = rng.choice(NOUNS, int(rng.integers(1, most + 1)), replace=False)
        objects = [{"noun": str(noun), "colour": str(rng.choice(colours))} for noun in chosen]
        prompts.append(full_caption({"objects": objects, "surface": str(rng.choice(SURFACES))}))
    return prompts


def sheet(
    pictures: Sequence[np.ndarray], labels: Sequence[str], columns: int, side: int = 256
) -> Image.Image:
    """A grid of pictures uint8 ``[H, W, 3]``, each over its label."""
    rows = -(-len(pictures) // columns)
    width, height = side + _GAP, side + _GAP + _LINES * _LINE_HEIGHT
    page = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(_FONT_SIZE)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        row, column = divmod(number, columns)
        x, y = _GAP + column * width, _GAP + row * height
        page.paste(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS), (x, y))
        lines = [part for line in label.split("\n") for part in textwrap.wrap(line, int(side / _LETTER))]
        pen.multiline_text((x, y + side + 2), "\n".join(lines[:_LINES]), "black", font, spacing=2)
    return page
