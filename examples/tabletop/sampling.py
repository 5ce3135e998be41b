"""Pictures from prompts by diffusers' own pipeline, in batches, and sheets of them with their prompts."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from PIL import Image, ImageDraw, ImageFont

from examples.tabletop.captions import full_caption
from examples.tabletop.frames import tracked
from examples.tabletop.vocabulary import COLOURS, NOUNS, SURFACES
from realedit.models import load_pipeline, resolve_model

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
    """

    steps: int
    guidance_scale: float
    seed: int = 0
    device: str = "cpu"
    batch: int = 8


def sample(model: Path, prompts: Sequence[str], how: Sampling) -> np.ndarray:
    """A picture for each prompt, uint8 ``[N, H, W, 3]``."""
    pipeline = load_pipeline(resolve_model(model), device=how.device, dtype=torch.float32)
    starts = range(0, len(prompts), how.batch)
    batches = [
        _batch(pipeline, prompts[start : start + how.batch], start, how)
        for start in tracked(starts, "sampling", len(starts))
    ]
    return np.concatenate(batches)


def _batch(
    pipeline: StableDiffusionXLPipeline, prompts: Sequence[str], first: int, how: Sampling
) -> np.ndarray:
    seeds = [int(np.random.default_rng((how.seed, first + k)).integers(2**62)) for k in range(len(prompts))]
    images = pipeline(
        list(prompts),
        num_inference_steps=how.steps,
        guidance_scale=how.guidance_scale,
        generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        output_type="np",
        return_dict=False,
    )[0]
    return (np.asarray(images) * 255).round().astype(np.uint8)


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
