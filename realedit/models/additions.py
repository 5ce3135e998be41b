"""What is put on a model beside its own files: LoRAs, and another VAE.

A LoRA is added to the weights once, when they are loaded (diffusers' ``fuse_lora``), so that an edit takes no
longer with it and sees the networks that it knows.

References: Hu et al. 2021, arXiv 2106.09685 (LoRA); madebyollin/sdxl-vae-fp16-fix (a VAE of SDXL that does
not overflow in float16).
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realedit.errors import ModelUnavailableError, UsageError
from realedit.models import distilled, hub, single_file
from realedit.models import folder as folders
from realedit.models.hub import first_line
from realedit.system.memory import out_of_memory

if TYPE_CHECKING:
    import torch
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline

_AGAIN = "copy or download it again"
_VAE_FILES = ("config.json", "diffusion_pytorch_model.safetensors")


@dataclass(frozen=True)
class Lora:
    """A LoRA in a file, and how much of it is added.

    Args:
        path: the safetensors file, absolute.
        weight: factor on what it adds; 1 is as it was trained, below 0 the opposite.
    """

    path: Path
    weight: float = 1.0

    @classmethod
    def parse(cls, text: str | Path) -> Lora:
        """Reads ``FILE`` or ``FILE:weight``.

        Raises:
            ModelUnavailableError: there is no such file, or it is a pickle.
            UsageError: the weight is no number.
        """
        file, weight = str(text), 1.0
        head, colon, tail = file.rpartition(":")
        if colon and not os.path.exists(os.path.expanduser(file)) and "/" not in tail and "\\" not in tail:
            try:
                file, weight = head, float(tail)
            except ValueError:
                raise UsageError(f"'{tail}' is no weight of a LoRA", "for example --lora FILE:0.8") from None
        if not math.isfinite(weight):
            raise UsageError(f"the weight {weight} of a LoRA is not finite", "for example --lora FILE:0.8")
        path = Path(os.path.expanduser(file))
        if not os.path.isfile(path):
            raise ModelUnavailableError(f"no LoRA '{file}': no such file", "pass a .safetensors file")
        if path.suffix.lower() != ".safetensors":
            raise ModelUnavailableError(
                f"{path.name} is no safetensors file, and realedit reads no others (pickles can run code)",
                "download the LoRA's .safetensors file",
            )
        if kind := distilled.named(path.stem):
            raise ModelUnavailableError(
                f"{path.name} makes a model of few steps ({kind}), which realedit does not invert",
                "leave it out; if it is none, rename the file",
            )
        return cls(path.resolve(), weight)

    def digest(self) -> bytes:
        """Returns what changes when the file or its weight does."""
        return f"lora:{self.weight!r}:".encode() + weights_digest(self.path)


def weights_digest(path: Path) -> bytes:
    """Returns a hash of a file of weights, whole or of samples of it; see :mod:`realedit.models.folder`."""
    return folders.weights_identity(path, small=path.stat().st_size <= folders.FULL_HASH_BYTES)


def put_on(pipeline: StableDiffusionXLPipeline, loras: tuple[Lora, ...]) -> None:
    """Adds LoRAs to a pipeline's weights.

    Raises:
        ModelUnavailableError: one is not SDXL's, or damaged, or the library for them is missing.
    """
    for lora in loras:
        try:
            pipeline.load_lora_weights(
                str(lora.path.parent),
                weight_name=lora.path.name,
                adapter_name="lora",
                use_safetensors=True,
                local_files_only=True,
            )
            if not pipeline.get_list_adapters():
                raise ValueError("none of its layers is SDXL's")
            pipeline.set_adapters(["lora"], [lora.weight])
            pipeline.fuse_lora(safe_fusing=True)
            pipeline.unload_lora_weights()
        except Exception as error:
            # the libraries raise nearly every built-in type over a LoRA of another model
            raise out_of_memory(error) or ModelUnavailableError(
                f"{lora.path.name} cannot be put on the model ({first_line(error)})", "use a LoRA for SDXL"
            ) from error


def vae_place(name: str | Path, *, offline: bool) -> Path:
    """Returns where a VAE lies: a folder of diffusers, a safetensors file, or a hub model's local copy.

    Raises:
        ModelUnavailableError: it is nowhere, or cannot be fetched.
    """
    path = Path(os.path.expanduser(str(name)))
    if os.path.isdir(path):  # which bears names that are too long
        inside = path / "vae" if (path / "vae").is_dir() else path
        if not all((inside / file).is_file() for file in _VAE_FILES):
            raise ModelUnavailableError(
                f"{path.name} holds no VAE: it lacks {' or '.join(_VAE_FILES)}", "pass a VAE's folder or file"
            )
        return inside.resolve()
    if os.path.isfile(path):
        if path.suffix.lower() != ".safetensors":
            raise ModelUnavailableError(
                f"{path.name} is no safetensors file, and realedit reads no others (pickles can run code)",
                "download the VAE's .safetensors file",
            )
        return path.resolve()
    if not hub.is_hub_id(str(name)):
        raise ModelUnavailableError(
            f"no VAE '{name}': no such folder or file, and no hub id",
            "for SDXL in half precision: --vae madebyollin/sdxl-vae-fp16-fix",
        )
    return _fetched(str(name), offline=offline)


def _fetched(hub_id: str, *, offline: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        root = Path(snapshot_download(hub_id, allow_patterns=list(_VAE_FILES), local_files_only=offline))
    except (*hub.network_errors(), LocalEntryNotFoundError) as error:
        raise ModelUnavailableError(
            f"the VAE {hub_id} is not in the local Hugging Face cache and cannot be fetched",
            f"with a network: hf download {hub_id} {' '.join(_VAE_FILES)}",
        ) from error
    return vae_place(root, offline=True)


def vae_digest(place: Path) -> bytes:
    """Returns what changes when a VAE's files do."""
    files = [place] if place.is_file() else [place / name for name in _VAE_FILES]
    return b"vae:" + b":".join(weights_digest(file) for file in files)


def load_vae(place: Path, half: torch.dtype | None, configs: Path) -> torch.nn.Module:
    """Loads a VAE: in float32, or in half precision where its own config says that this is safe.

    Args:
        place: from :func:`vae_place`.
        half: the half precision that the model runs with; None where it runs with float32.
        configs: a pipeline's folder, whose VAE's config a single file is read with.

    Raises:
        ModelUnavailableError: it cannot be loaded.
    """
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    kind: Any = AutoencoderKL
    try:
        if place.is_file():
            return single_file.network(place, "vae", torch.float32, configs)
        safe = folders.read_json(place / "config.json", place.name).get("force_upcast") is False
        dtype = half if safe and half is not None else torch.float32
        return kind.from_pretrained(str(place), dtype=dtype, use_safetensors=True, local_files_only=True)
    except ModelUnavailableError:
        raise
    except Exception as error:
        raise out_of_memory(error) or ModelUnavailableError(
            f"the VAE {place.name} cannot be loaded ({first_line(error)})", _AGAIN
        ) from error
