"""Chooses layers of a UNet by their place in it and by their resolution, never by name.

A UNet of diffusers' shape has ``down_blocks``, a ``mid_block`` and ``up_blocks``. The maps of its n-th down
block (from 0) are 2**n times smaller than the latent, and the up blocks mirror them; n is their level.
A *rank* counts the levels that carry cross-attention, from the finest: in SDXL at 1024 px rank 0 is 64 x 64
(1/16 of the picture), rank 1 is 32 x 32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from torch import nn

Part = Literal["down", "mid", "up"]
PARTS: tuple[Part, ...] = ("down", "mid", "up")


@dataclass(frozen=True)
class LayerSelection:
    """Layers by part of the UNet and by rank of resolution.

    Args:
        parts: the parts of the UNet.
        ranks: ranks of resolution, 0 the finest with cross-attention; None takes all of them.
    """

    parts: tuple[Part, ...] = ("up",)
    ranks: tuple[int, ...] | None = None


UP = LayerSelection()
EVERYWHERE = LayerSelection(PARTS)


@dataclass(frozen=True)
class Site:
    """A module of a UNet.

    Args:
        name: its path in the UNet.
        part: the part of the UNet.
        level: its maps are 2**level times smaller than the latent.
        module: the module itself.
    """

    name: str
    part: Part
    level: int
    module: nn.Module


def map_size(latent_size: tuple[int, int], level: int) -> tuple[int, int]:
    """Returns (height, width) of a level's maps: halved ``level`` times, rounded up as convolutions do."""
    h, w = latent_size
    for _ in range(level):
        h, w = -(-h // 2), -(-w // 2)
    return h, w


def _parts(unet: nn.Module) -> Iterator[tuple[str, Part, int, nn.Module]]:
    down, mid, up = (getattr(unet, name, None) for name in ("down_blocks", "mid_block", "up_blocks"))
    if not isinstance(down, nn.ModuleList) or not isinstance(up, nn.ModuleList):
        raise TypeError(
            f"{type(unet).__name__} has no down_blocks and up_blocks: expected a UNet of diffusers' shape"
        )
    for i, block in enumerate(down):
        yield f"down_blocks.{i}", "down", i, block
    if isinstance(mid, nn.Module):
        yield "mid_block", "mid", len(down) - 1, mid
    for i, block in enumerate(up):
        yield f"up_blocks.{i}", "up", len(up) - 1 - i, block


def _modules(unet: nn.Module) -> Iterator[Site]:
    """Iterates over all modules of all parts."""
    for prefix, part, level, block in _parts(unet):
        for name, module in cast("Iterator[tuple[str, nn.Module]]", block.named_modules()):
            yield Site(f"{prefix}.{name}", part, level, module)


def attention_sites(unet: nn.Module, *, cross: bool) -> list[Site]:
    """Finds every cross-attention (or self-attention) layer, in the order in which the UNet runs them."""
    return [
        site
        for site in _modules(unet)
        if hasattr(site.module, "set_processor") and getattr(site.module, "is_cross_attention", None) is cross
    ]


def transformer_sites(unet: nn.Module) -> list[Site]:
    """Finds every spatial transformer (its output is a map of activations), in the UNet's running order."""
    return [site for site in _modules(unet) if hasattr(site.module, "transformer_blocks")]


def select(sites: list[Site], unet: nn.Module, selection: LayerSelection) -> list[Site]:
    """Returns those of ``sites`` that a selection names; ranks that the UNet lacks are ignored.

    Raises:
        ValueError: the selection names none.
    """
    levels = sorted({site.level for site in attention_sites(unet, cross=True)})
    wanted = levels if selection.ranks is None else [levels[r] for r in selection.ranks if r < len(levels)]
    chosen = [site for site in sites if site.part in selection.parts and site.level in wanted]
    if not chosen:
        raise ValueError(f"{selection} names no layer; cross-attention sits at levels {levels}")
    return chosen
