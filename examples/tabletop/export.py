"""Write a checkpoint's averaged weights as a ``StableDiffusionXLPipeline`` folder in float16.

python -m examples.tabletop.export --checkpoint FOLDER --vae FOLDER --output FOLDER
"""

from pathlib import Path
from typing import Any

import cyclopts
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from transformers import CLIPTokenizer

from examples.tabletop.latents import load_vae
from examples.tabletop.mixed_precision import load_weights
from examples.tabletop.model import BETAS, TabletopModel
from examples.tabletop.portable import forget_origins


def export(checkpoint: Path, vae: Path, output: Path) -> None:
    """Write the pipeline.

    Args:
        checkpoint: The output folder of ``train_diffusion``.
        vae: The autoencoder's folder.
        output: The folder to write.
    """
    pipeline = as_pipeline(checkpoint, vae)
    pipeline.to(torch.float16).save_pretrained(output, safe_serialization=True)
    forget_origins(output)


def as_pipeline(checkpoint: Path, vae: Path) -> StableDiffusionXLPipeline:
    """The averaged weights as a float32 pipeline."""
    tokenizer = CLIPTokenizer.from_pretrained(checkpoint / "tokenizer")
    model = TabletopModel.new(tokenizer)
    load_weights(model, torch.load(checkpoint / "checkpoint.pt", map_location="cpu")["average"])
    scheduler: Any = EulerDiscreteScheduler(**BETAS, timestep_spacing="leading", steps_offset=1)
    return StableDiffusionXLPipeline(
        vae=load_vae(vae),
        text_encoder=model.text_encoder.eval(),
        text_encoder_2=model.text_encoder_2.eval(),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=model.unet.eval(),
        scheduler=scheduler,
        force_zeros_for_empty_prompt=True,
        add_watermarker=False,
    )


if __name__ == "__main__":
    cyclopts.run(export)
