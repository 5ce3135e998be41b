"""Chooses, before anything is computed, how a model is laid out so that it fits a card's free memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from realedit.errors import MemoryLimitError
from realedit.inverted.account import GIB, Account, account
from realedit.models.description import Unloaded
from realedit.models.folder import NETWORKS, read_json
from realedit.models.frugality import SETTINGS, Frugality, Offload, settings_with
from realedit.models.single_file import CONFIGS

TABLE = CONFIGS / "memory.json"
"""SDXL's account at some sizes, made by scripts/memory_table.py: for it nothing is counted at run time."""
_SIDES = (1024, 896, 768, 640, 512, 384, 256)
"""Working sizes in pixels that are proposed where the one asked for does not fit."""


@dataclass(frozen=True)
class Choice:
    """How a model is laid out.

    Args:
        settings: the chosen one, and those that take less.
        line: what to tell the user; "" for nothing.
    """

    settings: tuple[Frugality, ...]
    line: str = ""


def fitting(
    model: Unloaded, side: int, offload: Offload | None, free: int | None, label: str, *, vae: torch.dtype
) -> Choice:
    """Returns the fastest setting that fits.

    Args:
        model: whose configs are read.
        side: side in pixels of the square whose area it works at.
        offload: what the user says of offloading; None where nothing is.
        free: bytes that are free on the card; None where that is not known, or there is no card.
        label: what to call the model.
        vae: the VAE's precision.

    Raises:
        MemoryLimitError: no setting fits; the line says which size would.
    """
    device, dtype = model.description.device, model.description.dtype
    if device.type == "cpu":
        line = "" if offload in (None, "none") else f"--offload {offload} does nothing on the CPU"
        return Choice(SETTINGS[:1], line)
    settings = settings_with(offload)
    if free is None:
        return Choice(settings)
    counted = partial(counted_at, model, dtype=dtype, vae=vae)
    at_side = counted(side)
    for place, setting in enumerate(settings):
        peak = at_side.peak(setting)
        if peak <= free:
            line = "" if place == 0 else f"{_gib(free)} are free on {device}: {setting} (about {_gib(peak)})"
            return Choice(settings[place:], line)
    smaller = [one for one in _SIDES if one < side and counted(one).peak(settings[-1]) <= free]
    needed = f"{label} needs about {_gib(at_side.peak(settings[-1]))} at {side} pixels with {settings[-1]}"
    way = f"try --working-size {smaller[0]}" if smaller else "try --device cpu or --model tabletop"
    if offload not in (None, SETTINGS[-1].offload):
        way += f", or --offload {SETTINGS[-1].offload}"
    raise MemoryLimitError(f"{needed}, and {_gib(free)} are free on {device}", way)


def counted_at(model: Unloaded, side: int, *, dtype: torch.dtype, vae: torch.dtype) -> Account:
    """Returns a model's account at a size: from the table for SDXL, else counted."""
    configs = {part: read_json(model.layout.root / part / "config.json", part) for part in NETWORKS}
    if _is_sdxl(configs):
        return _from_table(side * side, dtype, vae)
    return account(configs, (side, side), dtype, vae)


def _is_sdxl(configs: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a UNet and a VAE have SDXL's sizes."""
    for part in ("unet", "vae"):
        ours = read_json(CONFIGS / part / "config.json", part)
        if any(configs[part].get(key) != value for key, value in ours.items() if key in _SIZES):
            return False
    return True


_SIZES = ("attention_head_dim", "block_out_channels", "layers_per_block", "transformer_layers_per_block")
"""Entries of a config that say how large a network is."""


def _from_table(pixels: int, dtype: torch.dtype, vae: torch.dtype) -> Account:
    """Returns SDXL's account at so many pixels, between two sizes of the table or beyond the last.

    Bytes of activations grow with the pixels, since attention keeps no matrix of places by places; the VAE's
    own attention and tiles make steps of it.
    """
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    rows = sorted(table["sizes"], key=lambda row: row["pixels"])
    below = max((row for row in rows[:-1] if row["pixels"] <= pixels), key=_pixels, default=rows[0])
    above = next(row for row in rows if row["pixels"] > below["pixels"])
    share = (pixels - below["pixels"]) / (above["pixels"] - below["pixels"])

    def between(name: str) -> float:
        low, high = (float(row["stages"].get(name, row["level"])) for row in (below, above))
        return max(0.0, low + share * (high - low))

    wide, coder = dtype.itemsize / 2, vae.itemsize / 4
    of_coder = ("encode", "decode")
    stages = {
        name: int(between(name) * (coder if name.startswith(of_coder) else wide)) for name in below["stages"]
    }
    weights = {
        name: int(size * (coder if name == "vae" else wide)) for name, size in table["weights"].items()
    }
    return Account(weights, stages, int(between("level")))


def _pixels(row: Mapping[str, int]) -> int:
    return row["pixels"]


def _gib(size: float) -> str:
    return f"{size / GIB:.1f} GiB"
