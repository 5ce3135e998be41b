"""A checkpoint in one file: what its names and sizes say that it is, and its networks.

Such files (``juggernautXL.safetensors``) name their tensors as Stability's own code does. diffusers turns the
names into its own (``from_single_file``); the sizes of the networks are SDXL's and lie in ``assets/sdxl``, so
that nothing is fetched. Only safetensors are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realedit.errors import ModelUnavailableError
from realedit.models import distilled
from realedit.models.folder import INDEX, Layout, read_json

if TYPE_CHECKING:
    import torch

CONFIGS = Path(str(resources.files("realedit") / "assets" / "sdxl"))
"""Folder with the configs of SDXL's networks and scheduler."""
TEXT = {"text_encoder": "CLIPTextModel", "text_encoder_2": "CLIPTextModelWithProjection"}
"""The classes of SDXL's text encoders."""
PAINTERS_CHANNELS = 9
"""What the UNet of a model that paints holes takes: the latent's four, a mask, and the picture's four. Set by
SDXL."""
_PICKLES = (".ckpt", ".pt", ".pth", ".bin")
_UNET, _FIRST, _SECOND = (
    "model.diffusion_model.",
    "conditioner.embedders.0.",
    "conditioner.embedders.1.model.",
)
_CONV_IN = f"{_UNET}input_blocks.0.0.weight"
_EDM = ("edm_mean", "edm_std", "edm_vpred.sigma_max", "edm_vpred.sigma_min")
_V_PREDICTION, _ZERO_SNR = "v_pred", "ztsnr"
_AGAIN = "copy or download the file again"
_ANOTHER = "pass an SDXL checkpoint with its UNet, both text encoders and VAE, or --model tabletop"


@dataclass(frozen=True)
class SingleFile:
    """A checkpoint whose header was read.

    Args:
        path: the file.
        shapes: of its tensors, by name.
        metadata: of its header.
    """

    path: Path
    shapes: Mapping[str, tuple[int, ...]] = field(repr=False)
    metadata: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> SingleFile:
        """Reads a file's header.

        Raises:
            ModelUnavailableError: it is a pickle, damaged or cut short.
        """
        from safetensors import SafetensorError, safe_open

        name = path.name
        if path.suffix.lower() in _PICKLES:
            raise ModelUnavailableError(
                f"{name} is a pickle, which realedit refuses to read (pickles can run code)",
                "download the model's .safetensors file instead",
            )
        try:
            opened: Any = safe_open(path, framework="numpy")
            with opened as file:
                shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}
                return cls(path, shapes, file.metadata() or {})
        except (SafetensorError, OSError) as error:
            raise ModelUnavailableError(
                f"{name} is no safetensors file, damaged or cut short ({error})", _AGAIN
            ) from error

    @property
    def prediction(self) -> dict[str, Any]:
        """What its scheduler's config says otherwise than SDXL's: of a model that predicts v."""
        said = self.metadata.get("modelspec.prediction_type", "").lower()
        changes: dict[str, Any] = {}
        if _V_PREDICTION in self.shapes or said in ("v", "v_prediction"):
            changes["prediction_type"] = "v_prediction"
        if _ZERO_SNR in self.shapes:
            changes |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
        return changes

    @property
    def title(self) -> str:
        """What it calls itself, beside its file's name."""
        return " ".join((self.path.stem, self.metadata.get("modelspec.title", "")))

    @property
    def channels(self) -> int:
        """How many channels its UNet takes; 0 where it has none."""
        return self.shapes.get(_CONV_IN, (0, 0))[1]

    def check(self, *, vae: bool, paints: bool = False) -> None:
        """Makes sure that it is an SDXL.

        Args:
            vae: whether it may lack a VAE, since another one takes its place.
            paints: whether it is to paint holes, and not to edit.

        Raises:
            ModelUnavailableError: it is something else; the line says what, and how that is used.
        """
        problem = self._problem(vae=vae, paints=paints)
        if problem is not None:
            raise ModelUnavailableError(f"{self.path.name} {problem[0]}", problem[1])

    def _problem(self, *, vae: bool, paints: bool) -> tuple[str, str] | None:
        names = self.shapes
        if any(name.startswith(("lora_unet_", "lora_te")) or ".lora_" in name for name in names):
            return "is a LoRA, not a model", f"give it beside a model: --model sdxl --lora {self.path.name}"
        if any(name in names for name in _EDM):
            return "samples by EDM (Playground 2.5, CosXL), which realedit does not invert", _ANOTHER
        if not any(name.startswith(_UNET) for name in names):
            return "holds no UNet as SDXL's checkpoints name it", _ANOTHER
        if any(name.startswith(f"{_FIRST}model.") for name in names):
            return "is SDXL's refiner, which cannot edit by itself", "use the base model"
        if not any(name.startswith(_SECOND) for name in names):
            return "is not SDXL: it has no second text encoder", _ANOTHER
        if self.channels == PAINTERS_CHANNELS and not paints:
            return "is an inpainting model: it paints holes", f"give it as --inpainter {self.path.name}"
        if paints and self.channels == 4:
            return "takes no mask: it is no inpainting model", "pass LaMa's weights, or an inpainting SDXL"
        if self.channels != (PAINTERS_CHANNELS if paints else 4):
            return f"takes {self.channels} channels: an instruction model cannot be used here", _ANOTHER
        if not vae and not any(name.startswith("first_stage_model.") for name in names):
            return "has no VAE", "add one: --vae FILE"
        if not paints and (kind := distilled.named(self.title)):
            way = f"{distilled.ANOTHER}; if it is none, rename the file"
            return f"is made for a few steps ({kind}), which realedit does not invert", way
        return None


