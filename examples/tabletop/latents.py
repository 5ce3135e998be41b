"""Scenes as latents: each picture and its mirror image go through the autoencoder once, into a file.

**Convention:** a latent file is float16 ``[2, N, 4, h, w]``, plain then mirrored, already scaled:
(z - shift) * scale.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from numpy.lib.format import open_memmap
from torch import Tensor

from examples.tabletop.working_precision import working_precision
from realedit.system.progress import Progress

_BATCH = 8


@dataclass(frozen=True, slots=True)
class Shard:
    """A folder of scenes, read as needed.

    Attributes:
        latents: float16 ``[2, N, 4, h, w]``.
        instances: uint8 ``[N, H, W]``; 0 is background, k the k-th object.
        scenes: What each holds.
        seen: float16 ``[2, N, 112, 16, 16]``, see ``alignment``; none where nothing is drawn to it.
    """

    latents: np.ndarray
    instances: np.ndarray
    scenes: tuple[dict[str, Any], ...]
    seen: np.ndarray | None = None

    @classmethod
    def open(cls, folder: Path, latents: Path, seen: Path | None = None) -> "Shard":
        """Read the scenes' list; pictures stay on disk."""
        lines = (folder / "scenes.jsonl").read_text().splitlines()
        return cls(
            np.load(latents, mmap_mode="r"),
            np.load(folder / "instances.npy", mmap_mode="r"),
            tuple(json.loads(line) for line in lines if line),
            None if seen is None else np.load(seen, mmap_mode="r"),
        )


def latent_file(folder: Path, vae: Path, size: int, cache: Path) -> Path:
    """Where a shard's latents lie: another autoencoder, size or number of scenes is another file."""
    count = len((folder / "scenes.jsonl").read_text(encoding="utf-8").splitlines())
    digest = hashlib.sha256(f"{folder.resolve()} {count}".encode())
    for file in sorted(vae.iterdir()):
        digest.update(file.read_bytes())
    return cache / f"{folder.name}-{size}-{digest.hexdigest()[:12]}.npy"


def new_file(file: Path, count: int, channels: int, side: int) -> Path:
    """An empty file to fill, beside ``file``, whose name it takes when it is full."""
    part = file.with_suffix(".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    open_memmap(part, "w+", np.float16, (2, count, channels, side, side)).flush()
    return part


def encode_pictures(
    folder: Path, vae: Path, size: int, part: Path, workers: tuple[int, int], report: Progress
) -> None:
    """Encode one worker's share of a shard, ``workers`` = (this one, of how many), into ``part``."""
    # On a CPU this encodes three times as fast with channels last.
    layout = torch.channels_last
    precision = working_precision("cpu")
    encoder = load_vae(vae).to(precision, memory_format=layout)
    images = np.load(folder / "images.npy", mmap_mode="r")
    latents = np.load(part, mmap_mode="r+")
    worker, count = workers
    starts = range(worker * _BATCH, len(images), count * _BATCH)
    for done, start in enumerate(starts, 1):
        for mirrored in (False, True):
            pictures = as_pictures(images[start : start + _BATCH], size, mirrored)
            scaled = scaled_latents(encoder, pictures.to(precision, memory_format=layout))
            latents[int(mirrored), start : start + _BATCH] = scaled.half().numpy()
        report(f"latents of {folder.name}", done, len(starts))
    latents.flush()


def scaled_latents(vae: Any, pictures: Tensor) -> Tensor:  # noqa: ANN401
    """Latents as the U-Net sees them, float32 ``[N, 4, h, w]``, of pictures as ``as_pictures`` makes them."""
    z = torch.cat([encode(vae, part) for part in pictures.split(_BATCH)]).float()
    return (z - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor


def as_pictures(images: np.ndarray, size: int, mirrored: bool) -> Tensor:
    """uint8 ``[N, H, W, 3]`` as float ``[N, 3, size, size]`` in [-1, 1], shrunk by area."""
    pictures = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
    if pictures.shape[-1] != size:
        pictures = F.interpolate(pictures, (size, size), mode="area")
    return pictures.flip(-1) if mirrored else pictures


def load_vae(folder: Path) -> Any:  # noqa: ANN401
    """The autoencoder of a folder, float32, whichever of the two kinds it is."""
    kind = json.loads((folder / "config.json").read_text())["_class_name"]
    cls = {"AutoencoderKL": AutoencoderKL, "AutoencoderTiny": AutoencoderTiny}[kind]
    return cls.from_pretrained(folder, torch_dtype=torch.float32).eval()


@torch.no_grad()
def encode(vae: Any, pictures: Tensor) -> Tensor:  # noqa: ANN401
    """Unscaled latents; of ``AutoencoderKL`` the mean."""
    encoded = vae.encode(pictures)
    return encoded.latents if isinstance(vae, AutoencoderTiny) else encoded.latent_dist.mean
