"""What a model's configs say of it, so that it can be worked with before its weights are loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from realedit.errors import ModelUnavailableError
from realedit.models.folder import Layout, read_json

if TYPE_CHECKING:
    import torch
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
    from transformers import CLIPTokenizer

    from realedit.models.frugality import Frugality


@dataclass(frozen=True)
class Description:
    """A model's sizes, and how it will run.

    Args:
        scale_factor: pixels per latent cell along one side.
        sample_size: side of the latent that the model was trained on, in cells.
        depth: levels of the UNet; each halves the side of the one before.
        device: where the UNet runs.
        dtype: the UNet's precision.
    """

    scale_factor: int
    sample_size: int
    depth: int
    device: torch.device
    dtype: torch.dtype

    @classmethod
    def of(cls, pipeline: StableDiffusionXLPipeline) -> Description:
        """Returns a loaded pipeline's."""
        import torch

        unet = pipeline.unet
        return cls(
            int(pipeline.vae_scale_factor),
            int(unet.config.sample_size),
            len(unet.config.block_out_channels),
            torch.device(pipeline._execution_device),
            unet.dtype,
        )

    @classmethod
    def read(cls, layout: Layout, device: torch.device, dtype: torch.dtype) -> Description | None:
        """Returns a folder's; None where its configs leave a size to the library's default.

        Args:
            layout: the folder.
            device: where the UNet will run.
            dtype: the precision that it will have.
        """
        unet, vae = (_config(layout, part) for part in ("unet", "vae"))
        side, blocks = unet.get("sample_size"), unet.get("block_out_channels")
        coded = vae.get("block_out_channels")
        if not (isinstance(side, int) and isinstance(blocks, list) and isinstance(coded, list) and coded):
            return None
        # the pipeline's own rule
        return cls(2 ** (len(coded) - 1), side, len(blocks), device, dtype)


@dataclass(frozen=True)
class Unloaded:
    """A model whose weights are not read yet.

    Args:
        description: its sizes.
        load: loads the pipeline, laid out as a setting of memory says.
        load_tokenizers: loads its two tokenizers alone; one that it has not is None.
        layout: where its configs lie.
    """

    description: Description
    load: Callable[[Frugality], StableDiffusionXLPipeline]
    load_tokenizers: Callable[[], tuple[CLIPTokenizer | None, ...]]
    layout: Layout


def _config(layout: Layout, part: str) -> dict[str, Any]:
    try:
        return read_json(layout.root / part / "config.json", layout.root.name)
    except ModelUnavailableError:
        return {}