def read_layout(path: Path, *, vae: bool, paints: bool = False) -> Layout:
    """Checks a checkpoint and returns where its configs and its weights lie.

    A pipeline's folder beside the file that is named as the file is without its suffix tells the sizes of a
    model that is not as large as SDXL (SSD-1B); its weights are not read.

    Args:
        path: the file.
        vae: whether it may lack a VAE.
        paints: whether it is to paint holes, and not to edit.

    Raises:
        ModelUnavailableError: it is no SDXL that can be used here.
    """
    file = SingleFile.read(path)
    file.check(vae=vae, paints=paints)
    configs = configs_of(path)
    return Layout(configs, read_json(configs / INDEX, path.name), {}, weights=path, scheduler=file.prediction)


def configs_of(path: Path) -> Path:
    """Returns the folder with a checkpoint's configs: the one beside it, else SDXL's own."""
    beside = path.with_suffix("")
    return beside if (beside / INDEX).is_file() else CONFIGS


def network(path: Path, part: str, dtype: torch.dtype, configs: Path) -> torch.nn.Module:
    """Loads one network of a checkpoint.

    Args:
        path: the file.
        part: "unet", "vae", "text_encoder" or "text_encoder_2".
        dtype: its precision.
        configs: a pipeline's folder, whose configs say the network's sizes.

    Raises:
        Exception: nearly any, over a damaged file.
    """
    import transformers
    from diffusers.loaders.single_file_utils import (
        create_diffusers_clip_model_from_ldm,
        load_single_file_checkpoint,
    )
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    if part in ("unet", "vae"):
        kind: Any = UNet2DConditionModel if part == "unet" else AutoencoderKL
        paints = part == "unet" and SingleFile.read(path).channels == PAINTERS_CHANNELS
        return kind.from_single_file(
            str(path),
            config=str(configs),
            subfolder=part,
            torch_dtype=dtype,
            local_files_only=True,
            **({"in_channels": PAINTERS_CHANNELS} if paints else {}),
        )
    text: Any = (
        transformers.CLIPTextModel if part == "text_encoder" else transformers.CLIPTextModelWithProjection
    )
    checkpoint = load_single_file_checkpoint(str(path), local_files_only=True)
    return create_diffusers_clip_model_from_ldm(
        text, checkpoint, subfolder=part, config=str(configs), torch_dtype=dtype, local_files_only=True
    )
